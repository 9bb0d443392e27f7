//! Variables that Kubernetes gives to every pod beside a Service whose name begins with ours.

use std::net::IpAddr;

/// The Services of the environment, by what their variables begin with.
pub(super) struct ServiceLinks<'a>(Vec<&'a str>);

impl<'a> ServiceLinks<'a> {
    /// Every Service has its address in `NAME_SERVICE_HOST`.
    pub fn of(variables: &'a [(String, String)]) -> Self {
        let hosts = variables.iter().filter_map(|(name, value)| {
            value.parse::<IpAddr>().ok()?;
            name.strip_suffix("SERVICE_HOST")
        });
        Self(hosts.filter(|start| start.ends_with('_')).collect())
    }

    /// Whether `name` is a variable of one of them.
    pub fn hold(&self, name: &str) -> bool {
        let mut rests = self.0.iter().filter_map(|start| name.strip_prefix(start));
        rests.any(is_link)
    }
}

/// `SERVICE_HOST`, `SERVICE_PORT`, `SERVICE_PORT_HTTP`, `PORT`, `PORT_8080_TCP`,
/// `PORT_8080_TCP_ADDR` and the like.
fn is_link(rest: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    match words.as_slice() {
        ["SERVICE", "HOST" | "PORT"] | ["PORT"] => true,
        ["SERVICE", "PORT", name @ ..] => name.iter().all(|word| !word.is_empty()),
        ["PORT", port, "TCP" | "UDP" | "SCTP"]
        | [
            "PORT",
            port,
            "TCP" | "UDP" | "SCTP",
            "PROTO" | "PORT" | "ADDR",
        ] => port.parse::<u16>().is_ok(),
        _ => false,
    }
}

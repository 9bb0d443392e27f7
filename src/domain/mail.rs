//! Where mails go: the one URL of `mail.url`, read once and never doubted afterwards.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// Why a mail URL was refused. The text never repeats the URL, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailUrlError {
    /// Not one of the schemes.
    #[error("the mail url begins with none of smtp://, smtps://, file:///")]
    Scheme,
    /// User name or password in the URL.
    #[error(
        "the mail url holds user info; name the user in mail.username and the password's file \
         in mail.password_file"
    )]
    UserInfo,
    /// No host, or one that is none.
    #[error("the mail url names no host; write smtp://mail.example.com")]
    Host,
    /// A port outside 1 to 65535.
    #[error("the port of the mail url is not a number from 1 to 65535")]
    Port,
    /// Something after host and port.
    #[error("the mail url goes on after host and port; write smtp://mail.example.com:587")]
    Rest,
    /// A folder that does not begin at the root.
    #[error("the mail folder is not an absolute path; write file:///var/mail/tripsettle")]
    Folder,
}

/// Whether a connection on the plain port must be encrypted before anything is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// STARTTLS or no mail.
    Required,
    /// In the clear: loopback only.
    None,
}

/// Where mails go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailUrl {
    /// `smtp://host[:port]`: STARTTLS, or the clear on loopback.
    Smtp {
        /// Name or address, without brackets.
        host: String,
        /// 587 by default, 25 on loopback.
        port: u16,
        /// [`StartTls::Required`] unless the host is a loopback address.
        starttls: StartTls,
    },
    /// `smtps://host[:port]`: TLS from the first byte.
    Smtps {
        /// Name or address, without brackets.
        host: String,
        /// 465 by default.
        port: u16,
    },
    /// `file:///dir`: a file for each mail.
    Folder(PathBuf),
}

impl MailUrl {
    /// Reads `smtp://host[:port]`, `smtps://host[:port]` or `file:///dir`.
    ///
    /// # Errors
    /// Any other form; user info is always refused.
    pub fn parse(text: &str) -> Result<Self, MailUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(MailUrlError::Scheme)?;
        match scheme {
            "file" if rest.starts_with('/') => Ok(Self::Folder(PathBuf::from(rest))),
            "file" => Err(MailUrlError::Folder),
            "smtp" => {
                let (host, port) = host_and_port(rest)?;
                let (starttls, usual) = match is_loopback(&host) {
                    true => (StartTls::None, 25),
                    false => (StartTls::Required, 587),
                };
                let port = port.unwrap_or(usual);
                Ok(Self::Smtp {
                    host,
                    port,
                    starttls,
                })
            }
            "smtps" => {
                let (host, port) = host_and_port(rest)?;
                let port = port.unwrap_or(465);
                Ok(Self::Smtps { host, port })
            }
            _ => Err(MailUrlError::Scheme),
        }
    }
}

fn host_and_port(rest: &str) -> Result<(String, Option<u16>), MailUrlError> {
    if rest.contains('@') {
        return Err(MailUrlError::UserInfo);
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err(MailUrlError::Rest);
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or(MailUrlError::Host)?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| MailUrlError::Host)?;
            let port = after.strip_prefix(':');
            if port.is_none() && !after.is_empty() {
                return Err(MailUrlError::Host);
            }
            (host, port)
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(allowed) {
        return Err(MailUrlError::Host);
    }
    let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0));
    match port {
        Some(None) => Err(MailUrlError::Port),
        Some(Some(port)) => Ok((host.to_owned(), Some(port))),
        None => Ok((host.to_owned(), None)),
    }
}

fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

impl fmt::Display for MailUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Self::Smtp { host, port, .. } => ("smtp", host, port),
            Self::Smtps { host, port } => ("smtps", host, port),
            Self::Folder(dir) => return write!(f, "file://{}", dir.display()),
        };
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_url_says_where_and_how() {
        let rows = [
            ("smtp://mail.example.com", "smtp://mail.example.com:587 tls"),
            (
                "smtp://mail.example.com:2525/",
                "smtp://mail.example.com:2525 tls",
            ),
            ("smtp://10.0.0.7", "smtp://10.0.0.7:587 tls"),
            ("smtp://localhost", "smtp://localhost:25 clear"),
            ("smtp://127.9.9.9:2525", "smtp://127.9.9.9:2525 clear"),
            ("smtp://[::1]", "smtp://[::1]:25 clear"),
            ("smtp://[2001:db8::1]:26", "smtp://[2001:db8::1]:26 tls"),
            // Names that only look local are not.
            (
                "smtp://localhost.example.com",
                "smtp://localhost.example.com:587 tls",
            ),
            (
                "smtp://127.0.0.1.example.com",
                "smtp://127.0.0.1.example.com:587 tls",
            ),
            ("smtps://mail.example.com", "smtps://mail.example.com:465"),
            ("file:///var/mail/out", "file:///var/mail/out"),
        ];
        for (text, told) in rows {
            let url = MailUrl::parse(text).unwrap();
            let how = match &url {
                MailUrl::Smtp { starttls, .. } => match starttls {
                    StartTls::Required => " tls",
                    StartTls::None => " clear",
                },
                MailUrl::Smtps { .. } | MailUrl::Folder(_) => "",
            };
            assert_eq!(format!("{url}{how}"), told, "{text}");
            assert_eq!(MailUrl::parse(&url.to_string()).unwrap(), url, "{text}");
        }
    }

    #[test]
    fn other_mail_urls_are_refused_and_not_repeated() {
        let rows = [
            ("", MailUrlError::Scheme),
            ("mail.example.com", MailUrlError::Scheme),
            ("http://mail.example.com", MailUrlError::Scheme),
            ("smtp://me:hunter2@mail.example.com", MailUrlError::UserInfo),
            ("smtps://me@mail.example.com", MailUrlError::UserInfo),
            ("smtp://", MailUrlError::Host),
            ("smtp://:25", MailUrlError::Host),
            ("smtp://[::1", MailUrlError::Host),
            ("smtp://[::1]25", MailUrlError::Host),
            ("smtp://[example]", MailUrlError::Host),
            ("smtp://a b", MailUrlError::Host),
            ("smtp://mail.example.com:0", MailUrlError::Port),
            ("smtp://mail.example.com:70000", MailUrlError::Port),
            ("smtp://mail.example.com:", MailUrlError::Port),
            ("smtp://mail.example.com/in", MailUrlError::Rest),
            ("smtp://mail.example.com?tls=no", MailUrlError::Rest),
            ("file://out", MailUrlError::Folder),
        ];
        for (text, why) in rows {
            let refused = MailUrl::parse(text).unwrap_err();
            assert_eq!(refused, why, "{text}");
            assert!(!refused.to_string().contains("hunter2"), "{text}");
        }
    }
}

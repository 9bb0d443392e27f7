//! AWS's own chain of places where credentials are found.

use std::time::Duration;

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::{ProvideCredentials, future};

/// AWS's chain, put together for each ask: its step for profiles says once what is wrong with them,
/// and from then on fails without a reason and keeps the steps after it from being tried. Asks are
/// rare, and what is costly (the root certificates of the machine) is read once a process.
#[derive(Debug)]
pub(super) struct Chain {
    region: Region,
    connect_timeout: Duration,
}

impl Chain {
    pub(super) fn new(region: Region, connect_timeout: Duration) -> Self {
        Self {
            region,
            connect_timeout,
        }
    }

    /// The metadata services of ECS and EC2, which have no names to look up, keep their own times.
    fn settings(&self) -> ProviderConfig {
        let timeouts = TimeoutConfig::builder().connect_timeout(self.connect_timeout);
        ProviderConfig::default().with_timeout_config(timeouts.build())
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let builder = DefaultCredentialsChain::builder().configure(self.settings());
            let chain = builder.region(self.region.clone()).build().await;
            chain.provide_credentials().await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left to itself it takes 3.1 seconds, less than a resolver waits for its first name server.
    #[test]
    fn its_own_calls_connect_in_our_time() {
        let chain = Chain::new(Region::new("eu-west-1"), Duration::from_secs(10));
        let settings = format!("{:?}", chain.settings());
        assert!(settings.contains("connect_timeout: Set(10s)"), "{settings}");
    }
}

//! AWS's own chain of places where credentials are found.

use std::time::Duration;

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::{ProvideCredentials, future};
use tokio::sync::OnceCell;

/// AWS's chain, put together when the first call needs it: its HTTP client reads every root
/// certificate of the machine, for nothing where no call is made.
#[derive(Debug)]
pub(super) struct Chain {
    region: Region,
    connect_timeout: Duration,
    chain: OnceCell<DefaultCredentialsChain>,
}

impl Chain {
    pub(super) fn new(region: Region, connect_timeout: Duration) -> Self {
        let chain = OnceCell::new();
        Self {
            region,
            connect_timeout,
            chain,
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
            let chain = || async {
                let builder = DefaultCredentialsChain::builder().configure(self.settings());
                builder.region(self.region.clone()).build().await
            };
            self.chain
                .get_or_init(chain)
                .await
                .provide_credentials()
                .await
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

//! `sandbox`: serves the local payment service until a signal comes.

use crate::sandbox::{Sandbox, SandboxConfig};

use super::args::SandboxArgs;
use super::exit::Failure;
use super::print::Output;

/// `sandbox`.
pub async fn serve(args: &SandboxArgs, output: &Output) -> Result<u8, Failure> {
    let config = SandboxConfig {
        requests_per_second: args.rate,
        latency_ms: args.latency_ms,
        auto_trips: true,
        ..SandboxConfig::default()
    };
    let keys = (
        config.access_key.clone(),
        config.secret_key.clone(),
        config.region.clone(),
    );
    let cannot = |why: std::io::Error| Failure {
        code: 74,
        message: format!("cannot listen on {}: {why}", args.listen),
    };
    let sandbox = Sandbox::start(args.listen, config).await.map_err(cannot)?;
    let url = sandbox.url();
    output.line(&format!(
        "the sandbox serves at {url}; Ctrl-C ends it. For another shell:"
    ));
    output.line(&format!(
        "export TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT={url}"
    ));
    output.line(&format!(
        "export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}",
        keys.0, keys.1
    ));
    output.line(&format!("export AWS_REGION={}", keys.2));
    output.line(&format!("ledger: curl {url}/sandbox/ledger"));
    let _ = tokio::signal::ctrl_c().await;
    sandbox.stop().await;
    Ok(0)
}

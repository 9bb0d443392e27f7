//! `sandbox`: serves the local payment service until a signal comes.

use serde_json::json;

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
    let (key, secret, region) = keys;
    let told = json!({
        "endpoint": &url,
        "access_key_id": &key,
        "secret_access_key": &secret,
        "region": &region,
        "ledger": format!("{url}/sandbox/ledger"),
    });
    if output.json {
        output.either(&told, "");
    }
    output.line(&format!(
        "the sandbox serves at {url}; Ctrl-C ends it. For another shell:\n\
         export TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT={url}\n\
         export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}\n\
         export AWS_REGION={region}\n\
         ledger: curl {url}/sandbox/ledger"
    ));
    let _ = tokio::signal::ctrl_c().await;
    sandbox.stop().await;
    Ok(0)
}

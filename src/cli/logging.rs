//! Logs: human on a terminal, journald under systemd, JSON elsewhere; always on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging. `wish` is `$TRIPSETTLE_LOG` (a level or a filter such as `tripsettle=debug`).
///
/// Without a wish: `error` when quiet, `warn` on a terminal (the progress line tells the rest),
/// `info`, a line per call, everywhere else.
///
/// # Errors
/// A filter that cannot be read, in words.
pub fn start(wish: Option<&str>, quiet: bool) -> Result<(), String> {
    let terminal = io::stderr().is_terminal();
    let default = match (quiet, terminal) {
        (true, _) => "error",
        (false, true) => "warn",
        (false, false) => "info,hyper=warn,reqwest=warn,aws=warn",
    };
    let filter = EnvFilter::try_new(wish.unwrap_or(default))
        .map_err(|error| format!("TRIPSETTLE_LOG: {error}; try `info` or `tripsettle=debug`"))?;
    let registry = tracing_subscriber::registry().with(filter);
    if terminal {
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(color);
        let _ = registry.with(layer.compact().with_target(false)).try_init();
        return Ok(());
    }
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    if let Some(journal) = under_systemd
        .then(tracing_journald::layer)
        .and_then(Result::ok)
    {
        let _ = registry.with(journal).try_init();
        return Ok(());
    }
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .json();
    let _ = registry
        .with(layer.flatten_event(true).with_target(false))
        .try_init();
    Ok(())
}

//! Signals: a run that is told to stop finishes what is under way.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::payment_service::HttpService;
use crate::run::pass::House;
use crate::run::stop::Why;

use super::exit::Failure;

/// The number of SIGHUP: the terminal is gone, as when an ssh session breaks.
const HANGUP: i32 = 1;

/// The first signal lets calls in flight be finished and recorded; the second ends at once.
///
/// A lost terminal is told more than once (by the shell, then by the kernel), so a hangup only ever
/// lets them be finished. Where it is ignored, as under `nohup`, it stays so.
pub fn stop_on_signals(house: &Arc<House<HttpService>>) -> Result<(), Failure> {
    watch(house, SignalKind::interrupt(), 2)?;
    watch(house, SignalKind::terminate(), 15)?;
    // Without /proc nothing is known; then `nohup` costs a run that stops in good order.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    match ignores(&status, HANGUP) {
        true => Ok(()),
        false => watch(house, SignalKind::hangup(), HANGUP),
    }
}

fn watch(house: &Arc<House<HttpService>>, kind: SignalKind, number: i32) -> Result<(), Failure> {
    let cannot = |why: io::Error| Failure {
        code: 74,
        message: why.to_string(),
    };
    let mut signals: Signal = signal(kind).map_err(cannot)?;
    let house = house.clone();
    tokio::spawn(async move {
        signals.recv().await;
        house.halt.stop(Why::Signal(number));
        if number != HANGUP {
            signals.recv().await;
            std::process::exit(128 + number);
        }
    });
    Ok(())
}

/// Whether the process of this `/proc/self/status` was started with the signal ignored.
fn ignores(status: &str, number: i32) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let set = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    set.is_some_and(|set| set & (1 << (number - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_bits_counted_from_one() {
        let status =
            |set| format!("Name:\ttripsettle\nSigBlk:\t0000000000000001\nSigIgn:\t{set}\n");
        let rows = [
            ("0000000000000001", true),
            ("0000000000001001", true),
            ("0000000000001000", false),
            ("0000000000000002", false),
            ("", false),
        ];
        for (set, ignored) in rows {
            assert_eq!(ignores(&status(set), HANGUP), ignored, "{set}");
        }
        assert!(!ignores("", HANGUP));
    }
}

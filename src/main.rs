//! tripsettle: hands over the clock, and exits as the command says.

use std::process::ExitCode;
use std::sync::Arc;

use tripsettle::domain::{Clock, Timestamp};

/// What lanes hand to the writer is freed by another thread, which the system's allocator makes
/// dear: see `benches/README.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The machine's clock: read here and nowhere else.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }
}

fn main() -> ExitCode {
    ExitCode::from(tripsettle::cli::start(Arc::new(SystemClock)))
}

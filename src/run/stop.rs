//! Why a pass ends early, and the one flag that every lane looks at.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Why no further call begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A signal asked for it: 2 (Ctrl-C), 15 (SIGTERM) or 1 (the terminal is gone), which counts as
    /// SIGTERM.
    Signal(i32),
    /// The payment service does not answer well enough (69).
    Unavailable(String),
    /// Our clock and the service's differ too much to know what is expired (69).
    Clock(String),
    /// The payment service refuses the credentials (77).
    Authentication(String),
    /// There are no credentials to ask with, and waiting brings none (77).
    NoCredentials(String),
    /// A lane failed: the state cannot be written, or a defect (the error itself says which).
    Failed(String),
    /// The answers are not the payment service's (78).
    NotTheService(String),
}

impl Why {
    /// The exit code of a run that ended for this reason.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Signal(2) => 130,
            Self::Signal(_) => 143,
            Self::Unavailable(_) | Self::Clock(_) => 69,
            Self::Authentication(_) | Self::NoCredentials(_) => 77,
            // The error itself is given back by the lane, with a code of its own.
            Self::Failed(_) => 0,
            Self::NotTheService(_) => 78,
        }
    }

    /// The reason as a sentence, with what to do.
    pub fn sentence(&self) -> String {
        match self {
            Self::Signal(2) => "stopped by Ctrl-C; run again to go on".to_owned(),
            Self::Signal(_) => "stopped by a signal; run again to go on".to_owned(),
            Self::Unavailable(why) => format!(
                "the payment service is unavailable: {why}; nothing is lost, the next run goes on"
            ),
            Self::Clock(why) => {
                format!("{why}; set the clock right (timedatectl), then run again")
            }
            Self::Authentication(why) => format!(
                "the payment service refused our credentials: {why}; see `tripsettle check`"
            ),
            Self::NoCredentials(why) => {
                format!("{why}; nothing can be sent; `tripsettle check` says what to do")
            }
            Self::Failed(why) => why.clone(),
            Self::NotTheService(why) => {
                format!("is this the payment service? {why}; check payment_service.endpoint")
            }
        }
    }
}

/// Tells every lane that nothing new may begin; the first reason given is kept.
#[derive(Debug, Default)]
pub struct Halt {
    token: CancellationToken,
    why: Mutex<Option<Why>>,
    code: AtomicU8,
}

impl Halt {
    /// Nothing new begins from here on; calls in flight are finished and recorded.
    pub fn stop(&self, why: Why) {
        let mut kept = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        // Signed by a wrong clock nobody's credentials are good.
        let follows = matches!(
            (&*kept, &why),
            (
                Some(Why::Clock(_)),
                Why::Authentication(_) | Why::NoCredentials(_)
            )
        );
        if !follows {
            self.code.fetch_max(why.exit_code(), Ordering::Relaxed);
        }
        if kept.is_none() {
            tracing::warn!(reason = %why.sentence(), "the pass stops");
            *kept = Some(why);
        }
        drop(kept);
        self.token.cancel();
    }

    /// True once [`Halt::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.token.is_cancelled()
    }

    /// True when the pass ends since our clock cannot be trusted.
    pub fn is_for_the_clock(&self) -> bool {
        matches!(self.why(), Some(Why::Clock(_)))
    }

    /// Waits until [`Halt::stop`] is called.
    pub async fn stopped(&self) {
        self.token.cancelled().await;
    }

    /// The largest exit code of all reasons given; 0 when there was none.
    pub fn exit_code(&self) -> u8 {
        self.code.load(Ordering::Relaxed)
    }

    /// Why, once stopping.
    pub fn why(&self) -> Option<Why> {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

//! Planted: deliberate defects, for the proofs that must find each one. Without the feature
//! `planted`, which no default build has, there are none.
//!
//! Each stands as one line where the real defect would be made. The pure rooms have none: theirs
//! stand at the border, in `run`, where the law must refuse them.

macro_rules! bugs {
    ($($(#[$doc:meta])* $bug:ident = $name:literal,)*) => {
        /// A deliberate defect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bug {
            $($(#[$doc])* $bug,)*
        }

        #[cfg(feature = "planted")]
        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$bug),*];

            /// What `TRIPSETTLE_PLANTED` is to be for it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$bug => $name,)*
                }
            }
        }
    };
}

bugs! {
    /// A Cancel is sent "to be safe" where a Capture is in doubt.
    CancelInDoubt = "cancel-in-doubt",
    /// What the service says is kept as it came, card numbers and all.
    CardNumberKept = "card-number-kept",
    /// Transactional data ends a doubt although nobody said that it proves a capture.
    DataIsProof = "data-is-proof",
    /// A capture in doubt is booked as a loss.
    DoubtWrittenOff = "doubt-written-off",
    /// There is one folder for all editions of a day.
    EditionOverwritten = "edition-overwritten",
    /// Amounts of the feed are read as binary floats.
    FloatAmount = "float-amount",
    /// A trip file leaves the inbox before its trips are committed.
    InboxMovedFirst = "inbox-moved-first",
    /// The intent is written together with the reply.
    IntentAfterSend = "intent-after-send",
    /// The deadline is reckoned by the clock on the wall.
    LocalTimeDeadline = "local-time-deadline",
    /// The lock is given back as soon as it was taken.
    LockReleasedEarly = "lock-released-early",
    /// Any page with 200 counts as the service's yes.
    PageIsAYes = "page-is-a-yes",
    /// Redirects are followed.
    RedirectFollowed = "redirect-followed",
    /// The pause that the service asks for is not heeded.
    RetryAfterIgnored = "retry-after-ignored",
    /// Silence counts as "not sent", so that a Capture is sent again.
    SecondCaptureAfterTimeout = "second-capture-after-timeout",
    /// A 5xx counts as the service's no.
    ServerErrorIsANo = "server-error-is-a-no",
    /// A commit is answered before it is forced to disk.
    SyncNormal = "sync-normal",
    /// A 429 counts as an attempt of which nobody knows what became.
    ThrottleIsAnAttempt = "throttle-is-an-attempt",
    /// An edition is written where it is to stand.
    WrittenInPlace = "written-in-place",
}

pub use sown::{by_the_wall_clock, is, through_a_float};

#[cfg(feature = "planted")]
mod sown {
    use std::sync::OnceLock;

    use super::Bug;

    /// True when the defect is switched on: by its name in `TRIPSETTLE_PLANTED`.
    pub fn is(bug: Bug) -> bool {
        static WANTED: OnceLock<Option<String>> = OnceLock::new();
        let wanted = WANTED.get_or_init(|| std::env::var("TRIPSETTLE_PLANTED").ok());
        wanted.as_deref() == Some(bug.name())
    }

    /// What a binary float of single precision keeps of a whole number: its first 24 bits. In
    /// integers, so that the rule against floats needs no exception here.
    pub fn through_a_float(minor: i64) -> i64 {
        let bits = i64::BITS.saturating_sub(minor.unsigned_abs().leading_zeros());
        let lost = bits.saturating_sub(24);
        (minor >> lost) << lost
    }

    /// The instant at which a clock on a wall in New York has gone on by `ms` since `at`: an hour
    /// off where the clocks change meanwhile.
    pub fn by_the_wall_clock(at: i64, ms: i64) -> i64 {
        let later = || -> Result<jiff::Timestamp, jiff::Error> {
            let zone = jiff::tz::TimeZoneDatabase::bundled().get("America/New_York")?;
            let local = zone.to_datetime(jiff::Timestamp::from_millisecond(at)?);
            let local = local.checked_add(jiff::SignedDuration::from_millis(ms))?;
            zone.to_ambiguous_timestamp(local).compatible()
        };
        later().map_or(at, jiff::Timestamp::as_millisecond)
    }
}

#[cfg(not(feature = "planted"))]
mod sown {
    use super::Bug;

    /// Never true.
    pub const fn is(_bug: Bug) -> bool {
        false
    }

    /// The number itself.
    pub const fn through_a_float(minor: i64) -> i64 {
        minor
    }

    /// So much later.
    pub const fn by_the_wall_clock(at: i64, ms: i64) -> i64 {
        at.saturating_add(ms)
    }
}

//! A person's word: what it may end, and what it may not.

use crate::domain::{Fact, Ruling, Timestamp};

use super::history::{History, IllegalEvent};

/// The ruling does not fit the trip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RulingRefused(pub(super) IllegalEvent);

/// The fact that records `ruling`, if the law allows it for this trip.
///
/// `captured` and `not-captured` end a doubt; the amount lies between the smallest unit and what
/// was intended (the cart total, for a trip taken after a loss). `retry` ends a refusal.
///
/// # Errors
/// No doubt is open, the trip is not refused, or the amount does not fit.
pub fn rule(history: &History, ruling: &Ruling, now: Timestamp) -> Result<Fact, RulingRefused> {
    let fact = Fact::Ruled {
        ruling: ruling.clone(),
    };
    history.clone().apply(now, &fact).map_err(RulingRefused)?;
    Ok(fact)
}

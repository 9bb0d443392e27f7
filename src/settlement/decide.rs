//! What comes next for a trip: a call, a wait, a loss, or nothing any more.

use crate::domain::time::HOUR_MS;
use crate::domain::{Call, DeclinePolicy, LossReason, Money, SettlementPolicy, Timestamp};

use super::history::{Answer, History};

/// So long after expiry a trip that could not be asked is given up.
const UNASKED_AFTER_MS: i64 = 24 * HOUR_MS;
/// The first wait after PENDING; each further one is twice as long.
const PENDING_WAIT_MS: i64 = 1_000;
/// The longest wait after PENDING.
const PENDING_WAIT_MOST_MS: i64 = 300_000;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Send this call.
    Call(Call),
    /// The service has not decided; ask again at this instant.
    AskAgain {
        /// The instant.
        not_before: Timestamp,
    },
    /// Book the whole remainder as a loss.
    Lose {
        /// The remainder.
        amount: Money,
        /// Why.
        reason: LossReason,
    },
    /// A capture is in doubt: only evidence can end it.
    AwaitEvidence,
    /// Refused: only a person, or the end of the token, can move it.
    Parked,
    /// Nothing is left to do.
    Finished,
}

impl Decision {
    /// The loss to be booked now, if it is one.
    pub fn loss(self) -> Option<(Money, LossReason)> {
        match self {
            Self::Lose { amount, reason } => Some((amount, reason)),
            Self::Call(_)
            | Self::AskAgain { .. }
            | Self::AwaitEvidence
            | Self::Parked
            | Self::Finished => None,
        }
    }
}

/// The next step of a trip under `policy` at `now`; DESIGN.md section 4.
pub fn decide(history: &History, policy: &SettlementPolicy, now: Timestamp) -> Decision {
    let expired = now >= history.trip.expires_at;
    if history.doubts() {
        return Decision::AwaitEvidence;
    }
    if !history.is_open() {
        // A hold falls by itself when the token dies.
        return match history.wants_release() && !expired {
            true => Decision::Call(Call::Cancel),
            false => Decision::Finished,
        };
    }
    if history.captures_stand() {
        return rest_of_a_capture(history);
    }
    match (history.parked, expired) {
        (_, true) if history.was_ruled_not_captured() => {
            lose(history, LossReason::RuledNotCaptured)
        }
        (true, true) => lose(history, LossReason::Refused),
        (true, false) => Decision::Parked,
        (false, _) if asked_in_vain(history, now) => lose(history, LossReason::TokenExpiredUnasked),
        (false, _) if history.is_empty_cart() => Decision::Call(Call::Cancel),
        (false, _) => charge(history, policy, now),
    }
}

/// A trip with open money, no capture, and a service that can be asked.
fn charge(history: &History, policy: &SettlementPolicy, now: Timestamp) -> Decision {
    match history.answer {
        Answer::None => adjust(history),
        Answer::Approved(asked) if asked == history.cart_total() => capture_authorized(history),
        // The approval of a probe leaves the decline of the whole standing.
        Answer::Approved(_) | Answer::Declined(_) => after_decline(history, policy, now),
        Answer::Pending { .. } if history.search.is_some() => capture_authorized(history),
        Answer::Pending { in_a_row, at } => pending(history, policy, now, in_a_row, at),
        Answer::Expired { was_pending: true } => lose(history, LossReason::PendingAtExpiry),
        Answer::Expired { was_pending: false } => lose(history, LossReason::TokenExpired),
    }
}

fn adjust(history: &History) -> Decision {
    let total = history.cart_total();
    Decision::Call(Call::Adjust { total })
}

fn after_decline(history: &History, policy: &SettlementPolicy, now: Timestamp) -> Decision {
    match policy.on_decline {
        DeclinePolicy::WriteOff => lose(history, LossReason::Declined),
        DeclinePolicy::CaptureAuthorized => capture_authorized(history),
        DeclinePolicy::Search => match next_probe(history, policy, now) {
            Some(total) => Decision::Call(Call::Adjust { total }),
            None => capture_authorized(history),
        },
    }
}

fn next_probe(history: &History, policy: &SettlementPolicy, now: Timestamp) -> Option<Money> {
    let search = history.search.filter(|_| now < history.trip.act_by)?;
    search.next(history.authorized?, history.balances.cart_total, policy)
}

/// Never more than the cart or than a final reply authorised; nothing authorised is a loss.
fn capture_authorized(history: &History) -> Decision {
    let held = history.authorized.map_or(0, |held| held.minor());
    let amount = history.money(held.min(history.balances.cart_total));
    match amount.is_positive() {
        true => Decision::Call(Call::Capture { amount }),
        false => lose(history, LossReason::Declined),
    }
}

/// The whole was not decided, last at `heard`.
fn pending(
    history: &History,
    policy: &SettlementPolicy,
    now: Timestamp,
    in_a_row: u32,
    heard: Timestamp,
) -> Decision {
    // Heard by a clock that was ahead: nothing follows from when, and so the service is asked.
    if now < heard {
        return adjust(history);
    }
    let (act_by, expires_at) = (history.trip.act_by, history.trip.expires_at);
    let granted = history.authorized.is_some_and(|held| held.is_positive());
    if heard >= act_by && granted && policy.on_decline != DeclinePolicy::WriteOff {
        return capture_authorized(history);
    }
    if heard >= expires_at {
        return lose(history, LossReason::PendingAtExpiry);
    }
    let not_before = wait_after(heard, in_a_row);
    match now >= not_before || now >= expires_at {
        true => adjust(history),
        false => Decision::AskAgain { not_before },
    }
}

fn wait_after(at: Timestamp, in_a_row: u32) -> Timestamp {
    let doublings = in_a_row.saturating_sub(1).min(20);
    at.plus_ms((PENDING_WAIT_MS << doublings).min(PENDING_WAIT_MOST_MS))
}

/// The service could not be asked until a day after expiry, and it was tried.
fn asked_in_vain(history: &History, now: Timestamp) -> bool {
    let expires_at = history.trip.expires_at;
    let tried = history.in_vain_at.is_some_and(|at| at >= expires_at);
    tried && now >= expires_at.plus_ms(UNASKED_AFTER_MS)
}

fn rest_of_a_capture(history: &History) -> Decision {
    match history.ruled_below {
        true => lose(history, LossReason::RuledNotCaptured),
        false => lose(history, LossReason::Declined),
    }
}

fn lose(history: &History, reason: LossReason) -> Decision {
    Decision::Lose {
        amount: history.money(history.balances.open),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    #[test]
    fn only_a_loss_is_one() {
        let amount = Money::of_minor(100, Currency::of("USD").unwrap());
        let reason = LossReason::Declined;
        let lose = Decision::Lose { amount, reason };
        assert_eq!(lose.loss(), Some((amount, reason)));
        assert_eq!(Decision::AwaitEvidence.loss(), None);
    }
}

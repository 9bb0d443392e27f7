//! Trips to play with: made at first sight, behaving as the prefix of their id says.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::amount;
use super::ask::{Ask, What};
use super::fault::{CallKind, Fault, FaultKind, Side};
use super::trip::SandboxTrip;

/// The trip for an unknown id; `None` for one that shall stay unknown. The prefixes are listed
/// in the module's documentation.
pub(super) fn trip(ask: &Ask, now: DateTime<Utc>) -> Option<SandboxTrip> {
    let mut trip = SandboxTrip {
        started_at: now,
        currency: ask.code().unwrap_or("").to_owned(),
        ..SandboxTrip::of(&ask.store_id, &ask.shopping_trip_id)
    };
    let (prefix, _) = ask.shopping_trip_id.split_once('-').unwrap_or_default();
    match prefix {
        "unknown" => return None,
        "declined" => trip.limit = Decimal::ZERO,
        "partial" => {
            trip.limit = half(ask);
            trip.adjusted = trip.limit;
        }
        "limited" => trip.limit = half(ask),
        "pending" => trip.pending_asks = 2,
        "stuck" => trip.pending_asks = u32::MAX,
        "expired" => trip.started_at = now.checked_sub_signed(TimeDelta::days(30)).unwrap_or(now),
        "refused" => trip.refuse = Some("BadRequestException".to_owned()),
        "slow" => trip.faults = CallKind::ALL.map(slow).to_vec(),
        "doubt" => trip.faults = vec![lost_capture(Side::After)],
        "lost" => trip.faults = vec![lost_capture(Side::Before)],
        _ => {}
    }
    Some(trip)
}

/// Half of what is asked for, in whole units of its currency.
fn half(ask: &Ask) -> Decimal {
    match &ask.what {
        What::Adjust(asked) | What::Capture(asked) | What::Refund { amount: asked, .. } => {
            let half = asked.value / Decimal::TWO;
            half.trunc_with_scale(amount::decimals(&asked.code))
        }
        What::Cancel | What::TransactionalData => Decimal::ZERO,
    }
}

fn slow(call: CallKind) -> Fault {
    Fault {
        call,
        kind: FaultKind::Late(2_000),
        side: Side::After,
        times: u32::MAX,
    }
}

fn lost_capture(side: Side) -> Fault {
    Fault {
        call: CallKind::Capture,
        kind: FaultKind::Reset,
        side,
        times: 1,
    }
}

//! The sweep: takes the open trips in order of deadline and gives the plan and its forecast; never
//! reads a clock or a database.
//!
//! [`is_due`] says whether a trip is to be handled now, [`Planner`] what that means for a pass,
//! [`Schedule`] when the next run is planned.

mod plan;
mod schedule;

use crate::domain::{OpenTrip, Status, SweepPolicy, Timestamp};

pub use plan::{CountAndMoney, Plan, Planner};
pub use schedule::{Schedule, ScheduleError};

/// True when a trip is to be handled now; DESIGN.md section 4, "Due".
///
/// Where nothing could be done it is not due: a refused trip is parked until its token is dead, and
/// the hold of a written-off basket falls by itself then.
pub fn is_due(trip: &OpenTrip, policy: &SweepPolicy, next_run: Timestamp, now: Timestamp) -> bool {
    let dead = now >= trip.expires_at;
    let movable = match trip.status {
        Status::Open => true,
        Status::Refused => dead,
        // Also when a person said later that nothing was ever owed.
        Status::WrittenOff | Status::Cancelled => !dead,
        Status::Captured | Status::CapturedPartial | Status::Expired | Status::InDoubt => false,
    };
    let near = trip.act_by <= next_run.plus_ms(policy.tolerate_outage_ms);
    let grown = trip.started_at.plus_ms(policy.min_age_ms) <= now;
    movable && near && (grown || trip.act_by < next_run)
}

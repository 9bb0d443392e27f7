//! Some trips are never answered, night after night: they are left alone, and the others go on.

#![allow(clippy::unwrap_used)]

mod night;

use std::fmt::Write as _;

use chrono::TimeDelta;
use night::Night;
use night::witness::ledger;
use tripsettle::sandbox::{CallKind, Fault, FaultKind, SandboxConfig, SandboxTrip, Side};

const HEADER: &str = "store_id,shopping_trip_id,started_at,amount,currency\n";

/// So many trips of 10.00 that began so many hours ago, each with a fault that strikes for ever.
fn feed(night: &Night, name: &str, trips: usize, hours: i64, fault: Option<CallKind>) {
    let started_at = night.began - TimeDelta::hours(hours);
    let mut csv = HEADER.to_owned();
    for at in 0..trips {
        let id = format!("{name}-{at}");
        let faults = fault.map(|call| Fault {
            call,
            kind: FaultKind::Status(500),
            side: Side::Before,
            times: u32::MAX,
        });
        night.sandbox.add_trip(SandboxTrip {
            store_id: "S1".to_owned(),
            shopping_trip_id: id.clone(),
            started_at,
            faults: faults.into_iter().collect(),
            ..SandboxTrip::default()
        });
        writeln!(csv, "S1,{id},{},10.00,USD", started_at.to_rfc3339()).unwrap();
    }
    night.write(&format!("inbox/{name}.csv"), &csv);
}

fn captured(night: &Night) -> usize {
    let rows = ledger(night).into_values();
    rows.filter(|row| row.captures.len() == 1).count()
}

#[test]
fn trips_that_are_never_answered_do_not_keep_the_others_from_being_paid() {
    let night = Night::begin();
    // Their deadline is the nearest: they are asked first, in every pass.
    feed(&night, "stuck", 12, 40, Some(CallKind::Adjust));
    feed(&night, "good", 40, 30, None);
    // They die before the next run.
    let ended = night.expect(12, &["run"]);
    assert_eq!(captured(&night), 40, "{ended:#?}");
    assert_eq!(night.editions().len(), 1, "the day is closed: {ended:#?}");
    let rows = night.published("reconciliation.csv");
    let left = rows.iter().filter(|row| row["outcome"] == "open");
    assert_eq!(left.count(), 12);
    feed(&night, "later", 20, 30, None);
    night.expect(12, &["settle"]);
    assert_eq!(captured(&night), 60);
}

#[test]
fn data_that_is_never_told_keeps_no_day_open() {
    let night = Night::begin();
    feed(&night, "mute", 12, 31, Some(CallKind::TransactionalData));
    feed(&night, "good", 40, 30, None);
    let ended = night.expect(0, &["run"]);
    assert_eq!(captured(&night), 52, "{ended:#?}");
    assert_eq!(night.editions().len(), 1, "the day is closed: {ended:#?}");
    let asked = night.sandbox.calls().transactional_data;
    feed(&night, "later", 40, 30, None);
    night.expect(0, &["settle"]);
    let again = night.sandbox.calls().transactional_data - asked;
    assert!((40..=40 + 12 * 4).contains(&again), "{again} after {asked}");
}

/// Most nights are small, and the hourly pass has taken the good trips before: what is left is the
/// one that is never answered.
#[test]
fn one_trip_that_is_never_answered_keeps_no_day_open() {
    let night = Night::begin();
    feed(&night, "stuck", 1, 30, Some(CallKind::Adjust));
    feed(&night, "mute", 1, 30, Some(CallKind::TransactionalData));
    night.expect(12, &["settle"]);
    let ended = night.expect(12, &["run"]);
    assert_eq!(night.editions().len(), 1, "the day is closed: {ended:#?}");
    assert_eq!(captured(&night), 1);
    feed(&night, "good", 3, 30, None);
    feed(&night, "stuck-too", 3, 30, Some(CallKind::Adjust));
    night.expect(12, &["settle"]);
    assert_eq!(captured(&night), 4);
}

#[test]
fn a_service_that_answers_nobody_is_given_up_soon() {
    let night = Night::begin_with(SandboxConfig::default());
    feed(&night, "stuck", 200, 30, Some(CallKind::Adjust));
    let ended = night.expect(69, &["run"]);
    let calls = night.sandbox.calls().adjust;
    assert!((50..=60).contains(&calls), "{calls} calls: {ended:#?}");
    assert!(ended.err.contains("too many calls failed"), "{ended:#?}");
    assert_eq!(night.editions().len(), 0, "the day stays open");
}

/// To ask again whether somebody else has written to it would never end.
#[test]
fn a_trip_whose_row_is_wrong_does_not_keep_the_others_from_being_paid() {
    let night = Night::begin();
    feed(&night, "wrong", 1, 40, None);
    feed(&night, "good", 10, 30, None);
    for name in ["wrong", "good"] {
        night.expect(0, &["import", &format!("inbox/{name}.csv")]);
    }
    let database = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
    let damage = "UPDATE trip SET steps = steps + 1 WHERE trip_id = 'wrong-0'";
    assert_eq!(database.execute(damage, ()).unwrap(), 1);
    drop(database);
    let ended = night.tripsettle(&["settle"]);
    assert_eq!(captured(&night), 10, "{ended:#?}");
    assert_eq!(ended.code, Some(65), "{ended:#?}");
    let said = "it stands after 2 events, and the journal has 1";
    assert!(ended.err.contains(said), "{ended:#?}");
}

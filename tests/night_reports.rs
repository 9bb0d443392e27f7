//! A processor's report of a large night: its lines share commits, and those of one trip keep
//! their order.
#![allow(clippy::unwrap_used)]

#[path = "faults/scene.rs"]
#[allow(dead_code)]
mod scene;

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use scene::{Place, STORE, door, key, night};
use tripsettle::domain::Fact;
use tripsettle::sandbox::{Sandbox, SandboxConfig, SandboxTrip};
use tripsettle::store::Found;

const TRIPS: usize = 300;
const ACME: &str = r#"
[processor.acme]
reports_dir = "reports"
[processor.acme.columns]
trip_id = "trip"
amount = "amount"
currency = "currency"
reference = "reference"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_large_report_share_commits_and_keep_their_order() {
    let config = SandboxConfig::default();
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), config);
    let sandbox = sandbox.await.unwrap();
    let place = Place::with_file(ACME, &[]);
    let name = |n: usize| format!("t{n:03}");
    for n in 0..TRIPS {
        sandbox.add_trip(SandboxTrip {
            started_at: Utc::now() - TimeDelta::hours(24),
            preauth: "20".parse().unwrap(),
            ..SandboxTrip::of(STORE, &name(n))
        });
    }
    place.trips((0..TRIPS).map(|n| (name(n), "20.00")));
    let house = || place.house(door(&sandbox.url(), Duration::from_secs(10), 16));
    night(&house()).await;

    let mut report = "trip,amount,currency,reference\n".to_owned();
    for n in 0..TRIPS {
        writeln!(report, "{},20.00,USD,first", name(n)).unwrap();
        if n % 10 == 0 {
            writeln!(report, "{},20.00,USD,second", name(n)).unwrap();
            writeln!(report, "{},20.00,USD,third", name(n)).unwrap();
        }
    }
    std::fs::create_dir_all(place.path("reports")).unwrap();
    std::fs::write(place.path("reports/acme.csv"), report).unwrap();
    let house = house();
    night(&house).await;
    assert_eq!(
        sandbox.calls().capture,
        TRIPS as u64,
        "each was captured once"
    );
    let commits = house.store.commits();
    println!("{commits} commits for {TRIPS} trips' lines");
    assert!(commits < TRIPS as u64 / 3, "{commits} commits");

    for n in 0..TRIPS {
        let Found::One(trip, _) = house.store.find(&key(&name(n)).to_string()).unwrap() else {
            panic!("{} is not there once", name(n));
        };
        let events = house.store.events(trip).unwrap();
        let lines = events.iter().filter_map(|event| match &event.fact {
            Fact::Line { line } => Some(line.reference.as_str()),
            _ => None,
        });
        let expected: &[&str] = match n % 10 {
            0 => &["first", "second", "third"],
            _ => &["first"],
        };
        assert_eq!(lines.collect::<Vec<_>>(), expected, "{}", name(n));
    }
}

#[tokio::test]
async fn a_state_that_is_named_as_the_folder_of_reports_is_not_opened() {
    let config = SandboxConfig::default();
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), config);
    let sandbox = sandbox.await.unwrap();
    let place = Place::with_file(&ACME.replace("\"reports\"", "\"state\""), &[]);
    let house = place.house(door(&sandbox.url(), Duration::from_secs(10), 1));
    let told = night(&house).await.tally.unreadable_files;
    let own: Vec<_> = told
        .iter()
        .filter(|it| it.contains("the state's own files"))
        .collect();
    assert_eq!(own.len(), 3, "{told:?}");
}

//! What is told of a night while it lasts.
#![allow(clippy::unwrap_used)]

#[path = "faults/scene.rs"]
#[allow(dead_code)]
mod scene;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use scene::{Place, STORE, door, night};
use tripsettle::domain::Money;
use tripsettle::run::pass::Watcher;
use tripsettle::sandbox::{Sandbox, SandboxConfig, SandboxTrip};

/// Notes what each lane came to.
#[derive(Default)]
struct Noted {
    captured: Mutex<Vec<String>>,
}

impl Watcher for Noted {
    fn begins(&self, _trips: u64) {}
    fn trip(&self, captured: Money) {
        self.captured.lock().unwrap().push(captured.to_string());
    }
    fn call(&self) {}
    fn says(&self, _sentence: &str) {}
    fn ends(&self) {}
}

#[tokio::test]
async fn progress_counts_what_was_captured_and_not_what_was_asked_for() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxConfig::default());
    let sandbox = sandbox.await.unwrap();
    let trip = |id: &str| SandboxTrip {
        started_at: Utc::now() - TimeDelta::hours(24),
        ..SandboxTrip::of(STORE, id)
    };
    sandbox.add_trip(trip("whole"));
    sandbox.add_trip(SandboxTrip {
        adjusted: "5".parse().unwrap(),
        limit: "10".parse().unwrap(),
        ..trip("part")
    });
    sandbox.add_trip(SandboxTrip {
        limit: "0".parse().unwrap(),
        ..trip("nothing")
    });
    let place = Place::new(&[]);
    let trips = ["whole", "part", "nothing"].map(|id| (id.to_owned(), "20.00"));
    place.trips(trips.into_iter());
    let house = place.house(door(&sandbox.url(), Duration::from_secs(30), 1));
    let mut house = Arc::into_inner(house).unwrap();
    let noted = Arc::new(Noted::default());
    house.watcher = noted.clone();

    night(&Arc::new(house)).await;

    let mut captured = noted.captured.lock().unwrap().clone();
    captured.sort();
    assert_eq!(captured, ["0.00 USD", "20.00 USD", "5.00 USD"]);
}

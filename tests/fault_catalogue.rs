//! Every fault on every call, before and after its effect, over real sockets: the real door to the
//! payment service and the real run against the sandbox, whose own ledger is the witness.
//!
//! `faults/catalogue.txt` says how each fault sounds to each call, `faults/consequences.txt` what
//! follows from that. Each cell of the full product is played; one that was not fails the suite.
#![allow(clippy::unwrap_used)]

#[path = "faults/bomb.rs"]
mod bomb;
#[path = "faults/how.rs"]
mod how;
#[path = "faults/scene.rs"]
mod scene;
mod service;
#[path = "faults/tables.rs"]
mod tables;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use how::{How, Strangers};
use scene::{Detour, Place, STORE, door, journal, key, night};
use tables::{Cell, Tables, side_name};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tripsettle::domain::Fact;
use tripsettle::payment_service::PaymentService as _;
use tripsettle::run::report::RunReport;
use tripsettle::sandbox::{Fault, Sandbox, SandboxConfig, SandboxTrip};

/// So many cells are played side by side; most of their time is spent waiting.
const SIDE_BY_SIDE: usize = 64;
/// How long a call may take where nobody answers; elsewhere more, for a slow machine's sake.
const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(60);
/// What a machine at its limits may add to a deadline.
const SLACK: Duration = Duration::from_secs(10);
/// No cell lasts longer.
const LONGEST: Duration = Duration::from_secs(300);
/// Faults that only a deadline ends.
const SILENT: [&str; 6] = [
    "connection not answered",
    "tls: handshake not answered",
    "no answer",
    "half a head",
    "no body",
    "a byte now and then",
];

/// The trusted certificates come from the environment, which a test may not change for the others:
/// so the test runs itself once more, trusting the test authority.
#[test]
fn every_cell_of_the_catalogue_is_played_and_holds() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "catalogue", "--nocapture"]);
    child.env("SSL_CERT_FILE", service::tls::fixture("test-authority.pem"));
    let output = child.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let cried = String::from_utf8_lossy(&output.stderr);
    println!("{told}");
    let passed = output.status.success() && told.contains("1 passed");
    assert!(passed, "{told}\n{cried}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above, which trusts the test authority"]
async fn catalogue() {
    // The certificates that are refused are refused for what is wrong with them.
    let good = service::tls::start_signed("good-test-cert.pem");
    let well = door(&format!("https://localhost:{good}"), LONG, 1);
    let heard = well.send(&key("control"), &service::capture()).await;
    assert_eq!(service::told(&heard), "initiated", "the control is refused");

    let tables = Tables::read();
    let product = tables.product();
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxConfig::default());
    let world = Arc::new(World {
        sandbox: sandbox.await.unwrap(),
        strangers: Strangers::start(),
        seats: Semaphore::new(SIDE_BY_SIDE),
    });
    let mut playing = JoinSet::new();
    for (number, cell) in tables.cells().into_iter().enumerate() {
        let world = world.clone();
        playing.spawn(async move {
            let _seat = world.seats.acquire().await.unwrap();
            let played = tokio::time::timeout(LONGEST, world.play(&cell, number)).await;
            let told = played.unwrap_or_else(|_| "never ended".to_owned());
            (cell, told)
        });
    }
    let (mut hit, mut wrong) = (BTreeSet::new(), Vec::new());
    while let Some(played) = playing.join_next().await {
        let (cell, told) = played.unwrap();
        hit.insert(cell.name());
        if told != cell.expected {
            let name = cell.name();
            println!("{name}: {told}");
            wrong.push(format!(
                "{name}\n  expected {}\n  played   {told}",
                cell.expected
            ));
        }
    }
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} cells:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(
        world.strangers.lure.asked().len(),
        0,
        "a redirect was followed"
    );
    let missed: Vec<_> = product.difference(&hit).collect();
    println!("cells {} of {}", hit.len(), product.len());
    assert!(missed.is_empty(), "never hit: {missed:#?}");
    assert_eq!(hit, product);
}

struct World {
    sandbox: Sandbox,
    strangers: Strangers,
    seats: Semaphore,
}

impl World {
    /// Plays a cell and tells what was seen, in the words of the table.
    async fn play(&self, cell: &Cell, number: usize) -> String {
        let trip = format!("trip-{number}");
        let total = if cell.call.name == "cancel" {
            "0.00"
        } else {
            "20.00"
        };
        let is_silent = SILENT.contains(&cell.fault.as_str());
        let timeout = if is_silent { SHORT } else { LONG };
        let (faults, ill) = match self.strangers.how(&cell.fault, cell.call.kind) {
            How::Sandbox(kind) => {
                let (call, side, times) = (cell.call.kind, cell.side, 1);
                // Only who waits for what never comes is in a hurry.
                let ill = is_silent.then(|| door(&self.sandbox.url(), SHORT, 1));
                (
                    vec![Fault {
                        call,
                        kind,
                        side,
                        times,
                    }],
                    ill,
                )
            }
            How::Elsewhere(endpoint) => (Vec::new(), Some(door(&endpoint, timeout, 1))),
        };
        self.sandbox.add_trip(SandboxTrip {
            started_at: Utc::now() - TimeDelta::hours(24),
            preauth: "20".parse().unwrap(),
            faults,
            ..SandboxTrip::of(STORE, &trip)
        });
        let place = Place::new(&[]);
        place.trips([(trip.clone(), total)].into_iter());
        let well = door(&self.sandbox.url(), LONG, 1);
        let house = place.house(Detour::new(well, ill, cell.call.name));
        let first = night(&house).await;
        let heard_after = *house.service.struck_for.lock().unwrap();
        let limit = timeout + SLACK;
        assert!(heard_after < limit, "{}: {heard_after:?}", cell.name());
        let asked = house.service.heard.lock().unwrap().len();
        let left = standing(&house, &first);
        drop(house);
        let house = place.house(door(&self.sandbox.url(), LONG, 1));
        let second = night(&house).await;
        let facts: Vec<Fact> = house
            .store
            .events(1)
            .unwrap()
            .into_iter()
            .map(|e| e.fact)
            .collect();
        [
            journal(&facts, cell.call.name),
            pass(&first, asked),
            left,
            standing(&house, &second),
            self.ledger(&trip),
        ]
        .join(" | ")
    }

    /// What the service really did.
    fn ledger(&self, trip: &str) -> String {
        let rows = self.sandbox.ledger();
        let row = rows
            .iter()
            .find(|row| row.shopping_trip_id == trip)
            .unwrap();
        let counts = [
            ("adjust", usize::try_from(row.adjusts).unwrap()),
            ("capture", row.captures.len()),
            ("cancel", usize::try_from(row.cancels).unwrap()),
        ];
        let done = counts.iter().filter(|(_, count)| *count > 0);
        let done: Vec<String> = done
            .map(|(call, count)| match count {
                1 => (*call).to_owned(),
                _ => format!("{call}×{count}"),
            })
            .collect();
        assert!(
            row.captures
                .iter()
                .all(|(_, amount)| amount.to_string() == "20.00"),
            "{row:?}"
        );
        if done.is_empty() {
            "nothing".to_owned()
        } else {
            done.join(" ")
        }
    }
}

/// The trip's status and the run's exit code.
fn standing<S>(house: &tripsettle::run::pass::House<S>, report: &RunReport) -> String {
    let events = house.store.events(1).unwrap();
    let standing = tripsettle::run::standing_of(&events).unwrap();
    format!("{} {}", standing.status.as_str(), report.exit_code)
}

/// What the pass did about it.
fn pass(report: &RunReport, asked: usize) -> String {
    match (&report.why_not, report.tally.pauses, asked) {
        (Some(_), ..) => format!("stop {}", report.exit_code),
        (None, 1.., _) => "pause".to_owned(),
        (None, 0, 2..) => "again".to_owned(),
        (None, 0, _) => "goes on".to_owned(),
    }
}

#[test]
fn the_tables_are_whole() {
    let tables = Tables::read();
    let cells = tables.cells();
    assert!(cells.len() >= 4 * 100, "{} cells are too few", cells.len());
    let names: BTreeSet<_> = cells.iter().map(Cell::name).collect();
    assert_eq!(names.len(), cells.len(), "a fault stands there twice");
    assert_eq!(names, tables.product());
    assert_eq!(
        tables.unused(),
        Vec::<String>::new(),
        "consequences that nothing has"
    );
    for cell in &cells {
        assert!(!side_name(cell.side).is_empty());
    }
}

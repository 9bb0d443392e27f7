//! The world in which cells are played: one sandbox, strangers beside it, a retailer's folder for
//! each cell.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tripsettle::domain::Fact;
use tripsettle::run::report::RunReport;
use tripsettle::sandbox::{Fault, Sandbox, SandboxConfig, SandboxTrip};

use crate::how::{How, Strangers};
use crate::scene::{Detour, Place, STORE, door, journal, night};
use crate::tables::Cell;

/// So many cells are played side by side; most of their time is spent waiting.
const SIDE_BY_SIDE: usize = 64;
/// How long a call may take where nobody answers.
const SHORT: Duration = Duration::from_secs(4);
/// How long elsewhere: more, for a slow machine's sake.
pub const LONG: Duration = Duration::from_secs(60);
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

/// What was played, and what was otherwise than told.
pub struct Played {
    /// The names of the cells.
    pub hit: BTreeSet<String>,
    wrong: Vec<String>,
    /// Requests that came to the server to which redirects lead.
    lured: usize,
}

impl Played {
    /// Fails with everything that is not as the tables tell it.
    pub fn holds(&self) {
        assert_eq!(self.lured, 0, "a redirect was followed");
        let wrong = &self.wrong;
        assert!(
            wrong.is_empty(),
            "{} cells:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

/// Plays these cells, many of them side by side.
pub async fn play(cells: Vec<Cell>) -> Played {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxConfig::default());
    let world = Arc::new(World {
        sandbox: sandbox.await.unwrap(),
        strangers: Strangers::start(),
        seats: Semaphore::new(SIDE_BY_SIDE),
    });
    let mut playing = JoinSet::new();
    for (number, cell) in cells.into_iter().enumerate() {
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
    let lured = world.strangers.lure.asked().len();
    Played { hit, wrong, lured }
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

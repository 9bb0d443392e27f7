//! Simulated nights: what they are and how to run more of them stands in `README.md`.
//!
//! `SIMULATION_NIGHTS` says how many, `SIMULATION_SEED` where to begin; `SIMULATION_REPLAY` plays
//! one seed and prints its event log; `SIMULATION_OUTAGES` wants every night of changing clocks, or
//! the one that it names.
#![allow(clippy::unwrap_used)]

#[path = "simulation/mod.rs"]
mod simulation;

use simulation::chance::Chance;
use simulation::ledger::Wrong;
use simulation::log::Log;
use simulation::plan::{DAY, Down, HOUR, Outage, Plan};
use simulation::published::fingerprints;
use simulation::service::Counter;
use simulation::weather::all_to_be_met;
use simulation::world::{Command, Ended, Signs, World};
use simulation::{Report, Violation, nights_of, simulate, simulate_with, swarm, tell};

/// The program's own, which is also the faster one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

const COMMAND: &str = "cargo test --release --locked --test simulation";

fn told(violation: &Violation) -> String {
    let Violation {
        seed, night, what, ..
    } = violation;
    let replay = format!("SIMULATION_REPLAY={seed} {COMMAND} replay -- --nocapture");
    format!("seed {seed}, night {night}: {what}\nreplay: {replay}")
}

#[test]
fn no_night_breaks_a_promise() {
    let nights = variable("SIMULATION_NIGHTS").unwrap_or(40);
    let first = variable("SIMULATION_SEED").unwrap_or(1);
    let report = match swarm(first, nights) {
        Ok(report) => report,
        Err(violation) => panic!("{}", told(&violation)),
    };
    assert!(report.nights >= nights, "{report:?}");
    for (what, count) in &report.met {
        println!("{count:>9} {what}");
    }
    let met = report.met.len();
    let is_met = |wanted: &String| {
        report
            .met
            .keys()
            .any(|met| met.starts_with(wanted.as_str()))
    };
    let mut missing = all_to_be_met();
    missing.retain(|wanted| !is_met(wanted));
    for kind in ["capture", "bad_debt", "cancellation"] {
        let posted = report.met.contains_key(&format!("posted: {kind}"));
        assert!(posted, "no {kind} was ever posted");
    }
    // So few nights cannot meet everything.
    assert!(
        missing.is_empty() || nights < 5_000,
        "never met: {missing:?}"
    );
    println!(
        "{:?}",
        Report {
            met: Default::default(),
            ..report
        }
    );
    println!("{met} kinds of events were met");
}

#[test]
fn replay() {
    let Some(seed) = variable("SIMULATION_REPLAY") else {
        return;
    };
    let played = simulate_with(seed, nights_of(seed), true, &|_| {});
    match played {
        Ok(report) => println!("{report:?}"),
        Err(violation) => panic!("{}\n{}", violation.log, told(&violation)),
    }
}

#[test]
fn one_seed_twice_gives_the_same_bytes() {
    for seed in 1..=4 {
        let play = || {
            simulate(seed, nights_of(seed))
                .map_err(|found| told(&found))
                .unwrap()
        };
        assert_eq!(play(), play(), "seed {seed}");
    }
}

/// What a wrong service, or somebody who meddles with state and files, is seen by.
#[test]
fn what_is_wrong_is_seen() {
    /// What is wrong, who does it, and what one checker or another says of it.
    type Row = (&'static str, fn(&mut World), &'static str);
    let rows: [Row; 12] = [
        (
            "money taken twice",
            |w| wrong(w, Wrong::CapturesTwice),
            "captured twice",
        ),
        (
            "too much taken",
            |w| wrong(w, Wrong::CapturesMore),
            "captured more than the cart",
        ),
        (
            "a capture forgotten",
            |w| wrong(w, Wrong::Forgets),
            "the ledger says otherwise",
        ),
        (
            "a cancel instead",
            |w| wrong(w, Wrong::Cancels),
            "the ledger says otherwise",
        ),
        (
            "done, and denied",
            |w| counter(w, |c| c.lies = true),
            "a second capture",
        ),
        (
            "no witness of intents",
            |w| counter(w, |c| c.is_blind = true),
            "without intent",
        ),
        (
            "a doubt struck out",
            |w| nightly(w, strike_doubts),
            "a doubt appeared or vanished|a capture that the books do not know",
        ),
        (
            "a status made up",
            |w| nightly(w, make_up_status),
            "no status",
        ),
        (
            "a file rewritten",
            |w| nightly(w, rewrite),
            "was written again",
        ),
        ("a file removed", |w| nightly(w, remove), "is gone"),
        ("a card number kept", |w| nightly(w, keep_card), "stands in"),
        ("a trip not swept", put_off, "left behind"),
    ];
    for (what, meddle, seen) in rows {
        let mut found = (1..40).filter_map(|seed| {
            let played = simulate_with(seed, nights_of(seed), false, &meddle);
            played.err().map(|violation| violation.what)
        });
        let found = found.next().unwrap_or_default();
        println!("{what}: {found}");
        let is_seen = seen.split('|').any(|seen| found.contains(seen));
        assert!(is_seen, "{what}: {found}");
    }
}

fn counter(world: &mut World, change: impl Fn(&mut Counter)) {
    change(&mut world.service.counter.lock().unwrap());
}

fn wrong(world: &mut World, what: Wrong) {
    counter(world, |counter| counter.ledger.wrong = what);
}

fn nightly(world: &mut World, meddle: fn(&mut World)) {
    world.each_night = Some(Box::new(meddle));
}

fn sql(world: &mut World, text: &str) {
    let database = rusqlite::Connection::open(world.path("state/tripsettle.db")).unwrap();
    database.execute_batch(text).unwrap();
    world.look_again();
}

fn strike_doubts(world: &mut World) {
    sql(
        world,
        "UPDATE trip SET status = 'open', open = in_doubt, in_doubt = 0 WHERE in_doubt > 0",
    );
}

fn make_up_status(world: &mut World) {
    sql(world, "UPDATE trip SET status = 'failed'");
}

/// Puts off what cannot wait.
fn put_off(world: &mut World) {
    let lax = "[sweep]\ntolerate_outage_hours = 0\nmin_age_minutes = 2700\n";
    world.configure(|text| text.replace("[sweep]\n", lax));
}

fn published(world: &World) -> Option<std::path::PathBuf> {
    let files = fingerprints(&world.path("out"));
    files.keys().next().map(|path| world.path("out").join(path))
}

fn rewrite(world: &mut World) {
    if let Some(path) = published(world) {
        std::fs::write(path, "other bytes").unwrap();
    }
}

fn remove(world: &mut World) {
    if let Some(path) = published(world) {
        std::fs::remove_file(path).unwrap();
    }
}

fn keep_card(world: &mut World) {
    std::fs::write(world.path("out/.kept"), "x5454545454545454y").unwrap();
}

/// Whoever trusts a clock that is days ahead closes days that have not begun.
#[test]
fn no_day_is_closed_by_a_clock_that_is_ahead() {
    let mut chance = Chance::of(2);
    let plan = Plan::quiet(&mut chance, "Europe/Berlin", 1_780_000_000_000 / DAY * DAY);
    let mut world = World::of(2, plan, chance, Log::new(false));
    let run = |world: &mut World, days: i64| {
        let mut signs = Signs::good();
        signs.skew.ahead = days * DAY;
        match world.live(Command::Run { close: None }, &signs).unwrap() {
            Ended::Report(report) => report.exit_code,
            Ended::Crashed => unreachable!("nothing crashes it"),
        }
    };
    let (plan, service) = (world.plan.clone(), world.service.clone());
    let mut counter = service.counter.lock().unwrap();
    world.retailer.sell(&plan, &mut counter.ledger, plan.begins);
    drop(counter);
    for day in 2..10 {
        world.advance_to(plan.begins + day * DAY);
        run(&mut world, 0);
    }
    let closed = world.witness().last_closed();
    assert!(closed.is_some());
    // All is settled and nothing is due, so that nobody would be asked but for the clock.
    assert_eq!(run(&mut world, 10), 69);
    assert_eq!(world.witness().last_closed(), closed);
}

const CHANGING: [&str; 12] = [
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
];

/// Midnights, UTC, two days before the clocks of a zone change, from 2026 to 2036.
fn changes(zone: &str) -> Vec<i64> {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
    let from: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let until: jiff::Timestamp = "2037-01-01T00:00:00Z".parse().unwrap();
    let changes = zone.following(from).map(|change| change.timestamp());
    let changes = changes.take_while(|at| *at < until);
    let days = changes.map(|at| at.as_millisecond().div_euclid(DAY) - 2);
    days.map(|day| day * DAY).collect()
}

/// The service or the machine is down for 20 hours, and passes come hourly; or a nightly run is
/// missed, and made up 18 hours later: no token dies, on whichever night clocks change.
#[test]
fn no_token_dies_in_an_outage() {
    let wanted = std::env::var("SIMULATION_OUTAGES").ok();
    let (mut nights, mut outages, mut trips) = (0, 0, 0);
    for (zone, begins, kind, is_sampled) in outages_to_be_met() {
        let name = format!("{zone},{begins},{kind}");
        let is_named = wanted.as_deref() == Some(&name);
        if !is_named && !wanted.as_ref().map_or(is_sampled, |wanted| wanted == "1") {
            continue;
        }
        let seed = begins.unsigned_abs() + kind;
        let world = with_outage(seed, kind, zone, begins, Log::new(is_named));
        match tell(world, seed, 6) {
            Ok(report) => (nights, trips) = (nights + report.nights, trips + report.trips),
            Err(found) => {
                let Violation {
                    night, what, log, ..
                } = *found;
                let replay = format!("SIMULATION_OUTAGES={name} {COMMAND} no_token -- --nocapture");
                panic!("{log}{name}, night {night}: {what}\nreplay: {replay}")
            }
        }
        outages += 1;
    }
    assert!(trips > outages, "{trips} trips in {outages} outages");
    println!("{outages} outages, {nights} nights, {trips} trips, no token died");
}

/// The zone, the first midnight, the kind, and whether it is among those that are always played: of
/// each zone one change, with one kind.
fn outages_to_be_met() -> Vec<(&'static str, i64, u64, bool)> {
    let mut outages = Vec::new();
    for (place, zone) in CHANGING.into_iter().enumerate() {
        for (number, begins) in changes(zone).into_iter().enumerate() {
            for kind in 0..3 {
                let is_sampled = number == place && place as u64 % 3 == kind;
                outages.push((zone, begins, kind, is_sampled));
            }
        }
    }
    outages
}

fn with_outage(seed: u64, kind: u64, zone: &'static str, begins: i64, log: Log) -> World {
    let mut chance = Chance::of(seed);
    let plan = Plan::quiet(&mut chance, zone, begins);
    let from = begins + chance.between(24 * HOUR, 72 * HOUR);
    let outage = |what| {
        let to = from + 20 * HOUR;
        Some(Outage { from, to, what })
    };
    let plan = match kind {
        0 => Plan {
            settle_every: Some(1),
            outage: outage(Down::Service),
            ..plan
        },
        1 => Plan {
            settle_every: Some(1),
            outage: outage(Down::Host),
            ..plan
        },
        _ => Plan {
            missed_percent: 40,
            made_up_after: Some(18 * HOUR),
            // 24 + 18 hours are more than 30.
            swift_hours: 46,
            ..plan
        },
    };
    World::of(seed, plan, chance, log)
}

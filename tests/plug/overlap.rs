//! Many starts at once: one works, the others leave; and what needs no lock is safe beside it.

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tripsettle::sandbox::SandboxConfig;

use crate::night::stories::{Tale, as_csv, make_known, tales};
use crate::night::witness::{ledger, testifies};
use crate::night::{Night, stories};

use super::gate::Gate;
use super::many::{Draw, is_long};

const STARTS: usize = 8;
/// A start may wait for a processor on a busy machine, but not for the run that works; less long
/// where a defect is planted that keeps all of them there.
const PATIENCE: Duration = Duration::from_secs(if cfg!(feature = "planted") { 15 } else { 60 });

struct Machine {
    night: Night,
    gate: Gate,
    tales: Vec<Tale>,
}

impl Machine {
    fn new(trips: usize) -> Self {
        let mut night = Night::begin_with(SandboxConfig::default());
        let gate = Gate::before(night.sandbox.addr());
        night.set("TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT", &gate.url);
        // The call that waits at the gate is not to be given up.
        night.set("TRIPSETTLE_PAYMENT_SERVICE__TIMEOUT_SECONDS", "300");
        night.set("TRIPSETTLE_LOG", "off");
        let table = format!("plain {trips} captured captured captured");
        let tales = tales(&table, night.began);
        make_known(&night, &tales);
        Self { night, gate, tales }
    }

    fn drop_in(&self, name: &str, tales: &[Tale]) {
        // A name that is left alone until the file is whole.
        let part = self
            .night
            .write(&format!("inbox/{name}.part"), &as_csv(tales));
        std::fs::rename(&part, self.night.path(&format!("inbox/{name}"))).unwrap();
    }

    /// Closes the day in progress, so that everything is published.
    fn close(&self) {
        // The company's day ends 150 minutes before the night began.
        let today = self.night.began - TimeDelta::minutes(150);
        let today = today.format("%Y-%m-%d").to_string();
        self.night.expect(0, &["run", "--close", &today]);
        testifies(&self.night, &self.tales);
    }

    fn start(&self, args: &[&str]) -> Start {
        let mut command = self.night.command(args);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Start {
            child,
            at: Instant::now(),
            ended: None,
        }
    }
}

/// A command under way.
struct Start {
    child: Child,
    at: Instant,
    ended: Option<(Option<i32>, Duration)>,
}

impl Start {
    fn look(&mut self) -> Option<(Option<i32>, Duration)> {
        if self.ended.is_none() {
            let status = self.child.try_wait().unwrap();
            self.ended = status.map(|status| (status.code(), self.at.elapsed()));
        }
        self.ended
    }

    fn wait(mut self) -> Option<i32> {
        match self.look() {
            Some((code, _)) => code,
            None => self.child.wait().unwrap().code(),
        }
    }
}

/// Eight starts at once on one machine, the service holding its breath until seven have left.
/// Gives how long the slowest of the seven took.
fn round(machine: &Machine, number: usize) -> Duration {
    machine.gate.set_open(false);
    let mut draw = Draw(number as u64);
    let mut starts: Vec<Start> = (0..STARTS)
        .map(|_| {
            machine.start(if draw.below(2) == 0 {
                &["run"]
            } else {
                &["settle"]
            })
        })
        .collect();
    let begun = Instant::now();
    loop {
        let left = starts.iter_mut().filter_map(Start::look).count();
        if left >= STARTS - 1 {
            break;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "round {number}: only {left} have left"
        );
        sleep(Duration::from_millis(1));
    }
    let ended: Vec<_> = starts.iter_mut().filter_map(Start::look).collect();
    assert_eq!(
        ended.len(),
        STARTS - 1,
        "round {number}: nobody works: {ended:?}"
    );
    for (code, _) in &ended {
        assert_eq!(*code, Some(75), "round {number}: {ended:?}");
    }
    machine.gate.set_open(true);
    let winner = starts
        .into_iter()
        .find(|start| start.ended.is_none())
        .unwrap();
    assert_eq!(winner.wait(), Some(0), "round {number}: the winner");
    ended.into_iter().map(|(_, took)| took).max().unwrap()
}

/// Rounds on one machine; new trips wait in each.
fn rounds(count: usize) -> Duration {
    let machine = Machine::new(2 * count);
    let mut slowest = Duration::ZERO;
    for (number, tales) in machine.tales.chunks(2).enumerate() {
        machine.drop_in(&format!("{number:04}.csv"), tales);
        slowest = slowest.max(round(&machine, number));
        let captured = ledger(&machine.night)
            .values()
            .filter(|row| !row.captures.is_empty())
            .count();
        assert_eq!(captured, 2 * (number + 1), "round {number}");
    }
    machine.close();
    slowest
}

#[test]
#[cfg_attr(feature = "planted", ignore = "tests/planted.rs plays it")]
fn of_eight_starts_at_once_one_works_and_the_others_leave() {
    let (machines, count) = if is_long() { (20, 50) } else { (1, 20) };
    let slowest = (0..machines).map(|_| rounds(count)).max().unwrap();
    println!(
        "{} rounds of {STARTS} starts: one worked in each; the slowest of the others left \
         after {} ms",
        machines * count,
        slowest.as_millis()
    );
}

#[test]
#[cfg_attr(feature = "planted", ignore = "no bug is planted for it")]
fn backfill_rule_and_import_are_safe_beside_a_run() {
    let rounds = if is_long() { 100 } else { 5 };
    for number in 0..rounds {
        beside_a_run(number);
    }
    println!("{rounds} nights with backfill, rule and import beside the run");
}

fn beside_a_run(number: u64) {
    let mut draw = Draw(number);
    let mut machine = Machine::new(12);
    let doubtful = stories::tales(
        "capture_reset_after 2 in_doubt in_doubt in_doubt",
        machine.night.began,
    );
    make_known(&machine.night, &doubtful);
    machine.gate.set_open(true);
    machine.drop_in("doubts.csv", &doubtful);
    machine.night.expect(11, &["run"]);

    // A run that is held at the gate, and everything that a person may do meanwhile.
    machine.gate.set_open(false);
    let (first, later) = machine.tales.split_at(8);
    machine.drop_in("first.csv", first);
    let run = machine.start(&["run"]);
    let begun = Instant::now();
    while !machine.night.path("inbox/taken/first.csv").exists() {
        assert!(begun.elapsed() < PATIENCE, "the run took nothing");
        sleep(Duration::from_millis(1));
    }
    let today = machine.night.began.format("%Y-%m-%d").to_string();
    machine
        .night
        .expect(75, &["backfill", "--from", &today, "--to", &today]);
    let later_file = machine.night.write("later.csv", &as_csv(later));
    let by = ["--by", "Nadia", "--note", "seen in the processor's portal"];
    let ruling = |tale: &Tale| {
        let trip = format!("{}/{}", tale.store, tale.id);
        let said = [&["rule", &trip, "captured"][..], &by].concat();
        machine.start(&said)
    };
    let mut beside = vec![machine.start(&["import", later_file.to_str().unwrap()])];
    beside.extend(doubtful.iter().map(ruling));
    sleep(Duration::from_millis(draw.below(40)));
    machine.gate.set_open(true);
    for start in beside {
        assert_eq!(start.wait(), Some(0), "night {number}");
    }
    // What came too late for it is at risk, or in doubt, until the next one.
    let code = run.wait();
    assert!(
        matches!(code, Some(0 | 11 | 12)),
        "night {number}: {code:?}"
    );
    machine.tales.extend(doubtful);
    machine.close();
    let charged = ledger(&machine.night)
        .values()
        .filter(|row| row.captures.len() == 1)
        .count();
    assert_eq!(charged, 14);
}

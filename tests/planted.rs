//! Planted bugs: every deliberate defect of `src/planted.rs` is seen by one of the proofs, in the
//! words that stand beside it here; without any of them the same proofs see nothing.
//!
//! A proof is a test of this file, or of one whose proofs are built in here. The table starts it
//! as a process of its own, which has the defect's name in its environment.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

#[path = "faults/bomb.rs"]
mod bomb;
#[path = "faults/how.rs"]
mod how;
mod night;
#[path = "faults/scene.rs"]
mod scene;
mod service;
#[path = "simulation/mod.rs"]
mod simulation;
#[path = "faults/tables.rs"]
mod tables;
#[path = "faults/world.rs"]
mod world;
mod plug {
    pub mod boundary;
    pub mod crash;
    pub mod evening;
    pub mod gate;
    pub mod many;
    pub mod overlap;
    pub mod power;
    pub mod recording;
    pub mod told;
    pub mod tracer;
}

use std::collections::VecDeque;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use simulation::{nights_of, simulate};
use tripsettle::planted::Bug;

/// Simulated nights are played from seed 1 to this one (or as many as `PLANTED_SEEDS` says), or to
/// the first violation.
const SEEDS: u64 = 60;

/// How the proofs begin to tell how much they played.
const PLAYED: [&str; 4] = ["seeds played", "cells played", "crash states", "rounds of"];

/// What is to see a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Simulated nights.
    Nights,
    /// The cells of redirects, pages and 429 in the catalogue of faults, over real sockets.
    Cells,
    /// Eight starts of the real program at once.
    Starts,
    /// Power cuts, from the record of an evening of the real program.
    Cuts,
}

/// The longest first.
const PROOFS: [Proof; 4] = [Proof::Nights, Proof::Cells, Proof::Starts, Proof::Cuts];

impl Proof {
    fn test(self) -> &'static str {
        match self {
            Self::Nights => "nights",
            Self::Cells => "cells",
            Self::Starts => "plug::overlap::of_eight_starts_at_once_one_works_and_the_others_leave",
            Self::Cuts => "plug::power::what_is_not_forced_to_disk_is_gone_and_nothing_else",
        }
    }
}

/// Which proof sees it, and by which words; several where the first victim may be one or another.
fn seen(bug: Bug) -> (Proof, &'static [&'static str]) {
    use Proof::{Cells, Cuts, Nights, Starts};
    match bug {
        // Here the law refuses, and the run says so aloud.
        Bug::CancelInDoubt => (Nights, &["a cancel after a capture was intended"]),
        Bug::CardNumberKept => (Nights, &["5454545454545454 stands in"]),
        Bug::DataIsProof => (Nights, &["which proves nothing"]),
        // And here.
        Bug::DoubtWrittenOff => (Nights, &["nothing is open that could be lost"]),
        Bug::EditionOverwritten => (Nights, &["was written again", "is gone"]),
        Bug::FloatAmount => (Nights, &["a cart total that no file gave"]),
        Bug::InboxMovedFirst => (Nights, &["lay in the inbox and was not taken"]),
        Bug::IntentAfterSend => (Nights, &["without intent"]),
        Bug::LocalTimeDeadline => (Nights, &["its times are wrong"]),
        Bug::LockReleasedEarly => (Starts, &["nobody works", "have left"]),
        Bug::PageIsAYes => (Cells, &["page 200 | "]),
        Bug::RedirectFollowed => (Cells, &["a redirect was followed"]),
        Bug::RetryAfterIgnored => (Cells, &["later 7200"]),
        Bug::SecondCaptureAfterTimeout => (Nights, &["a second capture of"]),
        Bug::ServerErrorIsANo => (Nights, &["a capture that the books do not know"]),
        Bug::SyncNormal => (Cuts, &["; gone: "]),
        Bug::ThrottleIsAnAttempt => (Cells, &["expected throttled initiated"]),
        Bug::WrittenInPlace => (Nights, &["stands there, but was never closed"]),
    }
}

/// How a proof ended.
struct Ended {
    holds: bool,
    told: String,
    took: Duration,
}

fn play(proof: Proof, bug: Option<Bug>) -> Ended {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", proof.test(), "--include-ignored", "--nocapture"]);
    child.env_remove("TRIPSETTLE_PLANTED");
    child.envs(bug.map(|bug| ("TRIPSETTLE_PLANTED", bug.name())));
    let began = Instant::now();
    let output = child.output().unwrap();
    let took = began.elapsed();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(told.contains("running 1 test"), "{proof:?}: {told}");
    let holds = output.status.success();
    Ended { holds, told, took }
}

/// The line in which one of the words stands.
fn line<'a>(told: &'a str, words: &[&str]) -> Option<&'a str> {
    let mut lines = told.lines();
    let found = lines.find(|line| words.iter().any(|words| line.contains(words)));
    found.map(str::trim)
}

/// Plays one row and tells it; gives what is wrong with it.
fn row(proof: Proof, bug: Option<Bug>) -> Option<String> {
    let Ended { holds, told, took } = play(proof, bug);
    let name = bug.map_or("(nothing planted)", Bug::name);
    let (seconds, played) = (took.as_secs(), line(&told, &PLAYED).unwrap_or(""));
    let found = bug.map(|bug| line(&told, seen(bug).1));
    let shown = found.flatten().unwrap_or("nothing is seen");
    let shown: String = shown.chars().take(160).collect();
    println!("{name:28} {proof:?} {seconds} s; {played}\n    {shown}");
    let is_right = match found {
        None => holds,
        Some(found) => !holds && found.is_some(),
    };
    (!is_right).then(|| format!("{name}, {proof:?}:\n{told}"))
}

#[test]
fn every_planted_bug_is_seen_and_without_one_nothing_is() {
    let controls = PROOFS.map(|proof| (proof, None));
    let bugs = Bug::ALL.iter().map(|bug| (seen(*bug).0, Some(*bug)));
    let rows: VecDeque<_> = controls.into_iter().chain(bugs).collect();
    let (rows, wrong) = (Mutex::new(rows), Mutex::new(Vec::new()));
    let work = || {
        while let Some((proof, bug)) = { rows.lock().unwrap().pop_front() } {
            wrong.lock().unwrap().extend(row(proof, bug));
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // One more, as the cells mostly wait.
        (0..=cores).for_each(|_| drop(scope.spawn(work)));
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_readme_tells_of_each() {
    let readme = include_str!("README.md");
    for bug in Bug::ALL {
        let row = format!("| `{}` |", bug.name());
        let row = readme.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("no row of {}", bug.name()));
        let told = seen(*bug).1.iter().all(|words| row.contains(words));
        assert!(told, "{:?} is not told in {row}", seen(*bug).1);
    }
}

#[test]
#[ignore = "a proof that the table plays"]
fn nights() {
    let more = std::env::var("PLANTED_SEEDS").ok();
    let seeds = more.map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let mut nights = 0;
    for seed in 1..=seeds {
        match simulate(seed, nights_of(seed)) {
            Ok(report) => nights += report.nights,
            Err(found) => {
                nights += found.night;
                println!("seeds played: {seed}, nights: {nights}");
                panic!("seed {seed}, night {}: {}", found.night, found.what);
            }
        }
    }
    println!("seeds played: {seeds}, nights: {nights}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a proof that the table plays"]
async fn cells() {
    let mut cells = tables::Tables::read().cells();
    let is_played = |name: &str| {
        ["redirect ", "later", "page 200"]
            .iter()
            .any(|of| name.starts_with(of))
    };
    cells.retain(|cell| is_played(&cell.fault));
    println!("cells played: {}", cells.len());
    world::play(cells).await.holds();
}

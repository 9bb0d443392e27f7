//! Nights: several with everything that can go wrong, then some in which nothing does.

use std::collections::BTreeMap;

use super::checks::{self, Memory};
use tripsettle::domain::BooksDate;

use super::clock::Skew;
use super::debts;
use super::log::Log;
use super::plan::{DAY, Down, HOUR, MINUTE};
use super::postings;
use super::published::{Shelf, fingerprints};
use super::world::{Command, Ended, Signs, World};

/// A promise that was broken, and how to see it again.
#[derive(Debug)]
pub struct Violation {
    pub seed: u64,
    pub night: u64,
    pub what: String,
    /// The event log, if it was kept.
    pub log: String,
}

/// What a seed was made of.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Seeds that were summed up.
    pub seeds: u64,
    /// Nights: each is a day with at least one `run` that began.
    pub nights: u64,
    /// Nights whose run met a fault, a wrong clock or a crash.
    pub rough: u64,
    /// Processes: passes, backfills, reruns, and those that died.
    pub lives: u64,
    pub crashes: u64,
    pub calls: u64,
    pub moves: u64,
    pub trips: u64,
    pub captures: u64,
    pub doubts: u64,
    /// Finished nights that were run once more.
    pub reruns: u64,
    /// What was met, by name.
    pub met: BTreeMap<String, u64>,
    /// SHA-256 of the event log and of all published files.
    pub digest: String,
}

/// Plays one seed: `nights` nights with faults, then as many without as are needed to finish.
pub fn simulate(seed: u64, nights: u64) -> Result<Report, Box<Violation>> {
    simulate_with(seed, nights, false, &|_| {})
}

/// The same; keeps the event log if wanted, and lets `meddle` change the world at its beginning.
pub fn simulate_with(
    seed: u64,
    nights: u64,
    is_kept: bool,
    meddle: &dyn Fn(&mut World),
) -> Result<Report, Box<Violation>> {
    let mut world = World::new(seed, Log::new(is_kept));
    meddle(&mut world);
    tell(world, seed, nights)
}

/// Plays a world to its end.
pub fn tell(world: World, seed: u64, nights: u64) -> Result<Report, Box<Violation>> {
    let mut story = Story {
        memory: Memory::default(),
        shelf: Shelf::default(),
        report: Report::default(),
        last_run: world.plan.begins,
        world,
    };
    match story.play(nights) {
        Ok(()) => Ok(story.report()),
        Err(what) => Err(Box::new(Violation {
            seed,
            night: story.report.nights,
            what,
            log: story.world.log.text(),
        })),
    }
}

struct Story {
    world: World,
    memory: Memory,
    shelf: Shelf,
    report: Report,
    last_run: i64,
}

/// Nights without faults: a token's life, the day after it, and some to spare.
const QUIET_NIGHTS: u64 = 7;

impl Story {
    fn play(&mut self, nights: u64) -> Result<(), String> {
        for night in 0..nights {
            self.sell(night);
            self.day()?;
            self.night()?;
        }
        self.calm_down();
        for night in 0..QUIET_NIGHTS {
            self.quiet_night(night)?;
            let waits = !self.world.retailer.queue.is_empty();
            if night > 0 && !waits && checks::all_is_finished(&self.world).is_ok() {
                break;
            }
        }
        checks::all_is_finished(&self.world)?;
        checks::no_canary(&self.world)
    }

    fn sell(&mut self, night: u64) {
        let day = self.world.plan.begins + i64::try_from(night).unwrap() * DAY;
        let (plan, service) = (self.world.plan.clone(), self.world.service.clone());
        let mut counter = service.counter.lock().unwrap();
        self.world.retailer.sell(&plan, &mut counter.ledger, day);
    }

    /// What happens between the last run and the next: settle passes, rulings, reports.
    fn day(&mut self) -> Result<(), String> {
        let next = self.world.plan.next_run(self.last_run);
        if let Some(hours) = self.world.plan.settle_every {
            let mut at = self.last_run + hours * HOUR;
            while at < next - 10 * MINUTE {
                self.world.advance_to(at);
                if !self.world.plan.is_down(Down::Host, at) {
                    let signs = self.world.draw_signs();
                    self.live(Command::Settle, &signs)?;
                }
                at += hours * HOUR;
            }
        }
        let before = self.world.chance.between(0, 3 * HOUR);
        self.world.advance_to(next - before);
        self.world.report(false);
        self.backfill()?;
        let percent = self.world.plan.ruling_percent;
        self.world.rule(percent);
        if self.world.debts.percent(self.world.debt_percent) {
            debts::settle(&mut self.world);
        }
        checks::always(&self.world, &mut self.memory)?;
        self.world.advance_to(next);
        self.last_run = next;
        Ok(())
    }

    /// Now and then somebody wants closed days looked at again.
    fn backfill(&mut self) -> Result<(), String> {
        let closed = self.world.witness().last_closed();
        let wanted = self.world.chance.percent(self.world.plan.backfill_percent);
        let Some(to) = closed.filter(|_| wanted) else {
            return Ok(());
        };
        let to = BooksDate::parse(&to).unwrap();
        let mut from = to;
        for _ in 0..self.world.chance.below(3) {
            from = from.previous();
        }
        let signs = self.world.draw_signs();
        self.live(Command::Backfill { from, to }, &signs)?;
        let moves = self.world.service.counter.lock().unwrap().moves;
        match moves {
            0 => Ok(()),
            moves => Err(format!("a backfill sent {moves} calls that move money")),
        }
    }

    /// The planned run, unless the machine is down; begun again after each crash, a few times.
    fn night(&mut self) -> Result<(), String> {
        let missed = self.world.chance.percent(self.world.plan.missed_percent);
        if missed || self.world.plan.is_down(Down::Host, self.world.time.now()) {
            self.world.say("the machine is down");
            let Some(after) = self.world.plan.made_up_after else {
                return Ok(());
            };
            self.world.advance_to(self.last_run + after);
        }
        self.report.nights += 1;
        let (mut finished, mut rough) = (false, false);
        for _ in 0..=self.world.chance.below(4) {
            let signs = self.world.draw_signs();
            let early = signs.skew == Skew::default() && self.world.chance.percent(3);
            let close = early.then(|| self.world.in_progress());
            rough |= !signs.is_good();
            match self.live(Command::Run { close }, &signs)? {
                Ended::Report(report) => {
                    finished = report.finished;
                    break;
                }
                Ended::Crashed => {
                    let later = self.world.time.now() + self.world.chance.between(1, 20 * MINUTE);
                    self.world.advance_to(later);
                }
            }
        }
        self.report.rough += u64::from(rough);
        if finished {
            self.finished()?;
        }
        if let Some(meddle) = self.world.each_night.take() {
            meddle(&mut self.world);
            self.world.each_night = Some(meddle);
        }
        Ok(())
    }

    fn live(&mut self, command: Command, signs: &Signs) -> Result<Ended, String> {
        let began = self.world.time.now();
        let ended = self.world.live(command, signs)?;
        {
            let counter = self.world.service.counter.lock().unwrap();
            self.report.calls += counter.calls;
            self.report.moves += counter.moves;
        }
        self.report.lives += 1;
        checks::always(&self.world, &mut self.memory)?;
        if command != Command::Settle {
            checks::unchanged(&self.world, &mut self.memory)?;
        }
        match &ended {
            Ended::Crashed => self.report.crashes += 1,
            Ended::Report(report) => {
                if [1, 2, 65, 70, 74, 75].contains(&report.exit_code) {
                    return Err(format!("exit {}: {:?}", report.exit_code, report.why_not));
                }
                let is_good = signs.is_good();
                let pauses = report
                    .why_not
                    .as_ref()
                    .is_some_and(|why| why.contains("a pause"));
                if is_good && !report.finished && !pauses {
                    return Err(format!("stopped for nothing: {:?}", report.why_not));
                }
                if is_good
                    && report.finished
                    && command != Command::Settle
                    && !matches!(command, Command::Backfill { .. })
                {
                    self.memory.good_runs.push(began);
                    checks::nothing_left_behind(&self.world, began)?;
                }
            }
        }
        Ok(ended)
    }

    /// After a finished night: its files agree, and run once more it does nothing.
    fn finished(&mut self) -> Result<(), String> {
        let out = self.world.path("out");
        let all = self.shelf.editions(&out, &self.memory.files);
        checks::files_agree(&self.world, &self.memory, &all)?;
        for kind in postings::agree(&self.world, &all)? {
            *self.report.met.entry(kind).or_insert(0) += 1;
        }
        if checks::has_more_to_do(&self.world) {
            return Ok(());
        }
        self.world.time.advance_to(self.world.time.now() + MINUTE);
        let closed = self.world.witness().last_closed();
        // The look at what is published that every run ends with: nobody was there since.
        let before = self.memory.files.clone();
        self.live(Command::Run { close: None }, &Signs::good())?;
        self.report.reruns += 1;
        let moves = self.world.service.counter.lock().unwrap().moves;
        if moves > 0 {
            return Err(format!("a finished night, run again, sends {moves} calls"));
        }
        if self.world.witness().last_closed() == closed && before != self.memory.files {
            return Err("a finished night, run again, writes files again".to_owned());
        }
        Ok(())
    }

    /// From here on nothing goes wrong any more; PENDING comes to its end.
    fn calm_down(&mut self) {
        self.world.say("from here on nothing goes wrong");
        let plan = &mut self.world.plan;
        (plan.crash_percent, plan.missed_percent, plan.skew_percent) = (0, 0, 0);
        plan.settle_every = None;
    }

    fn quiet_night(&mut self, night: u64) -> Result<(), String> {
        let next = self.world.plan.next_run(self.last_run);
        self.world.advance_to(next - HOUR);
        if night > 0 {
            self.world.rule_all();
        }
        self.world.report(true);
        self.world.deliver_again();
        self.world.advance_to(next);
        self.last_run = next;
        self.report.nights += 1;
        match self.live(Command::Run { close: None }, &Signs::good())? {
            Ended::Report(report) if report.finished => self.finished(),
            Ended::Report(_) => Ok(()),
            Ended::Crashed => Err("a crash that nobody drew".to_owned()),
        }
    }

    fn report(&self) -> Report {
        let mut report = self.report.clone();
        let counter = self.world.service.counter.lock().unwrap();
        report.trips = self.world.retailer.sales.len() as u64;
        for account in counter.ledger.accounts.values() {
            report.captures += account.captures.len() as u64;
        }
        report.doubts = self.memory.doubts.len() as u64;
        for (what, count) in &counter.met {
            *report.met.entry(what.clone()).or_insert(0) += count;
        }
        let files: BTreeMap<_, _> = fingerprints(&self.world.path("out"));
        report.digest = format!("{} {}", self.world.log.digest(), digest(&files));
        report
    }
}

fn digest<K: std::fmt::Debug>(files: &BTreeMap<K, Vec<u8>>) -> String {
    let log = Log::new(false);
    for (path, hash) in files {
        log.say(0, &format!("{path:?} {hash:?}"));
    }
    log.digest()
}

//! A simulated year of nights: the real engine on a real database, every outcome, debts recovered,
//! given up, corrected in any order and contradicted by reports, backfills, a company that moves to
//! another zone in the middle of it, and books whose rules change twice. Every day closes, and
//! chains to the one before; the ledger is what the journal alone says, and so are the postings;
//! each entry stands in exactly one day.
//!
//! Unoptimised it is a season; `YEAR_NIGHTS` says how many nights, `YEAR_SEED` where to begin.
#![allow(clippy::unwrap_used)]

#[path = "simulation/mod.rs"]
mod simulation;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use simulation::chance::Chance;
use simulation::checks::{self, Memory};
use simulation::debts::{self, chains, owed, sums};
use simulation::log::Log;
use simulation::plan::{DAY, HOUR, Plan};
use simulation::postings;
use simulation::published::{Edition, Row, editions, fingerprints, name};
use simulation::weather::{Shape, Weather};
use simulation::world::{Command, Ended, Signs, World};
use tripsettle::domain::BooksDate;
use tripsettle::run::verify::verify;
use tripsettle::store::Store;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn nights() -> u64 {
    let all = if cfg!(debug_assertions) { 45 } else { 366 };
    variable("YEAR_NIGHTS").unwrap_or(all)
}

/// By what a loss is posted, a third of the year each.
const RULES: [(&str, bool); 3] = [("direct", false), ("allowance", true), ("direct", true)];

fn rules(number: u64) -> String {
    let (method, tax_relief) = RULES[usize::try_from(number % 3).unwrap()];
    format!("method = \"{method}\"\ntax_relief = {tax_relief}\n")
}

/// A year that begins in winter, with two clock changes and a move from New York to Berlin.
fn world(seed: u64) -> World {
    let mut chance = Chance::of(seed);
    let begins = NaiveDate::from_ymd_opt(2027, 2, 20).unwrap();
    let at = begins.and_hms_opt(0, 0, 0).unwrap().and_utc();
    let plan = Plan {
        begins: at.timestamp_millis(),
        zone: "America/New_York",
        cutoff: "04:00",
        run_at: 10 * 60,
        trips_a_day: 3,
        on_decline: "capture_authorized",
        store_declines: ["write_off", "search"],
        crash_percent: 0,
        missed_percent: 4,
        skew_percent: 0,
        odd_percent: 70,
        settle_every: None,
        requests_per_second: 50,
        burst: 10,
        max_in_flight: 4,
        batch_size: 500,
        ruling_percent: 70,
        backfill_percent: 10,
        is_timely: false,
        outage: None,
        made_up_after: None,
        nothing_dies: false,
        ..Plan::draw(&mut chance)
    };
    let mut world = World::of(seed, plan, chance, Log::new(false));
    let moves = begins + Days::new(nights() / 2);
    let company = format!("[calendar]\ncalendar_changes = [\"{moves} Europe/Berlin 02:30\"]\n");
    let store = format!("[store.KWT]\ncalendar_changes = [\"{moves} Asia/Dubai 03:00\"]\n");
    let small = "[debt]\nwrite_off_up_to = [\"5.00 USD\", \"300 JPY\"]\nwrite_off_after_days = 9\n";
    world.configure(|text| {
        let text = text.replace("[calendar]\n", &company);
        let text = text.replace("[store.KWT]\n", &store);
        let books = format!("[books]\npost_sales = {}\n{}", seed % 2 == 1, rules(seed));
        format!("{text}{small}{books}")
    });
    world
}

/// The year so far.
struct Year {
    world: World,
    memory: Memory,
    last_run: i64,
    /// The newest closed day that was looked at, and the open debts at its end.
    looked_at: String,
    closing: BTreeMap<(String, String), i64>,
    /// Ledger entries by trip and step, with the day in which they stand.
    entries: BTreeMap<(String, String), String>,
    ids: BTreeSet<String>,
    met: BTreeMap<String, u64>,
    days: Vec<String>,
}

impl Year {
    fn night(&mut self, night: u64) {
        let world = &mut self.world;
        let day = world.plan.begins + i64::try_from(night).unwrap() * DAY;
        let (plan, service) = (world.plan.clone(), world.service.clone());
        let ledger = &mut service.counter.lock().unwrap().ledger;
        world.retailer.sell(&plan, ledger, day);
    }

    /// From the second and the last third of the year on, losses are posted otherwise.
    fn rules_change(&mut self, seed: u64, night: u64) {
        let third = (nights() / 3).max(1);
        if night > 0 && night.is_multiple_of(third) {
            let before = rules(seed + night / third - 1);
            let after = rules(seed + night / third);
            self.world.configure(|text| text.replace(&before, &after));
        }
    }

    fn run(&mut self, all: bool) {
        let next = self.world.plan.next_run(self.last_run);
        self.world.advance_to(next - HOUR);
        self.world.report(all);
        let percent = if all {
            100
        } else {
            self.world.plan.ruling_percent
        };
        self.world.rule(percent);
        self.world.advance_to(next);
        self.last_run = next;
        if !all && self.world.chance.percent(self.world.plan.missed_percent) {
            return;
        }
        // On some nights the service is not itself; what is left is done on the next one.
        let rough = !all && self.world.chance.percent(25);
        let signs = Signs {
            weather: match rough {
                true => Weather {
                    percent: [4, 12, 4, 4],
                    shapes: vec![Shape::Status(503), Shape::NotSent],
                    ..Weather::calm()
                },
                false => Signs::good().weather,
            },
            ..Signs::good()
        };
        self.live(Command::Run { close: None }, &signs);
        self.look();
        if let Some(to) = self.days.last().filter(|_| self.world.chance.percent(8)) {
            let to = BooksDate::parse(to).unwrap();
            let from = BooksDate::of(to.date() - Days::new(3));
            self.live(Command::Backfill { from, to }, &Signs::good());
        }
    }

    fn live(&mut self, command: Command, signs: &Signs) {
        match self.world.live(command, signs).unwrap() {
            Ended::Report(report) => {
                let code = report.exit_code;
                let stopped = !signs.is_good() && [69, 77, 78].contains(&code);
                let ended = [0, 10, 11, 12].contains(&code) && report.finished;
                assert!(ended || stopped, "{code}: {:?}", report.why_not);
            }
            Ended::Crashed => panic!("a crash that nobody drew"),
        }
        checks::always(&self.world, &mut self.memory).unwrap();
    }

    /// Looks at the days that were closed since.
    fn look(&mut self) {
        let out = self.world.path("out");
        let (new, events) = (
            editions(&out, &self.looked_at),
            self.world.witness().debt_events(),
        );
        for day in new.iter().filter(|day| day.number == 1) {
            let date = BooksDate::parse(&day.date).unwrap();
            if let Some(before) = self.days.last() {
                assert_eq!(date.previous().to_string(), *before, "a gap before {date}");
            }
            let owed = sums(&owed(&events, &day.date));
            self.closing = chains(&self.closing, day, &owed).unwrap();
            aged(day, &owed);
            for entry in &day.debts {
                self.enter(&day.date, entry);
            }
            for row in &day.rows {
                *self.met.entry(row["outcome"].clone()).or_default() += 1;
            }
            self.days.push(day.date.clone());
        }
        self.looked_at = self.days.last().cloned().unwrap_or_default();
    }

    fn enter(&mut self, date: &str, entry: &Row) {
        let place = (name(entry), entry["step"].clone());
        let before = self.entries.insert(place, date.to_owned());
        assert_eq!(before, None, "in two days: {entry:?}");
        assert!(self.ids.insert(entry["entry_id"].clone()), "{entry:?}");
        let back = if entry["amount"].starts_with('-') {
            " taken back"
        } else {
            ""
        };
        let by = if entry["by"] == "tripsettle" {
            " by itself"
        } else {
            ""
        };
        let met = format!("{}{back}{by}", entry["kind"]);
        *self.met.entry(met).or_default() += 1;
    }

    /// The year is over: everything is held against everything.
    fn ends(&mut self) {
        checks::all_is_finished(&self.world).unwrap();
        let all = editions(&self.world.path("out"), "");
        let all: Vec<_> = all.iter().collect();
        checks::files_agree(&self.world, &self.memory, &all).unwrap();
        for kind in postings::agree(&self.world, &all).unwrap() {
            *self.met.entry(kind).or_default() += 1;
        }
        // Every event of the journal that does something to a debt is one entry.
        let events = self.world.witness().debt_events();
        let does = |(_, _, event): &&(String, String, simulation::witness::Entry)| {
            event.kind != "lost" || event.detail["amount"]["minor"] != 0
        };
        let last = self.days.last().unwrap();
        let told: BTreeMap<(String, String), String> = events
            .iter()
            .filter(does)
            .filter(|(_, _, event)| event.books_date <= *last)
            .map(|(name, _, event)| {
                (
                    (name.clone(), event.step.to_string()),
                    event.books_date.clone(),
                )
            })
            .collect();
        assert_eq!(told, self.entries);
        // A later edition has the same ledger, to the byte.
        let files = fingerprints(&self.world.path("out"));
        for (path, bytes) in &files {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            if file.starts_with("bad_debt") {
                let first = path.parent().unwrap().with_file_name("e1").join(&file);
                assert_eq!(files[&first], *bytes, "{}", path.display());
            }
        }
        let config = self.world.config();
        let store = Store::open_to_read(&config.state_dir).unwrap();
        let verified = verify(&config, &store, &[]).unwrap();
        assert!(verified.clean, "{:#?}", verified.faults);
        let editions = verified.files;
        println!(
            "{} days, {editions} files, entries {:?}",
            self.days.len(),
            self.met
        );
    }
}

/// The ages of the day's debts add up to the debts.
fn aged(day: &Edition, owed: &BTreeMap<(String, String), i64>) {
    let mut ages: BTreeMap<(String, String), i64> = BTreeMap::new();
    for age in day.summary["bad_debt_ageing"].as_array().unwrap() {
        let word = |column: &str| age[column].as_str().unwrap().to_owned();
        let (key, amount) = ((word("store_id"), word("currency")), word("amount"));
        let amount: i64 = amount.replace('.', "").parse().unwrap();
        *ages.entry(key).or_default() += amount;
    }
    ages.retain(|_, sum| *sum != 0);
    assert_eq!(ages, *owed, "{}", day.date);
}

#[test]
fn every_day_of_a_year_closes_and_chains() {
    let seed = variable("YEAR_SEED").unwrap_or(1);
    let world = world(seed);
    let mut year = Year {
        last_run: world.plan.begins,
        world,
        memory: Memory::default(),
        looked_at: String::new(),
        closing: BTreeMap::new(),
        entries: BTreeMap::new(),
        ids: BTreeSet::new(),
        met: BTreeMap::new(),
        days: Vec::new(),
    };
    for night in 0..nights() {
        year.night(night);
        year.rules_change(seed, night);
        year.run(false);
        debts::settle(&mut year.world);
    }
    for _ in 0..7 {
        year.world.deliver_again();
        year.run(true);
    }
    year.ends();
    let wanted = [
        "new",
        "recovery",
        "recovery taken back",
        "write_off",
        "reversal",
    ];
    let taken_back = [
        "write_off taken back",
        "write_off by itself",
        "posted: taken_back",
        "posted: cancellation",
    ];
    let outcomes = [
        "captured",
        "captured_partial",
        "cancelled",
        "written_off",
        "expired",
        "refused",
        "in_doubt",
        "open",
    ];
    for kind in wanted.iter().chain(&taken_back).chain(&outcomes) {
        assert!(year.met.contains_key(*kind), "no {kind}: {:?}", year.met);
    }
}

//! The world of one seed: the retailer, the payment service, a disk; processes come and go.

use std::cell::{OnceCell, RefCell};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tripsettle::config::Config;
use tripsettle::domain::{BooksDate, Ruling, RunId, Timestamp, Verdict};
use tripsettle::run::debt::{DebtWish, settle_debt};
use tripsettle::run::pass::{House, Quiet};
use tripsettle::run::report::RunReport;
use tripsettle::run::rule::rule;
use tripsettle::run::stop::{Halt, Why};
use tripsettle::run::{self, RunError, Schedule};
use tripsettle::store::{Found, Lock, Store, Witness as Told};

use super::chance::Chance;
use super::clock::{Skew, Time, Wall};
use super::crash::{Crash, Fuse};
use super::log::Log;
use super::plan::{DAY, Down, HOUR, MINUTE, Plan};
use super::retailer::{Delivery, Elsewhere, Retailer};
use super::service::{Counter, Service};
use super::weather::{Shape, Weather};
use super::witness::{Mirror, Witness};

/// No life of a process lasts longer than this.
const LONGEST_LIFE: Duration = Duration::from_secs(20 * 3_600);

/// What a process is started to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Run { close: Option<BooksDate> },
    Settle,
    Backfill { from: BooksDate, to: BooksDate },
}

/// How one life of a process ended.
#[derive(Debug)]
pub enum Ended {
    Report(Box<RunReport>),
    Crashed,
}

/// Under which signs a process lives.
#[derive(Debug, Clone)]
pub struct Signs {
    pub weather: Weather,
    pub skew: Skew,
    pub dies_at: Option<u64>,
    /// SIGTERM after so many milliseconds.
    pub stopped_after: Option<i64>,
}

impl Signs {
    pub fn good() -> Self {
        Self {
            weather: Weather::calm(),
            skew: Skew::default(),
            dies_at: None,
            stopped_after: None,
        }
    }

    /// True when nothing disturbs the life, unless it is too short.
    pub fn is_good(&self) -> bool {
        let Self {
            weather,
            skew,
            dies_at,
            stopped_after,
        } = self;
        let undisturbed = dies_at.is_none() && stopped_after.is_none();
        weather.is_calm() && *skew == Skew::default() && undisturbed
    }
}

/// Everything there is.
pub struct World {
    pub plan: Plan,
    pub retailer: Retailer,
    pub service: Service,
    pub time: Arc<Time>,
    pub fuse: Arc<Fuse>,
    pub log: Arc<Log>,
    pub chance: Chance,
    /// For the debts, so that they change nothing else that the seed draws.
    pub debts: Chance,
    /// Of a hundred mornings, so many on which somebody settles debts.
    pub debt_percent: u64,
    pub dir: TempDir,
    witness: OnceCell<Rc<Witness>>,
    mirror: RefCell<Mirror>,
    config: OnceCell<Arc<Config>>,
    /// Processes that were started.
    pub lives: u64,
    pub reports: u32,
    /// Meddles with the world after each night: for tests that it is noticed.
    pub each_night: Option<Meddler>,
}

/// Somebody who meddles with the world.
pub type Meddler = Box<dyn Fn(&mut World)>;

impl World {
    pub fn new(seed: u64, log: Log) -> Self {
        let mut chance = Chance::of(seed);
        let plan = Plan::draw(&mut chance);
        Self::of(seed, plan, chance, log)
    }

    /// A world with a plan of its own.
    pub fn of(seed: u64, plan: Plan, mut chance: Chance, log: Log) -> Self {
        let dir = folder();
        let time = Arc::new(Time::at(plan.begins));
        let fuse = Arc::new(Fuse::of(dir.path()));
        let log = Arc::new(log);
        log.say(plan.begins, &format!("seed {seed}: {plan:?}"));
        let database = dir.path().join("live/state/tripsettle.db");
        let service = Service {
            counter: Arc::new(Mutex::new(Counter::new(chance.fork(), database))),
            time: time.clone(),
            fuse: fuse.clone(),
            log: log.clone(),
        };
        let retailer = Retailer::new(chance.fork());
        let mut debts = Chance::of(!seed);
        let debt_percent = debts.pick(&[0, 30, 90]);
        let mirror = RefCell::new(Mirror::at(dir.path().join("mirror.db")));
        let world = Self {
            plan,
            retailer,
            service,
            time,
            fuse,
            log,
            chance,
            debts,
            debt_percent,
            dir,
            witness: OnceCell::new(),
            mirror,
            config: OnceCell::new(),
            lives: 0,
            reports: 0,
            each_night: None,
        };
        for name in ["inbox", "out", "mails", "reports"] {
            fs::create_dir_all(world.path(name)).unwrap();
        }
        let mails = world.path("mails").display().to_string();
        let text = world.plan.configuration().replace("MAILS", &mails);
        fs::write(world.path("tripsettle.toml"), text).unwrap();
        let config = world.config();
        Store::create(&config.state_dir, world.now(), None).unwrap();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("live").join(name)
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::of_ms(self.time.now())
    }

    /// Another configuration from here on.
    pub fn configure(&mut self, change: impl Fn(&str) -> String) {
        let file = self.path("tripsettle.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, change(&text)).unwrap();
        self.config.take();
    }

    pub fn config(&self) -> Arc<Config> {
        let read = || {
            let file = self.path("tripsettle.toml");
            Arc::new(Config::load(Some(&file), &[], Path::new("/")).unwrap())
        };
        self.config.get_or_init(read).clone()
    }

    /// Sees what is committed; kept between two processes.
    pub fn witness(&self) -> Rc<Witness> {
        let database = self.path("state/tripsettle.db");
        let look = || self.mirror.borrow_mut().look(&database);
        self.witness.get_or_init(look).clone()
    }

    /// Somebody wrote to the state, or will: the next look at it is a new one.
    pub fn look_again(&mut self) {
        self.witness.take();
    }

    fn store(&self, fuse: &Arc<Fuse>) -> Store {
        let fuse = fuse.clone();
        let told = Told::of(move |_| fuse.burn());
        Store::open_by_hand(&self.path("state"), told).unwrap()
    }

    pub fn say(&self, line: &str) {
        self.log.say(self.time.now(), line);
    }

    /// Time goes by without any process; what is due in it happens.
    pub fn advance_to(&mut self, ms: i64) {
        self.time.advance_to(ms);
        let now = self.time.now();
        self.service
            .counter
            .lock()
            .unwrap()
            .catch_up(now, &self.log);
        for delivery in self.retailer.due(now) {
            self.deliver(delivery);
        }
    }

    /// Puts a file into the inbox; a word about another hand only where it is true.
    fn deliver(&mut self, delivery: Delivery) {
        if let Some((name, what)) = &delivery.word
            && !self.comes_true(name, *what)
        {
            return;
        }
        self.say(&format!(
            "file {} of {} rows",
            delivery.file,
            delivery.rows.len()
        ));
        fs::write(self.path("inbox").join(&delivery.file), &delivery.text).unwrap();
        for (name, minor) in &delivery.rows {
            let sale = self.retailer.sales.get_mut(name).unwrap();
            sale.given.push(*minor);
            // Not when it was due: it lies there from now on.
            sale.available_at.get_or_insert(self.time.now());
        }
    }

    /// The other hand acts, unless the right to do so was ours already and was used.
    fn comes_true(&mut self, name: &str, what: Elsewhere) -> bool {
        let witness = self.witness();
        let row = witness.trips().into_iter().find(|row| row.name == *name);
        let Some(row) = row else { return false };
        let events = witness.events(row.id);
        let ours = |call| {
            events
                .iter()
                .any(|event| event.call.as_deref() == Some(call))
        };
        let mut counter = self.service.counter.lock().unwrap();
        let flies = counter.expects(&name.to_owned());
        let account = counter.ledger.accounts.get_mut(name).unwrap();
        let echo = Elsewhere::Captured(account.taken());
        if !account.captures.is_empty() {
            return what == echo;
        }
        let is_free = row.status == "open" && !ours("capture") && !ours("cancel");
        if flies || !is_free || account.cancelled {
            return false;
        }
        match what {
            Elsewhere::Captured(minor) => account.elsewhere = Some(minor),
            Elsewhere::Cancelled => {
                (account.cancelled, account.cancelled_elsewhere) = (true, true);
            }
        }
        drop(counter);
        self.say(&format!("{name}: {what:?} by another hand"));
        self.service.counter.lock().unwrap().meets("another hand");
        true
    }

    /// The processor writes a report of what it saw so far.
    pub fn report(&mut self, all: bool) {
        let counter = self.service.counter.lock().unwrap();
        let text = self.retailer.report(&counter.ledger, all);
        drop(counter);
        if let Some(text) = text {
            self.reports += 1;
            let file = format!("reports/{:04}.csv", self.reports);
            self.say(&format!(
                "report {file}: {} lines",
                text.lines().count() - 1
            ));
            fs::write(self.path(&file), text).unwrap();
        }
    }

    /// A person looks at doubts and says what is true; where a call may still be on its way
    /// nobody can know.
    pub fn rule(&mut self, percent: u64) {
        let rows = self.witness().trips();
        let undecided = rows
            .iter()
            .filter(|row| ["in_doubt", "refused"].contains(&&*row.status));
        for row in undecided {
            if !self.chance.percent(percent) {
                continue;
            }
            let counter = self.service.counter.lock().unwrap();
            let (flies, taken) = (
                counter.expects(&row.name),
                counter.ledger.accounts[&row.name].taken(),
            );
            drop(counter);
            let verdict = match (row.status.as_str(), taken) {
                ("refused", _) if !self.chance.percent(30) => continue,
                ("refused", _) => Verdict::Retry,
                (_, 0) => Verdict::NotCaptured,
                (_, minor) => Verdict::Captured {
                    amount: self.money(&row.currency, minor),
                },
            };
            if flies {
                continue;
            }
            let (by, note) = ("a person".to_owned(), "looked it up".to_owned());
            let ruling = Ruling { verdict, by, note };
            self.fuse.light(None);
            let store = self.store(&self.fuse);
            let Found::One(id, _) = store.find(&row.name).unwrap() else {
                unreachable!("{} is in the database", row.name)
            };
            let ruled = rule(&self.config(), &store, id, &ruling, self.now()).unwrap();
            self.look_again();
            let verdict = format!("{verdict:?}");
            let word = verdict.split([' ', '{']).next().unwrap_or("?").to_owned();
            self.service
                .counter
                .lock()
                .unwrap()
                .meets(&format!("ruled {word}"));
            self.say(&format!("{}: {verdict} -> {ruled:?}", row.name));
        }
    }

    /// A person settles a debt; true when the law took it.
    pub fn settle_debt(&mut self, name: &str, wish: DebtWish, note: &str) -> bool {
        self.fuse.light(None);
        let store = self.store(&self.fuse);
        let Found::One(id, _) = store.find(name).unwrap() else {
            unreachable!("{name} is in the database")
        };
        let word = (wish, "a person", note);
        let ruled = settle_debt(&self.config(), &store, id, word, self.now()).unwrap();
        self.look_again();
        self.say(&format!("{name}: {wish:?} -> {ruled:?}"));
        ruled.is_ok()
    }

    pub fn money(&self, code: &str, minor: i64) -> tripsettle::domain::Money {
        let currency = tripsettle::domain::Currency::of(code).unwrap();
        tripsettle::domain::Money::of_minor(minor, currency)
    }

    /// One life of a process, from start to exit or crash; `Err` tells of a defect.
    pub fn live(&mut self, command: Command, signs: &Signs) -> Result<Ended, String> {
        self.lives += 1;
        // The process is alone with its state, which a crash may replace.
        self.look_again();
        let id = RunId::of(&format!("run-{:08}", self.lives)).unwrap();
        self.say(&format!("{id}: {command:?} under {signs:?}"));
        {
            let mut counter = self.service.counter.lock().unwrap();
            counter.weather = signs.weather.clone();
            (counter.moves, counter.calls) = (0, 0);
        }
        self.fuse.light(signs.dies_at);
        let ended = catch_unwind(AssertUnwindSafe(|| self.process(command, id, signs)));
        let now = self.time.now();
        {
            let mut counter = self.service.counter.lock().unwrap();
            counter.hang_up(now);
            counter.witness = None;
        }
        if self.fuse.is_dead() {
            self.fuse.bury();
            self.service.counter.lock().unwrap().meets("crash");
            self.say("the process died");
            return Ok(Ended::Crashed);
        }
        match ended {
            Ok(Ok(report)) => {
                let (code, why) = (report.exit_code, &report.why_not);
                self.say(&format!("exit {code}: {why:?}"));
                Ok(Ended::Report(Box::new(report)))
            }
            Ok(Err(error)) => Err(format!("{command:?} ended with {error}")),
            Err(panic) if panic.is::<Crash>() => Err("a crash that was none".to_owned()),
            Err(panic) => {
                let words = panic.downcast_ref::<String>().cloned();
                Err(format!("{command:?} panicked: {words:?}"))
            }
        }
    }

    fn process(&self, command: Command, id: RunId, signs: &Signs) -> Result<RunReport, RunError> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            self.time.begin_life(signs.skew);
            let _end = EndOfLife(&self.time);
            let _lock = Lock::acquire(&self.path("state"), Duration::ZERO).unwrap();
            let house = self.house();
            if let Some(after) = signs.stopped_after {
                let house = house.clone();
                tokio::spawn(async move {
                    let after = Duration::from_millis(u64::try_from(after).unwrap());
                    tokio::time::sleep(after).await;
                    house.halt.stop(Why::Signal(15));
                });
            }
            let run = async {
                match command {
                    Command::Run { close } => run::run(&house, id, close).await,
                    Command::Settle => run::settle(&house, id).await,
                    Command::Backfill { from, to } => run::backfill(&house, id, from, to).await,
                }
            };
            let limited = tokio::time::timeout(LONGEST_LIFE, run).await;
            self.service.counter.lock().unwrap().witness = None;
            limited.unwrap_or_else(|_| Err(RunError::Lane("it does not end".to_owned())))
        })
    }

    fn house(&self) -> Arc<House<Service>> {
        let config = self.config();
        let schedule = Schedule::parse(&config.sweep.schedule).unwrap();
        let (time, fuse) = (self.time.clone(), self.fuse.clone());
        Arc::new(House {
            config,
            store: self.store(&self.fuse),
            service: self.service.clone(),
            clock: Arc::new(Wall { time, fuse }),
            schedule,
            halt: Halt::default(),
            watcher: Arc::new(Quiet),
        })
    }

    /// The signs of a life that begins now, as the seed's plan has them.
    pub fn draw_signs(&mut self) -> Signs {
        let (plan, now) = (self.plan.clone(), self.time.now());
        let mut weather = plan.climate.weather(&mut self.chance, now);
        if let Some(outage) = plan.outage.filter(|_| plan.is_down(Down::Service, now)) {
            let shape = self.chance.pick(&[Shape::NotSent, Shape::Status(503)]);
            weather = Weather::outage(outage.from, outage.to, shape);
        }
        let skew = match self.chance.percent(plan.skew_percent) {
            false => Skew::default(),
            true => self.draw_skew(),
        };
        let dies_at = self.chance.percent(plan.crash_percent).then(|| {
            // Early steps are many lives' last ones, late ones not forgotten.
            let most = self.chance.pick(&[10, 60, 300, 1_500]);
            self.chance.below(most) + 1
        });
        let stopped_after = self
            .chance
            .percent(plan.stop_percent)
            .then(|| self.chance.between(0, 5_000));
        Signs {
            weather,
            skew,
            dies_at,
            stopped_after,
        }
    }

    fn draw_skew(&mut self) -> Skew {
        let jumps = [3 * MINUTE, -3 * MINUTE, HOUR, -HOUR, DAY, -DAY, 70 * HOUR];
        let ahead = self.chance.pick(&jumps);
        match self.chance.percent(50) {
            true => Skew { ahead, jump: None },
            false => Skew {
                ahead: 0,
                jump: Some((self.chance.between(0, 20_000), ahead)),
            },
        }
    }
}

struct EndOfLife<'a>(&'a Time);

impl Drop for EndOfLife<'_> {
    fn drop(&mut self) {
        self.0.end_life();
    }
}

/// In memory where there is memory to be had as a folder: a night is a thousand small files.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

impl World {
    /// The day that the company is in.
    pub fn in_progress(&self) -> BooksDate {
        BooksDate::of(self.config().company.date_of(self.now()))
    }

    /// A person ends every doubt that can be known.
    pub fn rule_all(&mut self) {
        let odd = std::mem::replace(&mut self.chance, Chance::of(0));
        self.rule(100);
        self.chance = odd;
    }

    /// Trips whose row was refused, for a clock that was wrong, come in another file.
    pub fn deliver_again(&mut self) {
        let known: Vec<String> = self
            .witness()
            .trips()
            .into_iter()
            .map(|row| row.name)
            .collect();
        let now = self.time.now();
        let missing = self.retailer.sales.iter().filter(|(name, sale)| {
            sale.available_at.is_some_and(|at| at < now) && !known.contains(name)
        });
        let missing: Vec<String> = missing.map(|(name, _)| name.clone()).collect();
        if let Some(delivery) = self.retailer.again(&missing, now) {
            self.deliver(delivery);
        }
    }
}

//! One cell's world: a retailer's folder with one trip, the real service door with a fault in it,
//! and the real run.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use tripsettle::config::Config;
use tripsettle::domain::{
    Call, Clock, Fact, Heard, Reply, RunId, StoreId, Timestamp, TripId, TripKey,
};
use tripsettle::payment_service::{Credentials, HttpService, HttpSettings, PaymentService};
use tripsettle::run::pass::{House, Quiet};
use tripsettle::run::report::RunReport;
use tripsettle::run::stop::Halt;
use tripsettle::run::{self, Schedule};
use tripsettle::sandbox::SandboxConfig;
use tripsettle::store::Store;

/// The machine's clock.
pub struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Utc::now().into()
    }
}

/// The real door to the service; the struck call goes once to another address, if there is one.
pub struct Detour {
    well: HttpService,
    ill: Option<HttpService>,
    struck: &'static str,
    is_struck: AtomicBool,
    /// How the struck call was answered, each time.
    pub heard: Mutex<Vec<Reply>>,
    /// How long the first struck call took.
    pub struck_for: Mutex<Duration>,
}

impl Detour {
    pub fn new(well: HttpService, ill: Option<HttpService>, struck: &'static str) -> Self {
        Self {
            well,
            ill,
            struck,
            is_struck: AtomicBool::new(false),
            heard: Mutex::default(),
            struck_for: Mutex::default(),
        }
    }
}

impl PaymentService for Detour {
    async fn send(&self, trip: &TripKey, call: &Call) -> Heard {
        if call.name() != self.struck {
            return self.well.send(trip, call).await;
        }
        let first = !self.is_struck.swap(true, Ordering::Relaxed);
        let began = Instant::now();
        let heard = match &self.ill {
            Some(ill) if first => ill.send(trip, call).await,
            Some(_) | None => self.well.send(trip, call).await,
        };
        if first {
            *self.struck_for.lock().unwrap() = began.elapsed();
        }
        self.heard.lock().unwrap().push(heard.reply.clone());
        heard
    }
}

/// The real door to `endpoint`, with the sandbox's own credentials.
pub fn door(endpoint: &str, timeout: Duration, max_in_flight: usize) -> HttpService {
    let sandbox = SandboxConfig::default();
    let credentials = Credentials::fixed(&sandbox.access_key, &sandbox.secret_key, None);
    let settings = HttpSettings {
        endpoint: endpoint.to_owned(),
        region: sandbox.region,
        timeout,
        connect_timeout: Duration::from_secs(5),
        max_in_flight,
    };
    HttpService::new(settings, credentials, Arc::new(RealClock)).unwrap()
}

/// A retailer's folder.
pub struct Place {
    pub dir: tempfile::TempDir,
    config: Arc<Config>,
}

impl Place {
    /// A folder, and what the environment sets beside what every place has.
    pub fn new(more: &[(&str, &str)]) -> Self {
        Self::with_file("", more)
    }

    /// The same with this configuration file.
    pub fn with_file(text: &str, more: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cutoff = (Utc::now() - TimeDelta::minutes(150))
            .format("%H:%M")
            .to_string();
        let usual = [
            ("TRIPSETTLE_CALENDAR__CUTOFF", cutoff.as_str()),
            ("TRIPSETTLE_SWEEP__SCHEDULE", "0 0 * * * *"),
            ("TRIPSETTLE_PAYMENT_SERVICE__REQUESTS_PER_SECOND", "1000"),
            ("TRIPSETTLE_PAYMENT_SERVICE__BURST", "100"),
        ];
        let environment: Vec<(String, String)> = usual
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let file = dir.path().join("tripsettle.toml");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file), &environment, dir.path()).unwrap();
        let config = Arc::new(config);
        Self { dir, config }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Drops trips that began a day ago into the inbox: `(trip id, amount)`.
    pub fn trips(&self, trips: impl Iterator<Item = (String, &'static str)>) {
        let started = (Utc::now() - TimeDelta::hours(24)).format("%Y-%m-%dT%H:%M:%SZ");
        let mut text = "store_id,shopping_trip_id,started_at,amount,currency\n".to_owned();
        for (trip, amount) in trips {
            text.push_str(&format!("{STORE},{trip},{started},{amount},USD\n"));
        }
        std::fs::create_dir_all(self.path("inbox")).unwrap();
        std::fs::write(self.path("inbox/trips.csv"), text).unwrap();
    }

    /// The house, with this door to the service.
    pub fn house<S: PaymentService>(&self, service: S) -> Arc<House<S>> {
        let state = &self.config.state_dir;
        let store = if Store::exists(state).unwrap() {
            Store::open(state)
        } else {
            Store::create(state, RealClock.now(), None)
        };
        Arc::new(House {
            config: self.config.clone(),
            store: store.unwrap(),
            service,
            clock: Arc::new(RealClock),
            schedule: Schedule::parse(&self.config.sweep.schedule).unwrap(),
            halt: Halt::default(),
            watcher: Arc::new(Quiet),
        })
    }
}

/// The store of every trip.
pub const STORE: &str = "S-1";

pub fn key(trip: &str) -> TripKey {
    TripKey {
        store: StoreId::of(STORE).unwrap(),
        trip: TripId::of(trip).unwrap(),
    }
}

/// `tripsettle run`.
pub async fn night<S: PaymentService>(house: &Arc<House<S>>) -> RunReport {
    let id = RunId::of(&uuid::Uuid::now_v7().to_string()).unwrap();
    run::run(house, id, None).await.unwrap()
}

/// How the journal says that the calls of this kind were answered, in order.
pub fn journal(facts: &[Fact], call: &str) -> String {
    let mut told = Vec::new();
    let mut asked = "";
    for fact in facts {
        match fact {
            Fact::Intent { call } => asked = call.name(),
            Fact::Replied { reply, .. } if asked == call => told.push(reply.name()),
            Fact::Evidence { .. } if call == "transactional_data" => told.push("evidence"),
            Fact::NoEvidence { .. } if call == "transactional_data" => told.push("no evidence"),
            _ => {}
        }
    }
    if told.is_empty() {
        return "nothing".to_owned();
    }
    told.join(" ")
}

//! The payment service in this process: hears the bytes of a call, does with it what its fate is,
//! and gives back bytes, which are read as those of HTTP are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use serde_json::value::RawValue;
use tripsettle::domain::{Call, Heard, Timestamp, TripKey};
use tripsettle::payment_service::{Answer, Outcome, PaymentService, body, heard};

use super::chance::Chance;
use super::clock::Time;
use super::crash::Fuse;
use super::ledger::{Asked, Ledger, Name, digits_of, minor_of};
use super::log::Log;
use super::weather::{Effect, Fate, Retry, Shape, Weather, place};
use super::witness::Witness;

/// As long as a client waits.
const PATIENCE_MS: i64 = 30_000;

/// A call on its way: carried out or not yet.
#[derive(Debug)]
struct Flying {
    asked: Asked,
    fate: Fate,
    is_done: bool,
}

/// What the service knows besides its ledger.
#[derive(Debug)]
pub struct Counter {
    pub ledger: Ledger,
    pub chance: Chance,
    pub weather: Weather,
    /// Where intents are committed, and who looks there; a process that ends is alone with it.
    database: PathBuf,
    pub witness: Option<Witness>,
    /// Money-moving calls received in this life.
    pub moves: u64,
    pub calls: u64,
    /// What was met, by name.
    pub met: BTreeMap<String, u64>,
    /// Carries out what it says it did not: for tests that it is noticed.
    pub lies: bool,
    /// Takes every intent for another trip's: for a test that it is noticed.
    pub is_blind: bool,
    flying: BTreeMap<u64, Flying>,
    late: Vec<(i64, Asked)>,
    granted_at: Vec<i64>,
    next: u64,
}

/// The simulated payment service.
#[derive(Clone)]
pub struct Service {
    pub counter: Arc<Mutex<Counter>>,
    pub time: Arc<Time>,
    pub fuse: Arc<Fuse>,
    pub log: Arc<Log>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bytes<'a> {
    store_id: &'a str,
    shopping_trip_id: &'a str,
    #[serde(borrow)]
    amount: Option<Amount<'a>>,
}

#[derive(serde::Deserialize)]
struct Amount<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
    code: &'a str,
}

impl Counter {
    pub fn new(chance: Chance, database: PathBuf) -> Self {
        Self {
            database,
            ledger: Ledger::default(),
            chance,
            weather: Weather::calm(),
            witness: None,
            moves: 0,
            calls: 0,
            met: BTreeMap::new(),
            lies: false,
            is_blind: false,
            flying: BTreeMap::new(),
            late: Vec::new(),
            granted_at: Vec::new(),
            next: 0,
        }
    }

    /// Reads a request as its bytes say; whatever is wrong with them breaks a promise.
    fn read(&mut self, call: &Call, bytes: &str) -> Asked {
        let read: Bytes<'_> = serde_json::from_str(bytes).unwrap();
        let name = format!("{}/{}", read.store_id, read.shopping_trip_id);
        let minor = read.amount.as_ref().map(|amount| {
            let digits = digits_of(amount.code);
            let minor = digits.and_then(|digits| minor_of(amount.amount.get(), digits));
            let code = self
                .ledger
                .accounts
                .get(&name)
                .map(|account| account.currency);
            if minor.is_none() || code != Some(amount.code) {
                self.ledger
                    .breaks(format!("{name}: the amount of {bytes} is wrong"));
            }
            minor.unwrap_or(0)
        });
        let call = call.name();
        Asked { name, call, minor }
    }

    /// Nothing that moves money may come before its intent is committed.
    fn look_for_intent(&mut self, asked: &Asked) {
        let (name, call) = (&asked.name, asked.call);
        let open = || Witness::open(&self.database);
        let witness = &*self.witness.get_or_insert_with(open);
        let last = witness.last(name).filter(|_| !self.is_blind);
        let intended = last.as_ref().filter(|(kind, _)| kind == "intent");
        let intended = intended.map(|(_, detail)| {
            let of = &detail["call"];
            let amount = [&of["total"], &of["amount"]];
            let minor = amount.iter().find_map(|amount| amount["minor"].as_i64());
            (of["call"].as_str().unwrap_or("?").to_owned(), minor)
        });
        if intended != Some((call.to_owned(), asked.minor)) {
            let what = format!("{name}: {call} {:?} without intent: {last:?}", asked.minor);
            self.ledger.breaks(what);
        }
        if call == "capture" && witness.knows_of_elsewhere(name) {
            let account = self.ledger.accounts.get(name);
            if account.is_some_and(|a| a.elsewhere.is_some() || a.cancelled_elsewhere) {
                let what = format!("{name}: a capture although the feed told of another one");
                self.ledger.breaks(what);
            }
        }
    }

    pub fn meets(&mut self, what: &str) {
        *self.met.entry(what.to_owned()).or_default() += 1;
    }

    /// Carries out what was on its way for longer than anybody waited.
    pub fn catch_up(&mut self, now: i64, log: &Log) {
        self.late
            .sort_by_key(|(at, asked)| (*at, asked.name.clone()));
        while self.late.first().is_some_and(|(at, _)| *at <= now) {
            let (at, asked) = self.late.remove(0);
            let said = self.ledger.execute(&asked, at);
            self.meets(&format!("late {}", asked.call));
            log.say(
                at,
                &format!("  late: {} {:?} -> {}", asked.call, asked, said.0),
            );
        }
    }

    /// True when a call about this trip may still be carried out.
    pub fn expects(&self, name: &Name) -> bool {
        self.late.iter().any(|(_, asked)| asked.name == *name)
    }

    /// When the last of the calls on their way will have been carried out.
    pub fn quiet_from(&self) -> Option<i64> {
        self.late.iter().map(|(at, _)| *at).max()
    }

    /// The client is gone, or has given up; what is on its way may arrive, or not.
    fn give_up(&mut self, id: u64, now: i64) {
        let Some(flying) = self.flying.remove(&id) else {
            return;
        };
        if flying.is_done {
            return;
        }
        let stalled = self.weather.stalled_until(place(flying.asked.call), now);
        let arrives = match (flying.fate.shape, flying.fate.effect) {
            (Shape::NotSent | Shape::Throttle(_) | Shape::Denied { .. }, _) => false,
            (_, Effect::No) => false,
            (_, Effect::Yes | Effect::Late) => self.chance.percent(60),
        };
        if arrives {
            let at = stalled.unwrap_or(now).max(now) + self.chance.between(0, 600_000);
            self.late.push((at, flying.asked));
        }
    }

    /// The process died.
    pub fn hang_up(&mut self, now: i64) {
        let ids: Vec<u64> = self.flying.keys().copied().collect();
        for id in ids {
            self.give_up(id, now);
        }
        self.granted_at.clear();
    }

    /// True when the service grants no more calls now.
    fn is_throttling(&mut self, now: i64) -> bool {
        let granted = self.weather.granted;
        self.granted_at.retain(|at| now - at < 10_000);
        if granted > 0 && self.granted_at.len() >= granted {
            return true;
        }
        self.granted_at.push(now);
        false
    }
}

impl Service {
    fn receive(&self, trip: &TripKey, call: &Call) -> (u64, Asked, Fate) {
        let now = self.time.now();
        let mut counter = self.counter.lock().unwrap();
        let counter = &mut *counter;
        counter.catch_up(now, &self.log);
        let asked = counter.read(call, &body(trip, call));
        counter.calls += 1;
        if *call != Call::TransactionalData {
            counter.moves += 1;
            counter.look_for_intent(&asked);
            if let Some(account) = counter.ledger.accounts.get_mut(&asked.name) {
                account.calls += 1;
            }
        }
        let mut fate = counter
            .weather
            .fate(&mut counter.chance, place(asked.call), now);
        if counter.is_throttling(now) {
            fate.shape = Shape::Throttle(Retry::Seconds(2));
            fate.effect = Effect::No;
        }
        if counter.lies && fate.shape != Shape::NotSent {
            fate.effect = Effect::Yes;
        }
        let met = format!("{} {:?} {:?}", asked.call, fate.shape, fate.effect);
        counter.meets(&met);
        if counter
            .weather
            .stalled_until(place(asked.call), now)
            .is_some()
        {
            counter.meets(&format!("{} stalled", asked.call));
        }
        let id = counter.next;
        counter.next += 1;
        let flying = Flying {
            asked: asked.clone(),
            fate,
            is_done: false,
        };
        counter.flying.insert(id, flying);
        let line = format!(
            "  {} {} {:?} meets {fate:?}",
            asked.call, asked.name, asked.minor
        );
        self.log.say(now, &line);
        (id, asked, fate)
    }

    /// Gives what comes back, and the amount that it tells if it is a final answer to an Adjust.
    async fn carry(&self, id: u64, asked: &Asked, fate: Fate) -> (Outcome, Option<i64>) {
        sleep(fate.there).await;
        let stalled = |now| {
            let counter = self.counter.lock().unwrap();
            counter.weather.stalled_until(place(asked.call), now)
        };
        while let Some(until) = stalled(self.time.now()) {
            sleep(until - self.time.now()).await;
        }
        self.fuse.burn();
        let said = match fate.effect {
            Effect::Yes => {
                let mut counter = self.counter.lock().unwrap();
                let now = self.time.now();
                counter.catch_up(now, &self.log);
                if let Some(flying) = counter.flying.get_mut(&id) {
                    flying.is_done = true;
                }
                counter.ledger.execute(asked, now)
            }
            Effect::No | Effect::Late => (200, String::new()),
        };
        self.fuse.burn();
        sleep(fate.back).await;
        let told = self.told(asked, fate.shape, &said);
        (self.shape(fate.shape, said).await, told)
    }

    fn told(&self, asked: &Asked, shape: Shape, (status, text): &(u16, String)) -> Option<i64> {
        if asked.call != "adjust" || shape != Shape::True || *status != 200 {
            return None;
        }
        let counter = self.counter.lock().unwrap();
        let account = counter.ledger.accounts.get(&asked.name)?;
        let (_, rest) = text.split_once(r#""amount":"#)?;
        let amount = minor_of(rest.split_once(',')?.0, account.digits);
        amount.filter(|_| !text.contains("PENDING"))
    }

    async fn shape(&self, shape: Shape, (status, text): (u16, String)) -> Outcome {
        let page = || "<html>CANARY 5454545454545454</html>".to_owned();
        let json = |words: &str| format!(r#"{{"errorMsg":"{words}"}}"#);
        let (status, text) = match shape {
            Shape::True => (status, text),
            Shape::NotSent => return Outcome::NotSent("connection refused".to_owned()),
            Shape::Silence => return Outcome::Silence("connection reset".to_owned()),
            Shape::TooLate => {
                sleep(2 * PATIENCE_MS).await;
                (status, text)
            }
            Shape::Cut if text.is_empty() => {
                return Outcome::Silence("connection closed".to_owned());
            }
            Shape::Cut => (status, text[..text.len() / 2].to_owned()),
            Shape::Page => (200, page()),
            Shape::ErrorObject => (200, json("InternalError")),
            Shape::Status(status) => (status, json("InternalError")),
            Shape::Strange(status) => (status, page()),
            Shape::Denied { by_service: true } => (403, json("AccessDenied")),
            Shape::Denied { by_service: false } => (401, page()),
            Shape::Throttle(_) => (429, json("slow down")),
            Shape::OtherCurrency => (status, text.replace(r#""code":""#, r#""code":"X"#)),
        };
        let headers = self.headers(shape);
        let body = Ok(text.into_bytes());
        Outcome::Answer(Answer {
            status,
            headers,
            body,
        })
    }

    fn headers(&self, shape: Shape) -> HeaderMap {
        let now = self.time.now();
        let date = |ms: i64| {
            let since = Duration::from_millis(u64::try_from(ms).unwrap());
            httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
        };
        let retry = match shape {
            Shape::Throttle(Retry::Seconds(seconds)) => Some(seconds.to_string()),
            Shape::Throttle(Retry::Date(ahead)) => {
                Some(date(now + i64::try_from(ahead).unwrap() * 1_000))
            }
            Shape::Throttle(Retry::Nonsense) => Some("soon".to_owned()),
            _ => None,
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_str(&date(now)).unwrap());
        if let Some(retry) = retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(&retry).unwrap());
        }
        headers
    }
}

impl PaymentService for Service {
    async fn send(&self, trip: &TripKey, call: &Call) -> Heard {
        self.fuse.burn();
        let (id, asked, fate) = self.receive(trip, call);
        let patience = Duration::from_millis(u64::try_from(PATIENCE_MS).unwrap());
        let carried = tokio::time::timeout(patience, self.carry(id, &asked, fate)).await;
        let silence = |_| (Outcome::Silence("no answer".to_owned()), None);
        let (outcome, told) = carried.unwrap_or_else(silence);
        {
            let mut counter = self.counter.lock().unwrap();
            counter.give_up(id, self.time.now());
            if let (Some(told), Some(account)) =
                (told, counter.ledger.accounts.get_mut(&asked.name))
            {
                account.told = told;
            }
        }
        let heard = heard(trip, call, &outcome, Timestamp::of_ms(self.time.wall()));
        let line = format!(
            "  {} {} heard {}",
            asked.call,
            asked.name,
            heard.reply.name()
        );
        self.log.say(self.time.now(), &line);
        heard
    }
}

async fn sleep(ms: i64) {
    if let Ok(ms) = u64::try_from(ms) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

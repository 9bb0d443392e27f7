//! The service: who is let in, what a call does, what its caller hears.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use http::request::Parts;
use http::{Method, StatusCode};

use super::answer::Answer;
use super::ask::Ask;
use super::counts::CallCounts;
use super::fault::{self, CallKind, Fault, FaultKind, Side};
use super::forbidden::Forbidden;
use super::ledger::{Trips, locked};
use super::mishap::{self, Mishap};
use super::play;
use super::rate::Rate;
use super::settings::SandboxConfig;
use super::signature::{self, Keys};
use super::trip::Trip;

/// Everything the service knows.
#[derive(Debug)]
pub(super) struct Service {
    config: SandboxConfig,
    keys: Keys,
    pub trips: Trips,
    pub faults: Mutex<Vec<Fault>>,
    pub counts: Mutex<CallCounts>,
    pub rate: Mutex<Rate>,
    clock_offset_ms: AtomicI64,
}

/// A call that got past the door.
pub(super) struct Admitted {
    call: CallKind,
    ask: Result<Ask, String>,
    /// The trip that is asked about, if there is one.
    trip: Option<Arc<Mutex<Trip>>>,
    /// Where it was called, for redirects.
    here: String,
}

impl Service {
    pub fn of(config: SandboxConfig) -> Self {
        let keys = Keys {
            access_key: config.access_key.clone(),
            secret_key: config.secret_key.clone(),
            session_token: config.session_token.clone(),
            region: config.region.clone(),
            service: "execute-api".to_owned(),
        };
        let rate = Rate::of(config.requests_per_second, config.burst);
        Self {
            config,
            keys,
            trips: Trips::default(),
            faults: Mutex::default(),
            counts: Mutex::default(),
            rate: Mutex::new(rate),
            clock_offset_ms: AtomicI64::new(0),
        }
    }

    /// The service's own time.
    pub fn now(&self) -> DateTime<Utc> {
        let offset = self.clock_offset_ms.load(Ordering::Relaxed);
        let offset = TimeDelta::try_milliseconds(offset).unwrap_or_default();
        let now = Utc::now();
        now.checked_add_signed(offset).unwrap_or(now)
    }

    /// It is `now`, and time goes on from there.
    pub fn set_clock(&self, now: DateTime<Utc>) {
        let offset = now.signed_duration_since(Utc::now()).num_milliseconds();
        self.clock_offset_ms.store(offset, Ordering::Relaxed);
    }

    /// Counts the request and lets it in, or answers it at the door.
    pub fn admit(&self, head: &Parts, body: &[u8]) -> Result<Admitted, Answer> {
        // A gateway says the same of a path that is not there as of a caller without a name.
        let call = called(head).ok_or_else(|| self.forbid(&Forbidden::no_token()))?;
        locked(&self.counts).add(call);
        if self.config.verify_signatures {
            let verified = signature::verify(&self.keys, head, body, self.now());
            verified.map_err(|forbidden| self.forbid(&forbidden))?;
        }
        if !locked(&self.rate).grant(Instant::now()) {
            locked(&self.counts).throttled += 1;
            let seconds = self.config.retry_after_seconds.to_string();
            return Err(Answer::throttled(Some(&seconds)));
        }
        let ask = Ask::read(call, body);
        let trip = ask.as_ref().ok().and_then(|ask| self.trip(ask));
        let host = head.headers.get("host").and_then(|host| host.to_str().ok());
        let here = format!("http://{}{}", host.unwrap_or("localhost"), call.path());
        Ok(Admitted {
            call,
            ask,
            trip,
            here,
        })
    }

    fn forbid(&self, forbidden: &Forbidden) -> Answer {
        locked(&self.counts).forbidden += 1;
        Answer::forbidden(forbidden)
    }

    /// The trip that is asked about, made up if that is wanted.
    fn trip(&self, ask: &Ask) -> Option<Arc<Mutex<Trip>>> {
        let make = || play::trip(ask, self.now());
        let make = self.config.auto_trips.then_some(make);
        self.trips.get_or_make(&ask.trip(), || make?())
    }

    /// The fault that is to strike this call: the trip's own first.
    pub fn next_fault(&self, admitted: &Admitted) -> Option<(FaultKind, Side)> {
        let trip = admitted.trip.as_deref().map(locked);
        let own = trip.and_then(|mut trip| fault::next(&mut trip.script.faults, admitted.call));
        own.or_else(|| fault::next(&mut locked(&self.faults), admitted.call))
    }

    /// Does what is asked and answers. The effect comes before the wait, so that a caller who
    /// hangs up meanwhile has been served all the same.
    pub async fn answer(&self, admitted: &Admitted) -> Mishap {
        let answer = self.execute(admitted);
        pause(self.config.latency_ms).await;
        Mishap::Said(answer, self.now())
    }

    /// Does what is asked or not, and spoils the answer.
    pub async fn spoil(&self, admitted: Admitted, kind: FaultKind, side: Side) -> Mishap {
        let answer = if let FaultKind::Late(ms) = kind {
            self.execute_late(&admitted, side, ms).await
        } else {
            match side {
                Side::Before => self.pretend(&admitted),
                Side::After => self.execute(&admitted),
            }
        };
        pause(self.config.latency_ms).await;
        mishap::of(kind, answer, &admitted.here, self.now())
    }

    fn execute(&self, admitted: &Admitted) -> Answer {
        self.ask(admitted, |trip, ask| {
            locked(trip).execute(ask, self.now(), &self.config)
        })
    }

    /// The wait strikes before or after the effect.
    async fn execute_late(&self, admitted: &Admitted, side: Side, ms: u64) -> Answer {
        match side {
            Side::Before => {
                pause(ms).await;
                self.execute(admitted)
            }
            Side::After => {
                let answer = self.execute(admitted);
                pause(ms).await;
                answer
            }
        }
    }

    /// What it would answer had it done what is asked; done to a copy that nobody keeps.
    fn pretend(&self, admitted: &Admitted) -> Answer {
        self.ask(admitted, |trip, ask| {
            let mut copy = locked(trip).clone();
            copy.execute(ask, self.now(), &self.config)
        })
    }

    fn ask(
        &self,
        admitted: &Admitted,
        execute: impl FnOnce(&Mutex<Trip>, &Ask) -> Answer,
    ) -> Answer {
        match (&admitted.ask, &admitted.trip) {
            (Ok(ask), Some(trip)) => execute(trip, ask),
            (Ok(_), None) => {
                let (status, words) = (StatusCode::BAD_REQUEST, "UnknownShoppingTrip");
                Answer::failure(status, words, "no such trip in this store")
            }
            (Err(why), _) => Answer::bad_request(why),
        }
    }
}

fn called(head: &Parts) -> Option<CallKind> {
    let path = head.uri.path();
    let mut calls = CallKind::ALL.into_iter();
    calls.find(|call| head.method == Method::POST && call.path() == path)
}

/// Even the shortest sleep lasts until the next tick of the timer, so nothing is no sleep.
async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

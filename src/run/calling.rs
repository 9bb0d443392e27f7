//! One call: paced, sent, timed, logged, counted; and what its reply means for the whole pass.

use std::time::Duration;

use crate::domain::{Call, Heard, Reply, Stop, Timestamp, TripKey};
use crate::payment_service::PaymentService;
use crate::payment_service::pacing::backoff;

use super::RunError;
use super::pass::{House, Pass};
use super::stop::Why;
use super::tally::Slowdown;

/// Clocks further apart than this make every deadline a guess.
pub const CLOCK_TOLERANCE_MS: u64 = 5 * 60_000;
/// A longer pause is not waited for with the lock in hand: the run after it goes on.
const LONGEST_PAUSE_MS: u64 = 15 * 60_000;
/// No service asks for more (`payment_service` cuts it): what was kept and lies further ahead was
/// reckoned by a clock that was wrong, then or now.
const LONGEST_ASKED_MS: i64 = 24 * 3_600_000;

/// A call that may be repeated is sent so often in one pass, if the retry budget allows it.
const MOST_TRIES: u32 = 4;

/// What a lane does after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Ask the law again.
    GoOn,
    /// Leave the trip to a later pass.
    Leave,
}

impl<S: PaymentService> House<S> {
    /// Waits for the rate limit; false when the pass stopped meanwhile.
    pub async fn paced(&self, pass: &Pass) -> bool {
        let turn = async {
            pass.ready.get_or_init(|| self.service.get_ready()).await;
            pass.pacer.acquire().await;
        };
        let granted = tokio::select! {
            () = turn => true,
            () = self.halt.stopped() => false,
        };
        granted && !self.halt.is_stopping()
    }

    /// Sends one call and records that it was made: log line, counters, the service's clock.
    pub async fn call(&self, pass: &Pass, key: &TripKey, call: &Call, attempt: u32) -> Heard {
        let sent_at = self.clock.now();
        let heard = self.service.send(key, call).await;
        let heard_at = self.clock.now();
        let took = u64::try_from(heard_at.ms_since(sent_at)).unwrap_or(0);
        let amount = call
            .amount()
            .map(|amount| amount.to_string())
            .unwrap_or_default();
        tracing::info!(
            call = call.name(),
            store = %key.store,
            trip = %key.trip,
            amount,
            status = heard.status.unwrap_or(0),
            reply = heard.reply.name(),
            latency_ms = took,
            attempt,
            "call"
        );
        pass.tally().count_call(key, call, &heard, took, heard_at);
        self.watcher.call();
        if let Some(service_clock) = heard.service_clock
            && pass.compares_clocks()
        {
            let apart = heard_at.ms_since(service_clock).unsigned_abs();
            if apart > CLOCK_TOLERANCE_MS {
                let minutes = apart / 60_000;
                self.halt.stop(Why::Clock(format!(
                    "our clock says {heard_at}, the payment service's says {service_clock}: \
                     {minutes} minutes apart"
                )));
            }
        }
        heard
    }

    /// Asks for the service's clock, once in a pass that no reply has told it yet. What answers is
    /// a read of the trip; silence tells nothing, nor does a service that asked to be left alone,
    /// and the pass goes on.
    ///
    /// # Errors
    /// The pause cannot be written to the state.
    pub async fn compare_clocks(&self, pass: &Pass, key: &TripKey) -> Result<(), RunError> {
        if pass.has_compared_clocks() || self.long_pause()?.is_some() {
            return Ok(());
        }
        let ask = || async {
            if !self.paced(pass).await {
                return Ok(());
            }
            let read = Call::TransactionalData;
            let heard = self.call(pass, key, &read, 1).await;
            self.weigh(pass, &read, &heard, 1).await.map(|_| ())
        };
        pass.clock_asked.get_or_try_init(ask).await.map(|_| ())
    }

    /// Draws the consequences of a reply for the pass, and says how the lane goes on.
    ///
    /// # Errors
    /// The pause cannot be written to the state.
    pub async fn weigh(
        &self,
        pass: &Pass,
        call: &Call,
        heard: &Heard,
        tries: u32,
    ) -> Result<After, RunError> {
        let reply = &heard.reply;
        if let Some(stop) = reply.stops_the_pass() {
            self.stop_for(stop, call, heard);
            return Ok(After::Leave);
        }
        match reply {
            Reply::Throttled { retry_after_ms } => self.pause(pass, *retry_after_ms).await,
            Reply::NotSent { why } => Ok(self.after_silence(pass, why, false, tries).await),
            Reply::Unclear { why, .. } if call.may_be_repeated() => {
                let is_reached = heard.status.is_some();
                Ok(self.after_silence(pass, why, is_reached, tries).await)
            }
            Reply::Unclear { .. } => {
                pass.circuit.failed();
                pass.circuit.left();
                Ok(After::GoOn)
            }
            Reply::Approved { .. }
            | Reply::Declined { .. }
            | Reply::Pending
            | Reply::Initiated
            | Reply::Data(_)
            | Reply::Expired { .. }
            | Reply::Refused { .. }
            | Reply::Unauthorized { .. }
            | Reply::NotTheService { .. } => {
                pass.heard_clearly();
                pass.pacer.succeeded();
                pass.budget.first_attempt();
                pass.circuit.succeeded();
                Ok(After::GoOn)
            }
        }
    }

    fn stop_for(&self, stop: Stop, call: &Call, heard: &Heard) {
        let words = match &heard.reply {
            Reply::Unauthorized { words, .. } => words.as_str(),
            Reply::NotTheService { why } => why.as_str(),
            Reply::Approved { .. }
            | Reply::Declined { .. }
            | Reply::Pending
            | Reply::Initiated
            | Reply::Data(_)
            | Reply::Expired { .. }
            | Reply::Refused { .. }
            | Reply::Throttled { .. }
            | Reply::NotSent { .. }
            | Reply::Unclear { .. } => heard.reply.name(),
        };
        let text = format!("{words} (to {})", call.name());
        match stop {
            // Nobody answered: there was nothing to ask with.
            Stop::Authentication if heard.status.is_none() => {
                self.halt.stop(Why::NoCredentials(words.to_owned()));
            }
            Stop::Authentication => self.halt.stop(Why::Authentication(text)),
            Stop::NotTheService => self.halt.stop(Why::NotTheService(text)),
        }
    }

    async fn pause(&self, pass: &Pass, retry_after_ms: Option<u64>) -> Result<After, RunError> {
        let asked = retry_after_ms.map(Duration::from_millis);
        let pause = pass.pacer.throttled(asked);
        if self.halt.is_for_the_clock() {
            // The pass ends, and a wrong clock cannot say until when another one is to wait.
            return Ok(After::Leave);
        }
        let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let now = self.clock.now();
        let until = now.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX));
        // The lanes in flight are throttled together: one pause, told and written once.
        let Some(longer_ms) = pass.pauses_until(now, until) else {
            return Ok(After::GoOn);
        };
        let slowdown = Slowdown {
            at: now,
            pause_ms: ms,
            calls_per_1000_seconds: pass.pacer.calls_per_1000_seconds(),
        };
        pass.tally().count_pause(longer_ms, slowdown);
        pass.begin(self).await?;
        self.store.set_pause_until(until)?;
        if ms > LONGEST_PAUSE_MS {
            self.stop_for_pause(until);
            return Ok(After::Leave);
        }
        if pass.too_many_pauses() {
            let why = "it throttled every call and asked for one pause after the other";
            self.halt.stop(Why::Unavailable(why.to_owned()));
            return Ok(After::Leave);
        }
        self.watcher
            .says(&format!("the service asked for a pause of {} s", ms / 1000));
        Ok(After::GoOn)
    }

    /// Until when the service asked, in an earlier run, to be left alone.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn paused_until(&self, now: Timestamp) -> Result<Option<Timestamp>, RunError> {
        let until = self.store.pause_until()?;
        Ok(until.filter(|until| until.ms_since(now) <= LONGEST_ASKED_MS))
    }

    /// Ends the pass when the service asked, now or in an earlier run, for a pause that is too long
    /// to be waited for.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn heed_long_pause(&self) -> Result<(), RunError> {
        if let Some(until) = self.long_pause()? {
            self.stop_for_pause(until);
        }
        Ok(())
    }

    /// The end of a pause that is too long to be waited for.
    fn long_pause(&self) -> Result<Option<Timestamp>, RunError> {
        let now = self.clock.now();
        let is_long = |until: &Timestamp| {
            u64::try_from(until.ms_since(now)).is_ok_and(|ms| ms > LONGEST_PAUSE_MS)
        };
        Ok(self.paused_until(now)?.filter(is_long))
    }

    fn stop_for_pause(&self, until: Timestamp) {
        let why = format!("it asked for a pause until {until}; nothing is sent before");
        self.halt.stop(Why::Unavailable(why));
    }

    async fn after_silence(&self, pass: &Pass, why: &str, is_reached: bool, tries: u32) -> After {
        pass.circuit.failed();
        if tries >= MOST_TRIES || !pass.budget.take() {
            // A trip that is never answered is left alone: it must not end the night of the others.
            pass.circuit.left();
            pass.leaves_in_silence(why, is_reached);
            if pass.circuit.is_outage() {
                let why = format!("too many calls failed, the last: {why}");
                self.halt.stop(Why::Unavailable(why));
            }
            return After::Leave;
        }
        tokio::select! {
            () = tokio::time::sleep(backoff(tries, pass.jitter())) => After::GoOn,
            () = self.halt.stopped() => After::Leave,
        }
    }
}

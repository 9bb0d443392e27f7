//! The gate before a Capture: the breaker's word, and what replies tell the breaker.

use crate::domain::{Call, Reply};
use crate::payment_service::PaymentService;
use crate::payment_service::breakers::{BreakerState, CapturePass};
use crate::run::RunError;
use crate::run::calling::After;
use crate::run::stop::Why;

use super::{Flushed, Lane};

/// The capture breaker's word.
pub(super) enum Gate {
    /// Capture now; half open, nobody else does while this is held.
    Open(CapturePass),
    /// The feed or a person was faster.
    AskTheLaw,
    /// No Capture in this pass.
    Shut,
}

impl<S: PaymentService> Lane<'_, S> {
    /// Half open, captures go one at a time, each only after a good reply: a read is asked for it.
    pub(super) async fn enter_capture(&mut self) -> Result<Gate, RunError> {
        let (house, pass) = (self.house, self.pass);
        if pass.capture_breaker.state() != BreakerState::Closed
            && self.flush().await? == Flushed::Rebased
        {
            return Ok(Gate::AskTheLaw);
        }
        let key = self.draft.history().trip().key.clone();
        let mut tries = 0_u32;
        loop {
            let entered = tokio::select! {
                entered = pass.capture_breaker.enter() => entered,
                () = house.halt.stopped() => None,
            };
            let Some(gate) = entered else {
                return Ok(Gate::Shut);
            };
            if !gate.is_exclusive() {
                return Ok(Gate::Open(gate));
            }
            if !house.paced(pass).await {
                return Ok(Gate::Shut);
            }
            tries = tries.saturating_add(1);
            let heard = house
                .call(pass, &key, &Call::TransactionalData, tries)
                .await;
            self.tell_breaker(&Call::TransactionalData, &heard.reply);
            let after = house
                .weigh(pass, &Call::TransactionalData, &heard, tries)
                .await?;
            if heard.reply.is_clear() {
                return Ok(Gate::Open(gate));
            }
            if after == After::Leave {
                // Captures are not clearly answered, nor is what would let one through.
                let why = "neither a Capture nor a read was clearly answered";
                if !house.halt.is_stopping() {
                    house.halt.stop(Why::Unavailable(why.to_owned()));
                }
                return Ok(Gate::Shut);
            }
        }
    }

    pub(super) fn tell_breaker(&self, call: &Call, reply: &Reply) {
        let breaker = &self.pass.capture_breaker;
        match call {
            Call::Capture { .. } if reply.leaves_capture_in_doubt() => {
                breaker.capture_unclear();
                if breaker.state() == BreakerState::Tripped {
                    let why = "one Capture after the other was not clearly answered";
                    self.house.halt.stop(Why::Unavailable(why.to_owned()));
                }
            }
            Call::Capture { .. } if reply.is_clear() => breaker.capture_clear(),
            Call::Adjust { .. } | Call::TransactionalData if reply.is_clear() => {
                breaker.good_reply();
            }
            Call::Capture { .. } | Call::Adjust { .. } | Call::Cancel | Call::TransactionalData => {
            }
        }
    }
}

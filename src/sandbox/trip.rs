//! A trip as the service knows it, and the rules of the five calls.

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::amount;
use super::answer::Answer;
use super::ask::{Amount, Ask, What};
use super::emv::EmvData;
use super::fault::Fault;
use super::ledger::LedgerRow;
use super::settings::{EarlyData, SandboxConfig};

/// One trip that the sandbox is to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxTrip {
    /// The store.
    pub store_id: String,
    /// The trip, unique within the store.
    pub shopping_trip_id: String,
    /// When the payment token's life begins.
    pub started_at: DateTime<Utc>,
    /// Three letters; empty takes the first currency that is asked for.
    pub currency: String,
    /// What the gate authorised; a capture without an Adjust may go so far.
    #[serde(with = "amount::text")]
    pub preauth: Decimal,
    /// The total to which the hold was raised before the sandbox met the trip; 0 is not at all.
    #[serde(with = "amount::text")]
    pub adjusted: Decimal,
    /// The highest total that Adjust approves.
    #[serde(with = "amount::text")]
    pub limit: Decimal,
    /// What goes wrong with this trip's calls, in this order.
    pub faults: Vec<Fault>,
    /// So many Adjusts are answered `PENDING` first.
    pub pending_asks: u32,
    /// Every call is answered 400 with this `errorMsg`.
    pub refuse: Option<String>,
    /// The EMV data, when it matters which.
    pub data: Option<EmvData>,
}

impl Default for SandboxTrip {
    /// A trip in USD that began just now by the real clock, with a card that covers everything.
    fn default() -> Self {
        Self {
            store_id: String::new(),
            shopping_trip_id: String::new(),
            started_at: Utc::now(),
            currency: "USD".to_owned(),
            preauth: Decimal::ZERO,
            adjusted: Decimal::ZERO,
            limit: Decimal::MAX,
            faults: Vec::new(),
            pending_asks: 0,
            refuse: None,
            data: None,
        }
    }
}

impl SandboxTrip {
    /// The default trip under a name.
    pub fn of(store_id: &str, shopping_trip_id: &str) -> Self {
        Self {
            store_id: store_id.to_owned(),
            shopping_trip_id: shopping_trip_id.to_owned(),
            ..Self::default()
        }
    }
}

/// A trip with everything that was done to it.
#[derive(Debug, Clone)]
pub(super) struct Trip {
    pub script: SandboxTrip,
    row: LedgerRow,
}

impl Trip {
    pub fn of(script: SandboxTrip) -> Self {
        let row = LedgerRow::of(&script);
        Self { script, row }
    }

    pub fn row(&self) -> &LedgerRow {
        &self.row
    }

    /// Does what is asked and answers.
    pub fn execute(&mut self, ask: &Ask, now: DateTime<Utc>, config: &SandboxConfig) -> Answer {
        let answered = self.check(ask).and_then(|()| match &ask.what {
            What::Adjust(amount) => self.adjust(amount, now, config),
            What::Capture(amount) => self.capture(amount, now, config),
            What::Cancel => self.cancel(now, config),
            What::TransactionalData => self.transactional_data(ask, now, config),
            What::Refund { request_id, amount } => self.refund(request_id, amount, ask, config),
        });
        answered.unwrap_or_else(|refusal| refusal)
    }

    /// What holds for every call.
    fn check(&mut self, ask: &Ask) -> Result<(), Answer> {
        if let Some(words) = &self.script.refuse {
            let why = "this trip is scripted to be refused";
            return Err(Answer::failure(StatusCode::BAD_REQUEST, words, why));
        }
        let Some(code) = ask.code() else {
            return Ok(());
        };
        if self.row.currency.is_empty() {
            self.row.currency = code.to_owned();
        }
        if self.row.currency == code {
            return Ok(());
        }
        let why = format!("the trip is in {}", self.row.currency);
        Err(Answer::bad_request(&why))
    }

    fn check_alive(&self, now: DateTime<Utc>, config: &SandboxConfig) -> Result<(), Answer> {
        let lifetime = TimeDelta::try_hours(config.token_lifetime_hours).unwrap_or(TimeDelta::MAX);
        let expires_at = self.script.started_at.checked_add_signed(lifetime);
        if expires_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        let (status, words) = (StatusCode::BAD_REQUEST, "ShoppingTripExpiredException");
        Err(Answer::failure(status, words, "the payment token is dead"))
    }

    fn check_held(&self) -> Result<(), Answer> {
        if self.row.cancelled {
            return Err(Answer::bad_request("the hold was released by Cancel"));
        }
        Ok(())
    }

    fn adjust(
        &mut self,
        amount: &Amount,
        now: DateTime<Utc>,
        config: &SandboxConfig,
    ) -> Result<Answer, Answer> {
        self.check_alive(now, config)?;
        self.check_held()?;
        self.row.adjusts += 1;
        if self.script.pending_asks > 0 {
            self.script.pending_asks -= 1;
            return Ok(adjusted("PENDING", amount.value, &amount.code));
        }
        if amount.value > self.script.limit {
            return Ok(adjusted("DECLINED", self.script.adjusted, &amount.code));
        }
        self.script.adjusted = amount.value;
        self.row.authorized = amount.value;
        Ok(adjusted("APPROVED", amount.value, &amount.code))
    }

    /// A second capture is executed like the first: nothing in the request tells them apart.
    fn capture(
        &mut self,
        amount: &Amount,
        now: DateTime<Utc>,
        config: &SandboxConfig,
    ) -> Result<Answer, Answer> {
        self.check_alive(now, config)?;
        self.check_held()?;
        if amount.value > self.row.authorized {
            return Err(Answer::bad_request("more than the authorised amount"));
        }
        self.row.captures.push((now, amount.value));
        Ok(Answer::empty())
    }

    fn cancel(&mut self, now: DateTime<Utc>, config: &SandboxConfig) -> Result<Answer, Answer> {
        self.check_alive(now, config)?;
        self.row.cancels += 1;
        self.row.cancelled = true;
        Ok(Answer::empty())
    }

    /// The data outlives the token, once there is any.
    fn transactional_data(
        &mut self,
        ask: &Ask,
        now: DateTime<Utc>,
        config: &SandboxConfig,
    ) -> Result<Answer, Answer> {
        self.row.reads += 1;
        let Some((captured_at, _)) = self.row.captures.first() else {
            self.check_alive(now, config)?;
            return not_yet(config.early_data);
        };
        let since = now.signed_duration_since(captured_at).num_milliseconds();
        if u64::try_from(since).unwrap_or(0) < config.data_delay_ms {
            return not_yet(config.early_data);
        }
        let data = self.script.data.clone();
        let currency = &self.row.currency;
        let data = data.unwrap_or_else(|| EmvData::of(config.seed, &ask.trip(), currency));
        Ok(Answer::json(data.json()))
    }

    /// The same request id refunds once, however often it is sent.
    fn refund(
        &mut self,
        request_id: &str,
        amount: &Amount,
        ask: &Ask,
        config: &SandboxConfig,
    ) -> Result<Answer, Answer> {
        let refunded_before = self.row.refunds.iter().any(|(id, _)| id == request_id);
        if !refunded_before {
            let captured = self.row.captures.iter().map(|(_, amount)| amount);
            let captured: Decimal = captured.sum();
            let refunded: Decimal = self.row.refunds.iter().map(|(_, amount)| amount).sum();
            if amount.value > captured - refunded {
                return Err(Answer::bad_request("more than was captured"));
            }
            let refund = (request_id.to_owned(), amount.value);
            self.row.refunds.push(refund);
        }
        let id = EmvData::of(config.seed, &ask.trip(), &amount.code).reconciliation_id;
        let body = serde_json::json!({ "reconciliationId": id });
        Ok(Answer::json(body.to_string()))
    }
}

fn adjusted(status: &str, amount: Decimal, code: &str) -> Answer {
    let amount = amount::token(amount, code);
    Answer::json(format!(
        r#"{{"status":"{status}","authorizedAmount":{{"amount":{amount},"code":"{code}"}}}}"#
    ))
}

fn not_yet(early: EarlyData) -> Result<Answer, Answer> {
    match early {
        EarlyData::Empty => Ok(Answer::json("{}")),
        EarlyData::Refused => {
            let words = "BadRequestException: transactional data not available yet";
            let why = "nothing was captured, or too short a time ago";
            Err(Answer::failure(StatusCode::BAD_REQUEST, words, why))
        }
    }
}

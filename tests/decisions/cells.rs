//! What the words in a cell mean.

use tripsettle::domain::{
    Call, DeclinePolicy, Elsewhere, Fact, LossReason, Money, Reply, Ruling, TransactionalData,
    Verdict,
};
use tripsettle::settlement::Decision;

use crate::settlement::{line, money, source, start, taken};

/// Reads cells; amounts without a currency are in the trip's.
pub struct Cells {
    pub currency: String,
}

impl Cells {
    /// `12.00`, or `12.00 EUR`.
    pub fn money(&self, text: &str) -> Money {
        match text.split_once(' ') {
            Some((amount, currency)) => money(amount, currency),
            None => money(text, &self.currency),
        }
    }

    pub fn intent(&self, text: &str) -> Call {
        match text.split_once(' ') {
            Some(("adjust", amount)) => Call::Adjust {
                total: self.money(amount),
            },
            Some(("capture", amount)) => Call::Capture {
                amount: self.money(amount),
            },
            _ if text == "cancel" => Call::Cancel,
            _ => Call::TransactionalData,
        }
    }

    fn reply(&self, text: &str) -> Result<Reply, String> {
        let words = || "so it said".to_owned();
        let authorized = |amount| self.money(amount);
        Ok(match text.split_once(' ') {
            Some(("approved", amount)) => Reply::Approved {
                authorized: authorized(amount),
            },
            Some(("declined", amount)) => Reply::Declined {
                authorized: authorized(amount),
            },
            _ => match text {
                "pending" => Reply::Pending,
                "initiated" => Reply::Initiated,
                "expired" => Reply::Expired { words: words() },
                "refused" => Reply::Refused { words: words() },
                "throttled" => Reply::Throttled {
                    retry_after_ms: Some(600_000),
                },
                "not sent" => Reply::NotSent { why: words() },
                "401 by the service" => Reply::Unauthorized {
                    words: words(),
                    by_service: true,
                },
                "401 by a stranger" => Reply::Unauthorized {
                    words: words(),
                    by_service: false,
                },
                "not the service" => Reply::NotTheService { why: words() },
                "unclear" => Reply::Unclear {
                    status: Some(500),
                    why: words(),
                },
                _ => return Err(format!("no such answer: {text}")),
            },
        })
    }

    /// A fact that is no call of the law's own.
    pub fn fact(
        &self,
        cell: &str,
        last_intent: u32,
        policy: DeclinePolicy,
    ) -> Result<Fact, String> {
        let amount = |text: &str| self.money(text);
        let elsewhere = |what| Fact::Elsewhere {
            what,
            source: source("tuesday", 9),
        };
        let (word, rest) = cell.split_once(' ').unwrap_or((cell, ""));
        Ok(match (word, rest) {
            ("amended", total) => {
                let source = source("tuesday", 7);
                Fact::Amended {
                    cart_total: amount(total),
                    tax: None,
                    source,
                }
            }
            ("told", "cancelled") => elsewhere(Elsewhere::Cancelled),
            ("told", what) => {
                let told = what.strip_prefix("captured ").ok_or("told what?")?;
                elsewhere(Elsewhere::Captured {
                    amount: amount(told),
                })
            }
            ("line", text) => line(amount(text)),
            ("data", "") => Fact::Evidence {
                data: Box::new(data()),
            },
            ("data", _) => Fact::NoEvidence {
                words: "expired".to_owned(),
            },
            ("ruled", verdict) => Fact::Ruled {
                ruling: self.ruling(verdict)?,
            },
            ("found", text) => Fact::FoundCaptured {
                amount: amount(text),
            },
            ("answer", text) => Fact::Replied {
                attempt: last_intent,
                reply: self.reply(text)?,
            },
            ("lose", text) => {
                let reason = LossReason::Declined;
                Fact::Lost {
                    amount: amount(text),
                    reason,
                    policy,
                }
            }
            ("taken", text) => taken(amount(text), false),
            _ => Fact::Intent {
                call: self.intent(cell),
            },
        })
    }

    fn ruling(&self, verdict: &str) -> Result<Ruling, String> {
        let verdict = match verdict.split_once(' ') {
            Some(("captured", amount)) => Verdict::Captured {
                amount: self.money(amount),
            },
            _ if verdict == "not captured" => Verdict::NotCaptured,
            _ if verdict == "retry" => Verdict::Retry,
            _ => return Err(format!("no such verdict: {verdict}")),
        };
        Ok(Ruling {
            verdict,
            by: "Ada".to_owned(),
            note: "asked the bank".to_owned(),
        })
    }
}

/// What follows, as the table says it.
pub fn words(decision: Decision) -> String {
    let plain = |money: Money| money.decimal_text();
    match decision {
        Decision::Call(call) => match call.amount() {
            Some(amount) => format!("{} {}", call.name(), plain(amount)),
            None => call.name().to_owned(),
        },
        Decision::AskAgain { not_before } => {
            let seconds = not_before.ms_since(start()) / 1000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            format!("ask again at {hours}:{minutes:02}:{:02}", seconds % 60)
        }
        Decision::Lose { amount, reason } => format!("lose {} {reason}", plain(amount)),
        Decision::AwaitEvidence => "await evidence".to_owned(),
        Decision::Parked => "parked".to_owned(),
        Decision::Finished => "finished".to_owned(),
    }
}

fn data() -> TransactionalData {
    TransactionalData {
        reconciliation_id: Some("ABC123456789".to_owned()),
        ..TransactionalData::default()
    }
}

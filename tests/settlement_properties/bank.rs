//! The bank: what really happened to one payment token, whatever we were told.

use tripsettle::domain::{Call, Money, Reply};

use crate::settlement::usd;

/// How the bank, or the way to it, behaves for one call.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    /// Does what is asked and says so.
    Clear,
    Pending,
    Refused,
    Throttled,
    NotSent,
    /// The answer is lost; the call was executed, or not.
    Unclear {
        done: bool,
    },
    /// 401 by something in between; the call was executed, or not.
    Stranger {
        done: bool,
    },
    /// We die before the answer; the call was executed, or not.
    Crash {
        done: bool,
    },
    /// The answer takes long: other things happen first. It tells the truth, or nothing.
    Slow {
        done: bool,
    },
}

/// The bank's own books.
#[derive(Debug, Clone)]
pub struct Bank {
    pub limit: i64,
    pub held: i64,
    pub dead: bool,
    /// Captures by our calls.
    pub ours: Vec<i64>,
    /// Captures by the retailer's other hand.
    pub elsewhere: Vec<i64>,
    pub cancelled: bool,
}

impl Bank {
    /// What the bank does and says; nothing said for a crash.
    pub fn hear(&mut self, call: Call, mood: Mood) -> Option<Reply> {
        let words = || "words".to_owned();
        Some(match mood {
            Mood::Clear => self.execute(call),
            Mood::Pending if matches!(call, Call::Adjust { .. }) => Reply::Pending,
            Mood::Pending => self.execute(call),
            Mood::Refused => Reply::Refused { words: words() },
            Mood::Throttled => Reply::Throttled {
                retry_after_ms: None,
            },
            Mood::NotSent => Reply::NotSent { why: words() },
            Mood::Unclear { done } | Mood::Slow { done: done @ false } => {
                self.perhaps(call, done);
                Reply::Unclear {
                    status: Some(500),
                    why: words(),
                }
            }
            Mood::Stranger { done } => {
                self.perhaps(call, done);
                Reply::Unauthorized {
                    words: words(),
                    by_service: false,
                }
            }
            Mood::Crash { done } => {
                self.perhaps(call, done);
                return None;
            }
            Mood::Slow { done: true } => self.execute(call),
        })
    }

    fn perhaps(&mut self, call: Call, done: bool) {
        if done {
            self.execute(call);
        }
    }

    fn execute(&mut self, call: Call) -> Reply {
        match call {
            Call::Adjust { .. } | Call::Capture { .. } if self.dead => Reply::Expired {
                words: "ShoppingTripExpiredException".to_owned(),
            },
            Call::Adjust { total } if total.minor() <= self.limit => {
                self.held = total.minor();
                Reply::Approved { authorized: total }
            }
            Call::Adjust { .. } => Reply::Declined {
                authorized: usd(self.held),
            },
            Call::Capture { amount } => self.capture(amount),
            Call::Cancel => {
                self.cancelled = true;
                Reply::Initiated
            }
            Call::TransactionalData => Reply::Data(Box::default()),
        }
    }

    fn capture(&mut self, amount: Money) -> Reply {
        assert!(
            amount.minor() <= self.held,
            "{amount} captured of {}",
            self.held
        );
        self.ours.push(amount.minor());
        Reply::Initiated
    }
}

//! Journals written as text: `taken 20.00 USD | capture 20.00 initiated | day 2 | line 20.00`.
//!
//! One segment is one thing that happened; amounts without a currency are in the trip's. `day N`
//! moves to the N-th books date (the first is 2026-11-23), `hours N` lets time pass.

#![allow(dead_code, clippy::unwrap_used)]

use serde_json::json;
use tripsettle::domain::*;
use tripsettle::settlement::History;

/// A trip and its journal so far.
#[derive(Debug, Clone)]
pub struct Journal {
    pub trip: Trip,
    pub events: Vec<Event>,
    pub at: Timestamp,
    pub books_date: BooksDate,
}

pub fn date(day: i64) -> BooksDate {
    let first = BooksDate::parse("2026-11-23").unwrap().date();
    BooksDate::of(first + chrono::Days::new(u64::try_from(day - 1).unwrap()))
}

pub fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap_or((text, "USD"));
    let currency = Currency::of(currency).unwrap();
    match amount.strip_prefix('-') {
        Some(positive) => Money::parse(positive, currency)
            .map(|m| Money::of_minor(-m.minor(), currency))
            .unwrap(),
        None => Money::parse(amount, currency).unwrap(),
    }
}

pub fn source(line: u64) -> Source {
    serde_json::from_value(json!({"file": "trips.csv", "line": line})).unwrap()
}

pub fn key(text: &str) -> TripKey {
    let (store, trip) = text.split_once('/').unwrap();
    let (store, trip) = (StoreId::of(store).unwrap(), TripId::of(trip).unwrap());
    TripKey { store, trip }
}

fn trip(name: &str, cart_total: Money) -> Trip {
    let started_at = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
    let expires_at = started_at.plus_ms(46 * 3_600_000);
    Trip {
        key: key(name),
        started_at,
        ended_at: None,
        cart_total,
        processor: Some(ProcessorName::of("adyen").unwrap()),
        purchase_id: Some(format!("order-{}", name.replace('/', "-"))),
        preauth: None,
        tax: None,
        business_date: BusinessDate::parse("2026-11-22").unwrap(),
        expires_at,
        act_by: expires_at.plus_ms(-7_200_000),
        unknown_processor: false,
    }
}

/// Reads a story of the trip `name`.
pub fn journal(name: &str, story: &str) -> Journal {
    let mut segments = story.split('|').map(str::trim);
    let taken = segments.next().unwrap().strip_prefix("taken ").unwrap();
    let (amount, after_loss) = match taken.strip_suffix(" after loss") {
        Some(amount) => (amount, true),
        None => (taken, false),
    };
    let trip = trip(name, money(amount));
    let mut journal = Journal {
        trip: trip.clone(),
        events: Vec::new(),
        at: Timestamp::parse("2026-11-24T02:30:00Z").unwrap(),
        books_date: date(1),
    };
    let (trip, source) = (Box::new(trip), source(2));
    journal.push(Fact::Taken {
        trip,
        source,
        after_loss,
    });
    for segment in segments {
        journal.hear(segment);
    }
    journal
}

impl Journal {
    pub fn push(&mut self, fact: Fact) {
        let step = u32::try_from(self.events.len()).unwrap() + 1;
        self.events.push(Event {
            seq: i64::from(step),
            step,
            at: self.at,
            books_date: self.books_date,
            run: Some(RunId::of("run-1").unwrap()),
            fact,
        });
    }

    fn amount(&self, text: &str) -> Money {
        match text.contains(' ') {
            true => money(text),
            false => money(&format!("{text} {}", self.trip.cart_total.currency())),
        }
    }

    fn hear(&mut self, segment: &str) {
        let (word, rest) = segment.split_once(' ').unwrap_or((segment, ""));
        match word {
            "day" => {
                self.books_date = date(rest.parse().unwrap());
                let days = self.books_date.days_since(date(1));
                self.at = Timestamp::parse("2026-11-24T02:30:00Z")
                    .unwrap()
                    .plus_ms(days * 86_400_000);
            }
            "hours" => self.at = self.at.plus_ms(rest.parse::<i64>().unwrap() * 3_600_000),
            "unknown_processor" => self.trip.unknown_processor = true,
            "adjust" | "capture" | "cancel" => self.call(word, rest),
            _ => self.push(self.fact(word, rest)),
        }
    }

    fn call(&mut self, word: &str, rest: &str) {
        let (amount, reply) = match word {
            "cancel" => ("0", rest),
            _ => rest.split_once(' ').unwrap_or((rest, "")),
        };
        let amount = self.amount(amount);
        let call = match word {
            "adjust" => Call::Adjust { total: amount },
            "capture" => Call::Capture { amount },
            _ => Call::Cancel,
        };
        self.push(Fact::Intent { call });
        let attempt = u32::try_from(self.events.len()).unwrap();
        let (name, words) = reply.split_once(' ').unwrap_or((reply, ""));
        let said = || words.to_owned();
        let reply = match name {
            "" => return,
            "approved" => Reply::Approved { authorized: amount },
            "declined" => Reply::Declined {
                authorized: self.amount(words),
            },
            "initiated" => Reply::Initiated,
            "pending" => Reply::Pending,
            "expired" => Reply::Expired { words: said() },
            "refused" => Reply::Refused { words: said() },
            "not_sent" => Reply::NotSent { why: said() },
            "unclear" => Reply::Unclear {
                status: None,
                why: said(),
            },
            other => panic!("no reply is called {other}"),
        };
        self.push(Fact::Replied { attempt, reply });
    }

    fn fact(&self, word: &str, rest: &str) -> Fact {
        let line = u64::try_from(self.events.len()).unwrap() + 2;
        match word {
            "amended" => Fact::Amended {
                cart_total: self.amount(rest),
                tax: None,
                source: source(9),
            },
            "elsewhere" => {
                let what = match rest.strip_prefix("captured ") {
                    Some(amount) => Elsewhere::Captured {
                        amount: self.amount(amount),
                    },
                    None => Elsewhere::Cancelled,
                };
                Fact::Elsewhere {
                    what,
                    source: source(9),
                }
            }
            "data" => Fact::Evidence {
                data: Box::new(data(rest)),
            },
            "no_data" => Fact::NoEvidence {
                words: rest.to_owned(),
            },
            "line" => Fact::Line {
                line: ProcessorLine {
                    processor: ProcessorName::of("adyen").unwrap(),
                    source: format!("adyen.csv line {line}"),
                    amount: self.amount(rest),
                    date: None,
                    reference: format!("R{line}"),
                    line_id: i64::try_from(line).unwrap(),
                },
            },
            "ruled" => Fact::Ruled {
                ruling: Ruling {
                    verdict: self.verdict(rest),
                    by: "kim".to_owned(),
                    note: "asked the processor".to_owned(),
                },
            },
            "lost" => {
                let (amount, reason) = rest.rsplit_once(' ').unwrap();
                Fact::Lost {
                    amount: self.amount(amount),
                    reason: LossReason::of(reason).unwrap(),
                    policy: DeclinePolicy::CaptureAuthorized,
                }
            }
            "debt" => Fact::Debt {
                ruling: DebtRuling {
                    act: self.debt_act(rest),
                    by: "kim".to_owned(),
                    note: "asked the shopper".to_owned(),
                },
            },
            "found" => Fact::FoundCaptured {
                amount: self.amount(rest),
            },
            "opened" => Fact::BreakOpened {
                found: Break {
                    kind: BreakKind::of(rest).unwrap(),
                    expected: None,
                    actual: None,
                    detail: "seen before".to_owned(),
                },
            },
            "cured" => Fact::BreakCured {
                kind: BreakKind::of(rest).unwrap(),
            },
            other => panic!("nothing is called {other}"),
        }
    }

    /// `recovered 5.00`, `written_off 5.00`, `taken_back 4`, `reversed 5.00 captured`.
    fn debt_act(&self, rest: &str) -> DebtAct {
        let (act, rest) = rest.split_once(' ').unwrap();
        match (act, rest.rsplit_once(' ')) {
            ("recovered", _) => DebtAct::Recovered {
                amount: self.amount(rest),
            },
            ("written_off", _) => DebtAct::WrittenOff {
                amount: self.amount(rest),
            },
            ("taken_back", _) => DebtAct::TakenBack {
                step: rest.parse().unwrap(),
            },
            ("reversed", Some((amount, into))) => DebtAct::Reversed {
                amount: self.amount(amount),
                into: ReversedInto::of(into).unwrap(),
            },
            _ => panic!("no act on a debt is called {act} {rest}"),
        }
    }

    fn verdict(&self, rest: &str) -> Verdict {
        match rest.strip_prefix("captured ") {
            Some(amount) => Verdict::Captured {
                amount: self.amount(amount),
            },
            None if rest == "retry" => Verdict::Retry,
            None => Verdict::NotCaptured,
        }
    }

    /// A standing as the history would derive it, from the given status and capture state.
    pub fn standing(&self, status: Status, capture_state: CaptureState) -> Standing {
        let (mut debt, mut found, mut data, mut told) = (0, 0, false, None);
        let mut total = self.trip.cart_total;
        let mut intended = None;
        for event in &self.events {
            match &event.fact {
                Fact::Amended { cart_total, .. } => total = *cart_total,
                Fact::Intent {
                    call: Call::Capture { amount },
                } => intended = Some(*amount),
                Fact::Lost { amount, .. } => debt += amount.minor(),
                Fact::FoundCaptured { amount } => found += amount.minor(),
                Fact::Evidence { .. } | Fact::NoEvidence { .. } => data = true,
                Fact::Elsewhere { what, .. } => told = told.or(Some(*what)),
                _ => {}
            }
        }
        let mut balances = Balances::nothing(total.currency());
        balances.cart_total = total.minor();
        balances.bad_debt = debt - found;
        let rest = total.minor() - balances.bad_debt;
        match status {
            Status::Captured | Status::CapturedPartial => balances.captured = rest,
            Status::Cancelled if told == Some(Elsewhere::Cancelled) => balances.cancelled = rest,
            Status::InDoubt => balances.in_doubt = rest,
            Status::Refused | Status::Open => balances.open = rest,
            Status::Cancelled | Status::WrittenOff | Status::Expired => {}
        }
        Standing {
            status,
            capture_state,
            balances,
            authorized: intended,
            intended: intended.or((status == Status::InDoubt).then_some(total)),
            act_by: None,
            version: 1,
            steps: u32::try_from(self.events.len()).unwrap(),
            adjust_calls: 1,
            wants_data: capture_state == CaptureState::Initiated && !data,
        }
    }
}

/// `field=value` pairs over good data; `field=` leaves the field out, `hidden=F` drops it.
pub fn data(changes: &str) -> TransactionalData {
    let mut good = json!({
        "brand": "VISA", "card_last4": "1234", "entry_mode": "EMV_9F39_07",
        "application_id": "A0000000031010", "authorization_response_code": "00",
        "cryptogram_information": "80", "cvm_result": "420300", "pan_sequence_number": "01",
        "terminal_id": "12345678", "currency": "USD", "reconciliation_id": "ABC123456789",
        "card_statement_transaction_id": "TXN987654321",
    });
    for change in changes.split_whitespace() {
        let (field, value) = change.split_once('=').unwrap();
        match (field, value) {
            ("hidden", value) => good["hidden"] = json!([value]),
            (field, "") => good[field] = json!(null),
            (field, value) => good[field] = json!(value),
        }
    }
    serde_json::from_value(good).unwrap()
}

/// Where the trip stands, in words: status, the parts of the bad debt, and what else is not 0.
pub fn stands(history: &History) -> String {
    let (standing, b) = (history.standing(), history.balances());
    assert!(b.hold(), "{b:?}");
    let text = |minor| Money::of_minor(minor, b.currency).decimal_text();
    let mut words = format!(
        "{}, bad debt {} recovered {} written off {} open {}",
        standing.status,
        text(b.bad_debt),
        text(b.recovered),
        text(b.written_off),
        text(b.debt())
    );
    for (word, part) in [("captured", b.captured), ("cancelled", b.cancelled)] {
        if part > 0 {
            words.push_str(&format!(", {word} {}", text(part)));
        }
    }
    words
}

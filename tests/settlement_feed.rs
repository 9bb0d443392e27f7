//! What a row of the trip feed means, told as rows: what was known, what the feed says, what comes
//! of it.
#![allow(clippy::unwrap_used)]

#[path = "settlement/mod.rs"]
mod settlement;

use tripsettle::domain::{
    Call, DeclinePolicy, Elsewhere, Fact, FeedRow, LossReason, Money, Reply, Timestamp,
};
use tripsettle::settlement::{Admitted, History, admit};

use settlement::{feed_row, hour, money, source, start, taken, trip};

fn amount(text: &str) -> Money {
    match text.split_once(' ') {
        Some((amount, currency)) => money(amount, currency),
        None => money(text, "USD"),
    }
}

/// `20.00`, `20.00 captured 15.00`, `20.00 cancelled`, `20.00 tax 3.19`, `20.00 begun later`.
fn row(text: &str, digest: &str) -> FeedRow {
    let source = source(digest, 9);
    if let Some((total, captured)) = text.split_once(" captured ") {
        let what = Elsewhere::Captured {
            amount: amount(captured),
        };
        return feed_row(amount(total), Some(what), source);
    }
    if let Some(total) = text.strip_suffix(" cancelled") {
        return feed_row(amount(total), Some(Elsewhere::Cancelled), source);
    }
    if let Some(total) = text.strip_suffix(" begun later") {
        return FeedRow {
            started_at: hour(1),
            ..feed_row(amount(total), None, source)
        };
    }
    match text.split_once(" tax ") {
        Some((total, tax)) => FeedRow {
            tax: Some(amount(tax)),
            ..feed_row(amount(total), None, source)
        },
        None => feed_row(amount(text), None, source),
    }
}

fn read(history: Option<&History>, row: &FeedRow, lost_before: Option<Timestamp>) -> Admitted {
    let mut placed = trip(row.amount);
    placed.tax = row.tax;
    admit(history, row, &placed, lost_before)
}

/// A history in a word.
fn known(text: &str) -> Option<History> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    if word == "nothing" {
        return None;
    }
    let mut history = History::begin(&taken(amount(word), false)).unwrap();
    let total = amount(word);
    let mut apply = |fact: Fact| history.apply(hour(1), &fact).unwrap();
    let intent = |call| Fact::Intent { call };
    let approved = Fact::Replied {
        attempt: 2,
        reply: Reply::Approved { authorized: total },
    };
    match rest {
        "" => {}
        "adjusted" => {
            apply(intent(Call::Adjust { total }));
            apply(approved);
        }
        "being captured" => {
            apply(intent(Call::Adjust { total }));
            apply(approved);
            apply(intent(Call::Capture { amount: total }));
        }
        "being cancelled" => apply(intent(Call::Cancel)),
        "lost" => apply(Fact::Lost {
            amount: total,
            reason: LossReason::Declined,
            policy: DeclinePolicy::WriteOff,
        }),
        told => {
            let what = row(&format!("{word} {told}"), "").elsewhere.unwrap();
            let source = source("monday", 3);
            apply(Fact::Elsewhere { what, source });
        }
    }
    Some(history)
}

fn words(admitted: Admitted) -> String {
    let fact = |fact: Fact| match fact {
        Fact::Taken {
            trip,
            after_loss: true,
            ..
        } => format!("taken {} in doubt", trip.cart_total),
        Fact::Taken { trip, .. } => format!("taken {}", trip.cart_total),
        Fact::Amended { cart_total, .. } => format!("amended {cart_total}"),
        Fact::Elsewhere {
            what: Elsewhere::Cancelled,
            ..
        } => "cancelled elsewhere".to_owned(),
        Fact::Elsewhere {
            what: Elsewhere::Captured { amount },
            ..
        } => {
            format!("captured elsewhere {amount}")
        }
        other => other.kind().to_owned(),
    };
    match admitted {
        Admitted::Facts(facts) => facts.into_iter().map(fact).collect::<Vec<_>>().join(", "),
        Admitted::Nothing => "nothing".to_owned(),
        Admitted::Rejected { field, reason } => {
            let word = reason.split([':', ' ']).next().unwrap_or_default();
            format!("rejected {}", field.unwrap_or(word))
        }
    }
}

#[test]
fn every_row_of_the_feed_means_what_the_law_says() {
    let rows = [
        // known of the trip, the row says, what comes of it
        ("nothing", "20.00", "taken 20.00 USD"),
        ("nothing", "0.00", "taken 0.00 USD"),
        (
            "nothing",
            "20.00 captured 20.00",
            "taken 20.00 USD, captured elsewhere 20.00 USD",
        ),
        (
            "nothing",
            "20.00 captured 15.00",
            "taken 20.00 USD, captured elsewhere 15.00 USD",
        ),
        (
            "nothing",
            "20.00 captured 25.00",
            "taken 20.00 USD, amended 25.00 USD, captured elsewhere 25.00 USD",
        ),
        (
            "nothing",
            "20.00 cancelled",
            "taken 20.00 USD, cancelled elsewhere",
        ),
        (
            "nothing",
            "0.00 captured 0.00",
            "taken 0.00 USD, captured elsewhere 0.00 USD",
        ),
        ("nothing", "20.00 captured 0.00", "rejected captured_amount"),
        (
            "nothing",
            "20.00 captured 20.00 EUR",
            "rejected captured_amount",
        ),
        // the same again, or another amount
        ("20.00", "20.00", "nothing"),
        ("20.00", "25.00", "amended 25.00 USD"),
        ("20.00", "0.00", "amended 0.00 USD"),
        ("20.00", "20.00 tax 3.19", "amended 20.00 USD"),
        ("20.00 adjusted", "25.00", "amended 25.00 USD"),
        ("20.00 being captured", "20.00", "nothing"),
        ("20.00 being captured", "25.00", "rejected amount"),
        (
            "20.00 being captured",
            "20.00 tax 3.19",
            "rejected tax_amount",
        ),
        ("0.00 being cancelled", "5.00", "rejected amount"),
        ("20.00 lost", "25.00", "rejected amount"),
        ("20.00 captured 20.00", "25.00", "rejected amount"),
        // what never changes
        ("20.00", "20.00 EUR", "rejected currency"),
        ("20.00", "20.00 begun later", "rejected started_at"),
        // captured or cancelled elsewhere
        (
            "20.00",
            "20.00 captured 20.00",
            "captured elsewhere 20.00 USD",
        ),
        (
            "20.00",
            "20.00 captured 15.00",
            "captured elsewhere 15.00 USD",
        ),
        (
            "20.00",
            "25.00 captured 25.00",
            "amended 25.00 USD, captured elsewhere 25.00 USD",
        ),
        (
            "20.00",
            "20.00 captured 25.00",
            "amended 25.00 USD, captured elsewhere 25.00 USD",
        ),
        (
            "20.00",
            "15.00 cancelled",
            "amended 15.00 USD, cancelled elsewhere",
        ),
        ("20.00", "20.00 captured 0.00", "rejected captured_amount"),
        (
            "20.00 being captured",
            "20.00 captured 20.00",
            "captured elsewhere 20.00 USD",
        ),
        (
            "20.00 being captured",
            "25.00 captured 25.00",
            "captured elsewhere 25.00 USD",
        ),
        ("20.00 lost", "20.00 cancelled", "cancelled elsewhere"),
        ("20.00 captured 20.00", "20.00 captured 20.00", "nothing"),
        ("20.00 captured 20.00", "20.00", "nothing"),
        (
            "20.00 captured 20.00",
            "20.00 cancelled",
            "cancelled elsewhere",
        ),
        ("20.00 cancelled", "25.00 cancelled", "nothing"),
    ];
    for (before, text, expected) in rows {
        let history = known(before);
        let admitted = read(history.as_ref(), &row(text, "tuesday"), None);
        let mut after = history;
        if let Admitted::Facts(facts) = &admitted {
            for fact in facts {
                match &mut after {
                    Some(history) => history.apply(hour(2), fact).unwrap(),
                    none => *none = Some(History::begin(fact).unwrap()),
                }
            }
        }
        assert_eq!(words(admitted), expected, "{before} | {text}");
        let again = read(after.as_ref(), &row(text, "wednesday"), None);
        if !expected.starts_with("rejected") {
            assert_eq!(words(again), "nothing", "{before} | {text}, told once more");
        }
    }
}

#[test]
fn the_same_trip_twice_in_one_file_must_say_the_same() {
    let rows = [
        ("20.00", "20.00", "nothing"),
        ("20.00", "20.01", "rejected conflict"),
        ("20.00", "20.00 EUR", "rejected conflict"),
        ("20.00", "20.00 begun later", "rejected conflict"),
        ("20.00", "20.00 tax 3.19", "rejected conflict"),
        ("20.00", "20.00 cancelled", "rejected conflict"),
        ("20.00 captured 15.00", "20.00 captured 15.00", "nothing"),
        (
            "20.00 captured 15.00",
            "20.00 captured 20.00",
            "rejected conflict",
        ),
        ("20.00 captured 15.00", "20.00", "rejected conflict"),
    ];
    for (before, text, expected) in rows {
        let admitted = read(known(before).as_ref(), &row(text, "monday"), None);
        assert_eq!(words(admitted), expected, "{before} | {text}");
    }
    let mut nameless = row("25.00", "");
    nameless.source.digest.clear();
    let history = known("20.00");
    assert_eq!(
        words(read(history.as_ref(), &nameless, None)),
        "amended 25.00 USD"
    );
}

#[test]
fn after_a_loss_of_state_what_began_before_is_in_doubt() {
    let rows = [
        ("20.00", hour(1), "taken 20.00 USD in doubt"),
        ("20.00", start(), "taken 20.00 USD"),
        // An empty cart too may have been captured before: it is never cancelled by us.
        ("0.00", hour(1), "taken 0.00 USD in doubt"),
        (
            "20.00 cancelled",
            hour(1),
            "taken 20.00 USD, cancelled elsewhere",
        ),
        (
            "20.00 captured 20.00",
            hour(1),
            "taken 20.00 USD, captured elsewhere 20.00 USD",
        ),
    ];
    for (text, lost_before, expected) in rows {
        let admitted = read(None, &row(text, "tuesday"), Some(lost_before));
        assert_eq!(words(admitted), expected, "{text}");
    }
}

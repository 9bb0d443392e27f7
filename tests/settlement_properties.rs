//! Promises that hold on every way through the law: a trip is walked by chance against a bank that
//! keeps its own books, captures in secret when it stays silent, and tells us only sometimes.
#![allow(clippy::unwrap_used)]

#[path = "settlement_properties/bank.rs"]
mod bank;
#[path = "settlement/mod.rs"]
mod settlement;
#[path = "settlement_properties/walk.rs"]
mod walk;

use proptest::prelude::*;
use tripsettle::domain::{
    Break, BreakKind, Call, DeclinePolicy, Elsewhere, Fact, LossReason, Money, Reply, Ruling,
    Verdict,
};
use tripsettle::settlement::{Decision, History, decide};

use bank::Mood;
use settlement::{hour, line, policy, source, start, taken, usd};
use walk::{Step, Walk};

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        6 => Just(Mood::Clear),
        1 => Just(Mood::Pending),
        1 => Just(Mood::Refused),
        1 => Just(Mood::Throttled),
        1 => Just(Mood::NotSent),
        1 => any::<bool>().prop_map(|done| Mood::Unclear { done }),
        1 => any::<bool>().prop_map(|done| Mood::Stranger { done }),
        1 => any::<bool>().prop_map(|done| Mood::Crash { done }),
        1 => any::<bool>().prop_map(|done| Mood::Slow { done }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => mood().prop_map(Step::Act),
        2 => (1_i64..900).prop_map(Step::Wait),
        1 => (0_i64..3000).prop_map(Step::Amend),
        1 => any::<bool>().prop_map(Step::Elsewhere),
        1 => Just(Step::Line),
        1 => Just(Step::Data),
        2 => Just(Step::Rule),
        1 => Just(Step::Slip),
        1 => Just(Step::Retry),
        1 => Just(Step::FindCaptured),
        1 => (0_usize..3).prop_map(Step::Policy),
    ]
}

fn walk() -> impl Strategy<Value = (i64, i64, bool, Vec<Step>)> {
    let total = prop_oneof![1 => Just(0_i64), 9 => 1_i64..3000];
    (
        total,
        0_i64..4000,
        any::<bool>(),
        prop::collection::vec(step(), 1..40),
    )
}

/// Any fact at all, also such that no sane caller would write.
fn any_fact() -> impl Strategy<Value = Fact> {
    let money = || {
        let currency = prop_oneof![9 => Just("USD"), 1 => Just("EUR")];
        (-5_i64..30, currency).prop_map(|(whole, code)| {
            let currency = tripsettle::domain::Currency::of(code).unwrap();
            Money::of_minor(whole * 100, currency)
        })
    };
    let words = || "words".to_owned();
    let call = prop_oneof![
        money().prop_map(|total| Call::Adjust { total }),
        money().prop_map(|amount| Call::Capture { amount }),
        Just(Call::Cancel),
        Just(Call::TransactionalData),
    ];
    let reply = prop_oneof![
        4 => money().prop_map(|authorized| Reply::Approved { authorized }),
        2 => money().prop_map(|authorized| Reply::Declined { authorized }),
        1 => Just(Reply::Pending),
        3 => Just(Reply::Initiated),
        1 => Just(Reply::Expired { words: words() }),
        1 => Just(Reply::Refused { words: words() }),
        1 => Just(Reply::Throttled { retry_after_ms: None }),
        1 => Just(Reply::Unclear { status: None, why: words() }),
        1 => any::<bool>().prop_map(move |by_service| Reply::Unauthorized {
            words: words(),
            by_service
        }),
    ];
    let verdict = prop_oneof![
        money().prop_map(|amount| Verdict::Captured { amount }),
        Just(Verdict::NotCaptured),
        Just(Verdict::Retry),
    ];
    let elsewhere = prop_oneof![
        money().prop_map(|amount| Elsewhere::Captured { amount }),
        Just(Elsewhere::Cancelled),
    ];
    let found = |kind| Break {
        kind,
        expected: None,
        actual: None,
        detail: String::new(),
    };
    prop_oneof![
        6 => call.prop_map(|call| Fact::Intent { call }),
        6 => (1_u32..20, reply).prop_map(|(attempt, reply)| Fact::Replied { attempt, reply }),
        1 => money().prop_map(|total| {
            Fact::Amended { cart_total: total, tax: None, source: source("tuesday", 3) }
        }),
        1 => elsewhere.prop_map(|what| Fact::Elsewhere { what, source: source("tuesday", 4) }),
        1 => money().prop_map(line),
        2 => verdict.prop_map(|verdict| {
            let (by, note) = ("Ada".to_owned(), String::new());
            Fact::Ruled { ruling: Ruling { verdict, by, note } }
        }),
        2 => (money(), 0..LossReason::ALL.len()).prop_map(|(amount, reason)| {
            let (reason, policy) = (LossReason::ALL[reason], DeclinePolicy::WriteOff);
            Fact::Lost { amount, reason, policy }
        }),
        1 => money().prop_map(|amount| Fact::FoundCaptured { amount }),
        1 => Just(Fact::Evidence { data: Box::default() }),
        1 => Just(Fact::BreakOpened { found: found(BreakKind::InDoubt) }),
        1 => Just(Fact::BreakCured { kind: BreakKind::InDoubt }),
        1 => Just(taken(usd(2000), false)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise 1: whatever the bank hides, it is asked for the money once. Promise 2: the parts of
    /// the cart add up after every fact. Both are asserted at every step of the walk.
    #[test]
    fn no_walk_charges_twice_or_loses_a_cent((total, limit, after_loss, steps) in walk()) {
        let mut walk = Walk::new(total, limit, after_loss);
        for step in &steps {
            walk.take(step);
        }
        walk.journal_tells_the_same();
    }

    /// However a walk began, clear answers bring the trip to its end in a few calls.
    #[test]
    fn clear_answers_end_every_walk((total, limit, after_loss, steps) in walk()) {
        let mut walk = Walk::new(total, limit, after_loss);
        for step in &steps {
            walk.take(step);
        }
        walk.answer_clearly();
        prop_assert!(walk.play_out(Mood::Clear, 12), "{:?}", walk.standing());
        walk.books_agree_with_the_bank();
    }

    /// However a walk began, a service that cannot be reached any more leaves nothing open: two
    /// days after expiry all is captured, lost, cancelled or in doubt.
    #[test]
    fn silence_ends_every_walk((total, limit, after_loss, steps) in walk()) {
        let mut walk = Walk::new(total, limit, after_loss);
        for step in &steps {
            walk.take(step);
        }
        walk.until(hour(96));
        prop_assert!(walk.play_out(Mood::NotSent, 4), "{:?}", walk.standing());
    }

    /// Facts in any order: the forbidden ones are refused and change nothing, and what is left
    /// never holds a second Capture that could be one.
    #[test]
    fn no_order_of_facts_breaks_the_law(
        total in 0_i64..30,
        facts in prop::collection::vec(any_fact(), 1..60),
    ) {
        let mut history = History::begin(&taken(usd(total * 100), false)).unwrap();
        let mut may_be_captured = false;
        for fact in facts {
            let fact = match fact {
                // Half of the replies answer the last step, so that some are to the point.
                Fact::Replied { attempt, reply } if attempt % 2 == 0 => {
                    Fact::Replied { attempt: history.steps(), reply }
                }
                other => other,
            };
            let before = history.standing();
            if history.apply(start(), &fact).is_err() {
                prop_assert_eq!(before, history.standing());
                continue;
            }
            let standing = history.standing();
            prop_assert!(standing.balances.hold(), "{:?} made {:?}", fact, standing);
            let parts = standing.balances;
            let ours = [parts.captured, parts.bad_debt, parts.in_doubt, parts.open];
            prop_assert!(ours.iter().all(|part| *part >= 0), "{:?} made {:?}", fact, standing);
            prop_assert_eq!(standing.steps, before.steps + 1);
            if let Fact::Intent { call: Call::Capture { .. } } = fact {
                prop_assert!(!may_be_captured, "a second capture");
            }
            may_be_captured = parts.in_doubt > 0 || parts.captured > 0;
        }
    }

    /// A decision is a function of the history: asking changes nothing, and every call or loss it
    /// asks for is one that the law allows.
    #[test]
    fn what_is_decided_is_allowed(
        (total, limit, after_loss, steps) in walk(),
        hours in 0_i64..100,
    ) {
        let mut walk = Walk::new(total, limit, after_loss);
        for step in &steps {
            walk.take(step);
        }
        let now = hour(hours);
        for on_decline in DeclinePolicy::ALL {
            let policy = policy(*on_decline);
            let fact = match decide(&walk.history, &policy, now) {
                Decision::Call(call) => Fact::Intent { call },
                Decision::Lose { amount, reason } => {
                    Fact::Lost { amount, reason, policy: *on_decline }
                }
                Decision::AskAgain { not_before } => {
                    prop_assert!(not_before > now);
                    continue;
                }
                Decision::AwaitEvidence | Decision::Parked | Decision::Finished => continue,
            };
            let applied = walk.history.clone().apply(now, &fact);
            prop_assert!(applied.is_ok(), "{:?}: {:?}", fact, applied);
        }
    }
}

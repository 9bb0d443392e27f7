//! The history as other rooms meet it: what it tells, and how it says no.
#![allow(clippy::unwrap_used)]

#[path = "settlement/mod.rs"]
mod settlement;

use tripsettle::domain::{
    Break, BreakKind, Call, DeclinePolicy, Fact, LossReason, Reply, Ruling, Timestamp,
    TransactionalData, Verdict,
};
use tripsettle::settlement::{History, rule};

use settlement::{events, hour, line, start, taken, usd};

fn lost(minor: i64) -> Fact {
    let (reason, policy) = (LossReason::Declined, DeclinePolicy::WriteOff);
    Fact::Lost {
        amount: usd(minor),
        reason,
        policy,
    }
}

fn break_of(kind: BreakKind) -> Break {
    Break {
        kind,
        expected: None,
        actual: None,
        detail: "seen".to_owned(),
    }
}

fn history(facts: &[Fact]) -> History {
    let mut history = History::begin(&taken(usd(2000), false)).unwrap();
    facts
        .iter()
        .for_each(|fact| history.apply(hour(1), fact).unwrap());
    history
}

#[test]
fn a_history_tells_its_lines_and_evidence() {
    let data = TransactionalData {
        brand: Some("VISA".to_owned()),
        ..Default::default()
    };
    let history = history(&[
        lost(2000),
        line(usd(1200)),
        Fact::FoundCaptured { amount: usd(1200) },
        Fact::Evidence {
            data: Box::new(data.clone()),
        },
        Fact::BreakOpened {
            found: break_of(BreakKind::CapturedAfterWriteOff),
        },
        Fact::BreakOpened {
            found: break_of(BreakKind::EvidenceMissing),
        },
        Fact::BreakCured {
            kind: BreakKind::EvidenceMissing,
        },
    ]);
    assert_eq!(history.lines()[0].amount, usd(1200));
    assert_eq!(history.evidence(), Some(&data));
    assert_eq!(history.steps(), 8);
    assert_eq!(history.standing().steps, 8);
    assert_eq!(history.trip().cart_total, usd(2000));
}

#[test]
fn transactional_data_is_asked_for_until_it_says_something_about_the_capture() {
    let evidence = |reconciliation_id: Option<&str>| Fact::Evidence {
        data: Box::new(TransactionalData {
            reconciliation_id: reconciliation_id.map(str::to_owned),
            ..Default::default()
        }),
    };
    let rows = [
        // in doubt after a loss of state, what came; is more wanted, is the amount a guess
        (false, None, false, false),
        (true, None, true, true),
        (true, Some(evidence(None)), true, true),
        (true, Some(evidence(Some("R-1"))), false, true),
    ];
    for (after_loss, came, wanted, guessed) in rows {
        let mut history = History::begin(&taken(usd(2000), after_loss)).unwrap();
        if let Some(fact) = &came {
            history.apply(hour(1), fact).unwrap();
        }
        let told = (history.standing().wants_data, history.doubt_is_guessed());
        assert_eq!(told, (wanted, guessed), "after loss {after_loss}: {came:?}");
    }
    let adjust = Fact::Intent {
        call: Call::Adjust { total: usd(2000) },
    };
    let reply = |attempt, reply| Fact::Replied { attempt, reply };
    let approved = Reply::Approved {
        authorized: usd(2000),
    };
    let capture = Fact::Intent {
        call: Call::Capture { amount: usd(2000) },
    };
    let captured = [
        adjust,
        reply(2, approved),
        capture,
        reply(4, Reply::Initiated),
    ];
    let mut history = history(&captured);
    assert!(history.standing().wants_data && !history.doubt_is_guessed());
    history.apply(hour(1), &evidence(None)).unwrap();
    assert!(!history.standing().wants_data, "a capture needs no proof");
}

#[test]
fn a_journal_with_a_gap_or_a_wrong_beginning_is_not_read() {
    let told = |facts: &[(Timestamp, Fact)]| History::replay(&events(facts)).unwrap_err();
    let at = |fact: Fact| (start(), fact);
    assert!(told(&[]).to_string().contains("the trip has no events"));
    let no_taking = told(&[at(lost(2000))]).to_string();
    assert!(
        no_taking.contains("begins with `taken`, not with `lost`"),
        "{no_taking}"
    );
    let mut gap = events(&[at(taken(usd(2000), false)), at(lost(2000))]);
    gap[1].step = 3;
    let gap = History::replay(&gap).unwrap_err().to_string();
    assert!(gap.contains("step 3 is out of order"), "{gap}");
    let twice = told(&[at(taken(usd(2000), false)), at(taken(usd(2000), false))]);
    assert!(twice.why.contains("taken before"), "{twice}");
    assert_eq!((twice.trip.as_str(), twice.step), ("S1/trip-1", 2));
}

#[test]
fn what_the_law_forbids_is_said_in_words() {
    let adjust = Fact::Intent {
        call: Call::Adjust { total: usd(2000) },
    };
    let capture = |minor| Fact::Intent {
        call: Call::Capture { amount: usd(minor) },
    };
    let reply = |attempt, reply| Fact::Replied { attempt, reply };
    let approved = reply(
        2,
        Reply::Approved {
            authorized: usd(2000),
        },
    );
    let throttled = reply(
        4,
        Reply::Throttled {
            retry_after_ms: None,
        },
    );
    let captured = [
        adjust.clone(),
        approved.clone(),
        capture(2000),
        reply(4, Reply::Initiated),
    ];
    let undone = [adjust.clone(), approved.clone(), capture(2000), throttled];
    let retry = || {
        let (verdict, by, note) = (Verdict::Retry, "Ada".to_owned(), String::new());
        Fact::Ruled {
            ruling: Ruling { verdict, by, note },
        }
    };
    let cancel = || Fact::Intent { call: Call::Cancel };
    let rows: [(&[Fact], Fact, &str); 9] = [
        (
            &[],
            capture(2000),
            "a capture before anything is authorised",
        ),
        (
            &captured,
            capture(2000),
            "a second capture, while the first is not proved undone",
        ),
        (&captured, cancel(), "a cancel after a capture was intended"),
        (&undone, cancel(), "a cancel after a capture was intended"),
        (
            &undone,
            capture(2001),
            "a capture of 20.01 USD is not between 0.01 USD and 20.00 USD",
        ),
        (&[], cancel(), "there is no hold to release"),
        (
            &[],
            reply(7, Reply::Initiated),
            "a reply to step 7, which awaits none",
        ),
        (&[], lost(1999), "a loss of 19.99 USD is not 20.00 USD"),
        (&[], retry(), "the trip is not refused"),
    ];
    for (facts, forbidden, words) in rows {
        let mut history = history(facts);
        let no = history.apply(hour(2), &forbidden).unwrap_err();
        assert_eq!(no.why, words);
        let sentence = no.to_string();
        assert!(sentence.starts_with("trip S1/trip-1, step "), "{sentence}");
        assert!(
            sentence.ends_with("(see `tripsettle show S1/trip-1`)"),
            "{sentence}"
        );
    }
}

#[test]
fn a_ruling_becomes_a_fact_only_where_it_fits() {
    let ruling = |verdict| Ruling {
        verdict,
        by: "Ada".to_owned(),
        note: "asked".to_owned(),
    };
    let mut doubt = History::begin(&taken(usd(2000), true)).unwrap();
    let captured = ruling(Verdict::Captured { amount: usd(2000) });
    let fact = rule(&doubt, &captured, hour(1)).unwrap();
    assert_eq!(fact, Fact::Ruled { ruling: captured });
    assert_eq!(doubt.steps(), 1, "asking changes nothing");
    doubt.apply(hour(1), &fact).unwrap();
    for verdict in [
        Verdict::NotCaptured,
        Verdict::Retry,
        Verdict::Captured { amount: usd(1) },
    ] {
        let refused = rule(&doubt, &ruling(verdict), hour(1))
            .unwrap_err()
            .to_string();
        assert!(refused.contains("S1/trip-1"), "{refused}");
    }
}

#[test]
fn what_was_ruled_out_is_remembered_until_it_is_taken_back() {
    let ruled = |verdict| {
        let (by, note) = ("Ada".to_owned(), "asked".to_owned());
        let ruling = Ruling { verdict, by, note };
        Fact::Ruled { ruling }
    };
    let mut doubt = History::begin(&taken(usd(2000), true)).unwrap();
    assert_eq!(doubt.ruled_out(), None);
    doubt.apply(hour(1), &ruled(Verdict::NotCaptured)).unwrap();
    assert_eq!(doubt.ruled_out(), Some(usd(2000)));
    let amount = usd(1500);
    let captured = ruled(Verdict::Captured { amount });
    doubt.apply(hour(1), &captured).unwrap();
    assert_eq!(doubt.ruled_out(), None);
}

#[test]
fn what_was_open_in_an_older_state_is_in_doubt_until_a_person_rules() {
    let ruled = |verdict| {
        let (by, note) = ("Ada".to_owned(), "looked it up".to_owned());
        Fact::Ruled {
            ruling: Ruling { verdict, by, note },
        }
    };
    let mut open = history(&[]);
    open.apply(hour(1), &ruled(Verdict::MayBeCaptured)).unwrap();
    let parts = open.balances();
    assert_eq!((parts.in_doubt, parts.open), (2000, 0));
    assert!(open.doubt_is_guessed() && !open.was_ruled_not_captured());
    let again = open.apply(hour(1), &ruled(Verdict::MayBeCaptured));
    assert_eq!(again.unwrap_err().why, "nothing of it is open");
    open.apply(hour(2), &ruled(Verdict::NotCaptured)).unwrap();
    assert_eq!(open.balances().open, 2000);
    assert!(open.was_ruled_not_captured());
    let mut over = history(&[lost(2000)]);
    let no = over.apply(hour(2), &ruled(Verdict::MayBeCaptured));
    assert_eq!(no.unwrap_err().why, "nothing of it is open");
}

//! The law of a debt: what may be done about it, what it does to the trip, and how it says no.
#![allow(clippy::unwrap_used)]

mod journal;

use journal::{Journal, journal, stands};
use tripsettle::domain::*;
use tripsettle::settlement::{History, recover_debt, rule_debt};

fn outcome(story: &str) -> String {
    match History::replay(&journal("S1/T1", story).events) {
        Ok(history) => stands(&history),
        Err(illegal) => format!("no: {}", illegal.why),
    }
}

/// What happened after `taken 20.00 USD`, and where the trip stands then.
const LAW: [(&str, &str); 31] = [
    (
        "lost 20.00 declined | debt recovered 5.00",
        "written_off, bad debt 20.00 recovered 5.00 written off 0.00 open 15.00",
    ),
    (
        "lost 20.00 token_expired | debt recovered 5.00 | debt recovered 15.00",
        "expired, bad debt 20.00 recovered 20.00 written off 0.00 open 0.00",
    ),
    (
        "lost 20.00 declined | debt recovered 20.01",
        "no: a recovery of 20.01 USD is not between 0.01 USD and 20.00 USD",
    ),
    (
        "lost 20.00 declined | debt recovered 15.00 | debt recovered 5.01",
        "no: a recovery of 5.01 USD is not between 0.01 USD and 5.00 USD",
    ),
    (
        "lost 20.00 declined | debt recovered 0.00",
        "no: a recovery of 0.00 USD is not between 0.01 USD and 20.00 USD",
    ),
    (
        "lost 20.00 declined | debt recovered 500 JPY",
        "no: a recovery of 500 JPY is in another currency",
    ),
    (
        "debt recovered 5.00",
        "no: a recovery where no bad debt is open",
    ),
    (
        "lost 20.00 declined | debt recovered 20.00 | debt recovered 0.01",
        "no: a recovery where no bad debt is open",
    ),
    (
        "lost 20.00 declined | debt recovered 5.00 | debt written_off 15.00",
        "written_off, bad debt 20.00 recovered 5.00 written off 15.00 open 0.00",
    ),
    (
        "lost 20.00 declined | debt written_off 19.99",
        "no: a write-off of 19.99 USD is not 20.00 USD",
    ),
    (
        "lost 20.00 declined | debt written_off 20.00 | debt recovered 5.00",
        "no: a recovery of a debt that was written off; take that back first: `tripsettle debt \
         reverse S1/T1 --step 3`",
    ),
    (
        "lost 20.00 declined | debt written_off 20.00 | debt written_off 20.00",
        "no: a write-off of a debt that was written off; take that back first: `tripsettle debt \
         reverse S1/T1 --step 3`",
    ),
    (
        "lost 20.00 declined | debt written_off 20.00 | debt taken_back 3 | debt recovered 5.00",
        "written_off, bad debt 20.00 recovered 5.00 written off 0.00 open 15.00",
    ),
    (
        "lost 20.00 declined | debt recovered 5.00 | debt recovered 6.00 | debt taken_back 3",
        "written_off, bad debt 20.00 recovered 6.00 written off 0.00 open 14.00",
    ),
    (
        "lost 20.00 declined | debt recovered 5.00 | debt taken_back 3 | debt taken_back 3",
        "no: step 3 is no recovery, write-off or reversal that stands",
    ),
    (
        "lost 20.00 declined | debt recovered 5.00 | debt taken_back 2",
        "no: step 2 is no recovery, write-off or reversal that stands",
    ),
    (
        "lost 20.00 declined | debt taken_back 9",
        "no: step 9 is no recovery, write-off or reversal that stands",
    ),
    (
        "lost 20.00 declined | debt recovered 5.00 | debt taken_back 3 | debt taken_back 4",
        "no: step 4 is no recovery, write-off or reversal that stands",
    ),
    (
        "lost 20.00 declined | debt reversed 20.00 captured",
        "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 20.00",
    ),
    (
        "lost 20.00 declined | debt reversed 20.00 cancelled",
        "cancelled, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, cancelled 20.00",
    ),
    (
        "lost 20.00 declined | debt reversed 8.00 captured",
        "captured_partial, bad debt 12.00 recovered 0.00 written off 0.00 open 12.00, captured \
         8.00",
    ),
    (
        "lost 20.00 declined | debt recovered 5.00 | debt reversed 15.01 captured",
        "no: a reversal of 15.01 USD is not between 0.01 USD and 15.00 USD",
    ),
    (
        "lost 20.00 declined | debt reversed 20.00 captured | debt reversed 0.01 captured",
        "no: a reversal of a debt that was reversed; take that back first: `tripsettle debt \
         reverse S1/T1 --step 3`",
    ),
    (
        "lost 20.00 declined | debt reversed 20.00 captured | debt taken_back 3 | \
         debt recovered 5.00",
        "written_off, bad debt 20.00 recovered 5.00 written off 0.00 open 15.00",
    ),
    (
        "lost 20.00 token_expired | debt reversed 20.00 cancelled | debt taken_back 3",
        "expired, bad debt 20.00 recovered 0.00 written off 0.00 open 20.00",
    ),
    (
        "lost 20.00 declined | debt reversed 8.00 captured | debt reversed 12.00 cancelled | \
         debt taken_back 3 | debt recovered 8.00",
        "written_off, bad debt 8.00 recovered 8.00 written off 0.00 open 0.00, cancelled 12.00",
    ),
    (
        "lost 20.00 declined | debt reversed 8.00 captured | debt taken_back 3 | debt taken_back 3",
        "no: step 3 is no recovery, write-off or reversal that stands",
    ),
    (
        "adjust 20.00 declined 12.00 | capture 12.00 initiated | lost 8.00 declined | \
         debt reversed 8.00 captured | debt taken_back 7",
        "captured_partial, bad debt 8.00 recovered 0.00 written off 0.00 open 8.00, captured 12.00",
    ),
    (
        "adjust 20.00 approved | capture 20.00 initiated | debt reversed 5.00 cancelled",
        "no: a reversal where no bad debt is open",
    ),
    (
        "lost 20.00 declined | line 20.00 | debt recovered 5.00 | found 20.00",
        "no: bad debt found captured of 20.00 USD is not between 0.01 USD and 15.00 USD",
    ),
    (
        "lost 20.00 declined | line 20.00 | debt written_off 20.00 | found 20.00",
        "no: bad debt found captured of 20.00 USD is not between 0.01 USD and 0.00 USD",
    ),
];

#[test]
fn a_debt_is_settled_within_what_stands_open() {
    for (story, expected) in LAW {
        let got = outcome(&format!("taken 20.00 USD | {story}"));
        assert_eq!(got, expected, "{story}");
    }
}

fn ruling(act: DebtAct, by: &str, note: &str) -> DebtRuling {
    let (by, note) = (by.to_owned(), note.to_owned());
    DebtRuling { act, by, note }
}

#[test]
fn a_command_given_twice_books_once_and_a_nameless_one_never() {
    let mut journal = journal("S1/T1", "taken 20.00 USD | lost 20.00 declined");
    let five = DebtAct::Recovered {
        amount: journal::money("5.00"),
    };
    let history = |journal: &Journal| History::replay(&journal.events).unwrap();
    let paid = ruling(five, "Ada", "transfer 17");
    let fact = rule_debt(&history(&journal), &paid, journal.at).unwrap();
    journal.push(fact);
    let again = rule_debt(&history(&journal), &paid, journal.at).unwrap_err();
    let words = again.to_string();
    assert!(words.contains("step 3 says the very same"), "{words}");
    for (by, note) in [("", "why"), ("Ada", " "), (" ", "")] {
        let nameless = rule_debt(&history(&journal), &ruling(five, by, note), journal.at);
        let words = nameless.unwrap_err().to_string();
        assert!(words.contains("with a name and a reason"), "{words}");
    }
    let other = ruling(five, "Ada", "transfer 18");
    rule_debt(&history(&journal), &other, journal.at).unwrap();
    // Taken back, it may be said again.
    let back = ruling(DebtAct::TakenBack { step: 3 }, "Ada", "bounced");
    journal.push(rule_debt(&history(&journal), &back, journal.at).unwrap());
    rule_debt(&history(&journal), &paid, journal.at).unwrap();
}

/// Money that comes for a debt, some of which was given up: what is written, and where it stands.
#[test]
fn money_for_what_was_written_off_puts_that_back_first() {
    let rows = [
        // what was done about 20.00 before the money came; the money; what is written; the parts
        (
            "debt written_off 20.00",
            "5.00",
            "taken_back 3, recovered 5.00, written_off 15.00",
            "recovered 5.00 written off 15.00 open 0.00",
        ),
        (
            "debt written_off 20.00",
            "20.00",
            "taken_back 3, recovered 20.00",
            "recovered 20.00 written off 0.00 open 0.00",
        ),
        (
            "debt recovered 5.00",
            "15.00",
            "recovered 15.00",
            "recovered 20.00 written off 0.00 open 0.00",
        ),
        // First what is open.
        (
            "debt recovered 5.00 | debt written_off 15.00 | debt taken_back 3",
            "5.00",
            "recovered 5.00",
            "recovered 5.00 written off 15.00 open 0.00",
        ),
        (
            "debt recovered 5.00 | debt written_off 15.00 | debt taken_back 3",
            "6.00",
            "taken_back 4, recovered 6.00, written_off 14.00",
            "recovered 6.00 written off 14.00 open 0.00",
        ),
        // The newest write-off first, and no more of them than are needed.
        (
            "debt recovered 5.00 | debt written_off 15.00 | debt taken_back 3 | \
             debt written_off 5.00",
            "4.00",
            "taken_back 6, recovered 4.00, written_off 1.00",
            "recovered 4.00 written off 16.00 open 0.00",
        ),
        (
            "debt written_off 20.00",
            "20.01",
            "no: a recovery of 20.01 USD is not between 0.01 USD and 20.00 USD",
            "recovered 0.00 written off 20.00 open 0.00",
        ),
        (
            "debt recovered 20.00",
            "0.01",
            "no: a recovery where no bad debt is open",
            "recovered 20.00 written off 0.00 open 0.00",
        ),
    ];
    for (done, came, expected, parts) in rows {
        let story = format!("taken 20.00 USD | lost 20.00 declined | {done}");
        let mut journal = journal("S1/T1", &story);
        let history = History::replay(&journal.events).unwrap();
        let words = ("Ada", "transfer 17");
        let written = match recover_debt(&history, journal::money(came), words, journal.at) {
            Err(refused) => {
                let words = refused.to_string();
                let why = words.split_once(": ").unwrap().1.split_once(';').unwrap().0;
                format!("no: {why}")
            }
            Ok(facts) => {
                let mut written = Vec::new();
                for fact in facts {
                    let Fact::Debt { ruling } = &fact else {
                        panic!("{fact:?}");
                    };
                    assert_eq!((&*ruling.by, &*ruling.note), words);
                    written.push(match ruling.act {
                        DebtAct::TakenBack { step } => format!("taken_back {step}"),
                        DebtAct::Recovered { amount } | DebtAct::WrittenOff { amount } => {
                            format!("{} {}", ruling.act.name(), amount.decimal_text())
                        }
                        DebtAct::Reversed { .. } => panic!("{fact:?}"),
                    });
                    journal.push(fact);
                }
                written.join(", ")
            }
        };
        assert_eq!(written, expected, "{done}, then {came}");
        let stands = stands(&History::replay(&journal.events).unwrap());
        assert!(stands.contains(parts), "{done}, then {came}: {stands}");
    }
}

#[test]
fn no_hold_is_released_beside_what_a_person_says_was_captured() {
    for (done, released) in [
        ("lost 20.00 declined", true),
        ("lost 20.00 token_expired", false),
        ("lost 20.00 declined | debt recovered 20.00", true),
        ("lost 20.00 declined | debt reversed 20.00 captured", false),
        ("lost 20.00 declined | debt reversed 5.00 captured", false),
        // Not even where somebody thought better of it.
        (
            "lost 20.00 declined | debt reversed 5.00 captured | debt taken_back 3",
            false,
        ),
    ] {
        let story = journal("S1/T1", &format!("taken 20.00 USD | {done}"));
        let history = History::replay(&story.events).unwrap();
        let to_do = history.standing().act_by.is_some();
        assert_eq!(to_do, released, "{done}");
    }
}

#[test]
fn a_history_tells_what_was_done_about_its_debt() {
    for (done, told, alone) in [
        ("lost 20.00 declined", "", true),
        (
            "lost 20.00 declined | debt written_off 20.00",
            "3 written_off",
            true,
        ),
        (
            "lost 20.00 declined | debt recovered 5.00 | debt taken_back 3",
            "3 recovered, taken back; 4 taken_back",
            true,
        ),
        (
            "lost 20.00 declined | debt written_off 20.00 | debt taken_back 3 \
             | debt recovered 5.00",
            "3 written_off, taken back; 4 taken_back; 5 recovered",
            false,
        ),
    ] {
        let story = journal("S1/T1", &format!("taken 20.00 USD | {done}"));
        let history = History::replay(&story.events).unwrap();
        let tell = |done: &tripsettle::settlement::DebtDone| {
            let after = if done.taken_back { ", taken back" } else { "" };
            format!("{} {}{after}", done.step, done.ruling.act.name())
        };
        let acts: Vec<_> = history.debt_done().iter().map(tell).collect();
        assert_eq!(acts.join("; "), told, "{done}");
        assert_eq!(history.may_be_written_off_alone(), alone, "{done}");
    }
}

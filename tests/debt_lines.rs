//! A debt that was settled, and what the processor's lines and the feed say of it afterwards.
#![allow(clippy::unwrap_used)]

mod journal;

use journal::{Journal, journal, stands};
use tripsettle::domain::*;
use tripsettle::reconcile::{Outside, Terms, examine, findings, known_breaks};
use tripsettle::settlement::History;

/// Lets reconcile look at the story on its last day and appends what it finds.
fn examined(story: &str) -> Journal {
    let mut journal = journal("S1/T1", story);
    let terms = Terms {
        evidence_missing_after_ms: 48 * 3_600_000,
        at: journal.at,
        books_date: journal.books_date,
    };
    for round in 0..2 {
        let standing = History::replay(&journal.events).unwrap().standing();
        let (trip, events) = (&journal.trip, &journal.events);
        let breaks = examine(trip, events, &standing, &Outside::default(), &terms);
        let found = findings(trip, events, &standing, &breaks, &terms);
        assert!(round == 0 || found.is_empty(), "{story}: {found:?}");
        found.into_iter().for_each(|fact| journal.push(fact));
    }
    journal
}

/// The breaks that stand open after all events.
fn open(journal: &Journal) -> Vec<BreakKind> {
    known_breaks(&journal.events, journal.books_date)
}

#[test]
fn a_line_that_contradicts_the_ledger_takes_back_what_was_decided_on_wrong_grounds() {
    let rows = [
        // what was done about 20.00 before a line came; the line; where it stands; breaks
        (
            "debt written_off 20.00",
            "20.00",
            "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 20.00",
            "captured_after_write_off",
        ),
        (
            "debt recovered 5.00 | debt written_off 15.00",
            "12.00",
            "captured_partial, bad debt 8.00 recovered 5.00 written off 0.00 open 3.00, captured \
             12.00",
            "captured_after_write_off",
        ),
        (
            // The shopper paid 5.00 of it twice: nobody but a person can say what becomes of it.
            "debt recovered 5.00",
            "20.00",
            "captured_partial, bad debt 5.00 recovered 5.00 written off 0.00 open 0.00, captured \
             15.00",
            "captured_after_write_off captured_twice",
        ),
        (
            // Together they are the cart, and nobody paid twice.
            "debt recovered 5.00",
            "15.00",
            "captured_partial, bad debt 5.00 recovered 5.00 written off 0.00 open 0.00, captured \
             15.00",
            "captured_after_write_off",
        ),
        (
            "debt recovered 20.00",
            "20.00",
            "written_off, bad debt 20.00 recovered 20.00 written off 0.00 open 0.00",
            "captured_after_write_off captured_twice",
        ),
        (
            "debt reversed 20.00 captured",
            "20.00",
            "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 20.00",
            "",
        ),
        (
            "debt recovered 5.00 | debt written_off 15.00 | debt taken_back 3",
            "20.00",
            "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 20.00",
            "captured_after_write_off",
        ),
        (
            // One line shows what a person told in two parts.
            "debt reversed 5.00 captured | debt reversed 7.00 captured",
            "12.00",
            "captured_partial, bad debt 8.00 recovered 0.00 written off 0.00 open 8.00, captured \
             12.00",
            "",
        ),
        (
            "debt reversed 20.00 captured",
            "19.00",
            "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 20.00",
            "amount_differs",
        ),
        (
            "debt reversed 20.00 cancelled",
            "20.00",
            "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 20.00",
            "captured_after_write_off",
        ),
        (
            "debt reversed 8.00 cancelled | debt written_off 12.00",
            "12.00",
            "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 12.00, \
             cancelled 8.00",
            "captured_after_write_off",
        ),
        (
            "debt recovered 5.00 | debt reversed 15.00 cancelled",
            "12.00",
            "captured_partial, bad debt 8.00 recovered 5.00 written off 0.00 open 3.00, captured \
             12.00",
            "captured_after_write_off",
        ),
        (
            "debt reversed 20.00 cancelled | debt taken_back 3 | debt recovered 20.00",
            "20.00",
            "written_off, bad debt 20.00 recovered 20.00 written off 0.00 open 0.00",
            "captured_after_write_off captured_twice",
        ),
        (
            "debt reversed 20.00 captured | debt taken_back 3",
            "19.00",
            "captured_partial, bad debt 1.00 recovered 0.00 written off 0.00 open 1.00, captured \
             19.00",
            "captured_after_write_off",
        ),
    ];
    for (done, line, expected, breaks) in rows {
        let story = format!("taken 20.00 USD | lost 20.00 declined | day 2 | {done} | day 3");
        let journal = examined(&format!("{story} | line {line}"));
        let history = History::replay(&journal.events).unwrap();
        assert_eq!(stands(&history), expected, "{done}, line {line}");
        let mut open: Vec<_> = open(&journal).iter().map(|kind| kind.as_str()).collect();
        open.sort_unstable();
        assert_eq!(open.join(" "), breaks, "{done}, line {line}");
    }
}

#[test]
fn a_persons_word_settles_what_the_feed_said_too_late() {
    let story = "taken 20.00 USD | lost 20.00 declined | day 2 | elsewhere captured 20.00";
    let told = examined(story);
    assert_eq!(open(&told), [BreakKind::CapturedElsewhere]);
    let story = format!("{story} | debt reversed 20.00 captured");
    assert_eq!(open(&examined(&story)), []);
    // The other way round, the feed only repeats what is known, or contradicts it.
    let story = "taken 20.00 USD | lost 20.00 declined | day 2 | debt reversed 20.00 captured";
    let later = |word: &str| open(&examined(&format!("{story} | elsewhere {word}")));
    assert_eq!(later("captured 20.00"), []);
    assert_eq!(later("captured 19.00"), [BreakKind::CapturedElsewhere]);
    assert_eq!(later("cancelled"), [BreakKind::CapturedElsewhere]);
}

#[test]
fn a_reversal_that_is_taken_back_leaves_everything_as_it_was() {
    let ends = |story: &str| {
        let journal = examined(&format!(
            "taken 20.00 USD | lost 20.00 declined | day 2 | {story}"
        ));
        let history = History::replay(&journal.events).unwrap();
        let open: Vec<_> = open(&journal).iter().map(|kind| kind.as_str()).collect();
        format!("{}; {}", stands(&history), open.join(" "))
    };
    let owed = "written_off, bad debt 20.00 recovered 0.00 written off 0.00 open 20.00";
    let found = "captured, bad debt 0.00 recovered 0.00 written off 0.00 open 0.00, captured 20.00";
    for (story, expected) in [
        // The feed was right for as long as the reversal stood.
        (
            "elsewhere captured 20.00 | debt reversed 20.00 captured | debt taken_back 4",
            format!("{owed}; captured_elsewhere"),
        ),
        (
            "debt reversed 20.00 captured | debt taken_back 3 | elsewhere captured 20.00",
            format!("{owed}; captured_elsewhere"),
        ),
        (
            "debt reversed 8.00 captured | debt reversed 12.00 captured | debt taken_back 3 | \
             debt taken_back 4 | elsewhere cancelled",
            format!("{owed}; "),
        ),
        // A line shows the money nevertheless.
        (
            "debt reversed 20.00 captured | line 20.00 | debt taken_back 3",
            format!("{found}; captured_after_write_off"),
        ),
        (
            "debt reversed 20.00 captured | line 20.00 | line -20.00 | debt taken_back 3",
            format!("{owed}; "),
        ),
    ] {
        assert_eq!(ends(story), expected, "{story}");
    }
}

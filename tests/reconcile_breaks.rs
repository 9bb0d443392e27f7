//! Which breaks a trip's journal shows, when they are opened, and when they are cured.

#![allow(clippy::unwrap_used)]

mod journal;

use std::path::Path;

use journal::{Journal, date, journal, key};
use tripsettle::domain::{Break, BreakKind, CaptureState, Fact, Standing, Status};
use tripsettle::reconcile::{
    BreakStatus, MatchStatus, Outside, Terms, examine, findings, is_one_off, known_breaks,
    match_status, speaks_against, status_on,
};

const HOUR: i64 = 3_600_000;

/// The rows of a table in `fixtures/reconcile`: three cells parted by `=>`, `#` for remarks.
fn table(name: &str) -> Vec<[String; 3]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reconcile");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let rows = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows: Vec<_> = rows
        .map(|line| {
            let cells: Vec<String> = line
                .split("=>")
                .map(|cell| cell.trim().to_owned())
                .collect();
            cells.try_into().unwrap()
        })
        .collect();
    assert!(!rows.is_empty(), "{name} has no rows");
    rows
}

fn terms(journal: &Journal) -> Terms {
    Terms {
        evidence_missing_after_ms: 24 * HOUR,
        at: journal.at,
        books_date: journal.books_date,
    }
}

fn standing(journal: &Journal, stands: &str) -> Standing {
    let (status, capture) = stands.split_once(' ').unwrap_or((stands, "none"));
    let (status, capture) = (
        Status::of(status).unwrap(),
        CaptureState::of(capture).unwrap(),
    );
    journal.standing(status, capture)
}

/// The examination in words: `kind`, and what was expected and found where it is about money.
fn shown(breaks: &[Break]) -> String {
    let words = breaks
        .iter()
        .map(|found| match (found.expected, found.actual) {
            (None, None) => found.kind.to_string(),
            (expected, actual) => {
                let text = |m: Option<tripsettle::domain::Money>| {
                    m.map_or("-".to_owned(), |money| money.to_string())
                };
                format!("{} {} {}", found.kind, text(expected), text(actual))
            }
        });
    words.collect::<Vec<_>>().join(", ")
}

fn examined(story: &str, stands: &str) -> Vec<Break> {
    let journal = journal("S1/T1", story);
    let standing = standing(&journal, stands);
    let outside = Outside::default();
    let terms = terms(&journal);
    examine(&journal.trip, &journal.events, &standing, &outside, &terms)
}

#[test]
fn breaks_follow_from_the_journal_alone() {
    for [story, stands, expected] in table("breaks.txt") {
        assert_eq!(shown(&examined(&story, &stands)), expected, "{story}");
    }
}

#[test]
fn a_break_says_what_a_person_needs_to_go_on() {
    for [story, stands, expected] in table("words.txt") {
        let breaks = examined(&story, &stands);
        let words: Vec<_> = breaks.iter().map(|found| found.detail.as_str()).collect();
        assert_eq!(words.join(" / "), expected, "{story}");
    }
}

#[test]
fn transactional_data_is_held_against_the_rules_of_emv() {
    let rows = [
        ("", ""),
        ("authorization_response_code=08", ""),
        ("authorization_response_code=Y1", ""),
        ("authorization_response_code=y3", ""),
        ("authorization_response_code=3030", ""),
        ("authorization_response_code=5933", ""),
        ("authorization_response_code=", ""),
        (
            "authorization_response_code=05",
            "response_code_not_approved",
        ),
        (
            "authorization_response_code=Z3",
            "response_code_not_approved",
        ),
        (
            "authorization_response_code=3035",
            "response_code_not_approved",
        ),
        ("authorization_response_code=0", "malformed_field"),
        ("cryptogram_information=40", ""),
        ("cryptogram_information=00", "cryptogram_declined"),
        ("cryptogram_information=0F", "cryptogram_declined"),
        ("cryptogram_information=C0", ""),
        ("cryptogram_information=8", "malformed_field"),
        ("cryptogram_information=8G", "malformed_field"),
        ("card_last4=12345", "malformed_field"),
        ("card_last4=12a4", "malformed_field"),
        ("application_id=A000000003101", "malformed_field"),
        ("application_id=A00000", "malformed_field"),
        ("cvm_result=4203", "malformed_field"),
        ("pan_sequence_number=1", "malformed_field"),
        ("terminal_id=12345678901234567", "malformed_field"),
        ("hidden=terminal_id", "malformed_field"),
        ("entry_mode=SOMETHING_NEW", ""),
        ("brand=NEWCARD", ""),
        ("currency=EUR", "currency_differs"),
        ("currency=usd", "malformed_field"),
        ("currency=", ""),
        (
            "cryptogram_information=00 authorization_response_code=05 currency=EUR cvm_result=x",
            "currency_differs, response_code_not_approved, cryptogram_declined, malformed_field",
        ),
    ];
    for (data, expected) in rows {
        let story = format!("taken 20.00 USD | capture 20.00 initiated | data {data}");
        assert_eq!(
            shown(&examined(&story, "captured evidenced")),
            expected,
            "{data}"
        );
        let against = expected
            .split(", ")
            .any(|kind| !["", "malformed_field"].contains(&kind));
        let journal = journal("S1/T1", &story);
        let Some(Fact::Evidence { data: read }) = journal.events.last().map(|event| &event.fact)
        else {
            panic!("{data} is no data");
        };
        let usd = journal.trip.cart_total.currency();
        assert_eq!(speaks_against(read, usd), against, "{data}");
    }
}

#[test]
fn a_malformed_field_is_named_but_its_value_is_not_repeated() {
    let story = "taken 20.00 USD | capture 20.00 initiated | data card_last4=98765 hidden=brand";
    let breaks = examined(story, "captured evidenced");
    let details: Vec<_> = breaks.iter().map(|found| found.detail.as_str()).collect();
    let expected = "card_last4 is not 4 digits; brand held what looks like a card number";
    assert_eq!(details, [expected]);
}

#[test]
fn two_trips_must_not_share_a_reconciliation_id() {
    let journal = journal("S1/T1", "taken 20.00 USD | capture 20.00 initiated | data");
    let other = key("S2/T9");
    let outside = Outside {
        reconciliation_id_shared_with: Some(&other),
    };
    let standing = standing(&journal, "captured evidenced");
    let terms = terms(&journal);
    let breaks = examine(&journal.trip, &journal.events, &standing, &outside, &terms);
    assert_eq!(shown(&breaks), "reconciliation_id_shared");
    assert!(breaks.iter().all(|found| found.detail.contains("S2/T9")));
}

/// The findings of an examination, as the close would append them.
fn found(journal: &Journal, stands: &str) -> Vec<Fact> {
    let (standing, terms) = (standing(journal, stands), terms(journal));
    let outside = Outside::default();
    let now = examine(&journal.trip, &journal.events, &standing, &outside, &terms);
    findings(&journal.trip, &journal.events, &standing, &now, &terms)
}

fn told(facts: &[Fact]) -> String {
    let words = facts.iter().map(|fact| match fact {
        Fact::BreakOpened { found } => format!("+{}", found.kind),
        Fact::BreakCured { kind } => format!("-{kind}"),
        Fact::FoundCaptured { amount } => format!("found {amount}"),
        other => panic!("a finding is never {other:?}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn findings_are_what_the_journal_does_not_say_yet() {
    for [story, stands, expected] in table("findings.txt") {
        let journal = journal("S1/T1", &story);
        assert_eq!(told(&found(&journal, &stands)), expected, "{story}");
    }
}

#[test]
fn examining_twice_changes_nothing() {
    let stories = [
        (
            "taken 20.00 USD | capture 20.00 unclear reset",
            "in_doubt in_doubt",
        ),
        (
            "taken 20.00 USD | capture 20.00 initiated | line 25.00 | line 1.00",
            "captured settled",
        ),
        ("taken 20.00 USD | lost 20.00 token_expired", "expired"),
        ("taken 20.00 USD | adjust 20.00 refused no", "refused"),
    ];
    for (story, stands) in stories {
        let mut journal = journal("S1/T1", story);
        let first = found(&journal, stands);
        assert!(!first.is_empty(), "{story}");
        first.into_iter().for_each(|fact| journal.push(fact));
        assert_eq!(found(&journal, stands), [], "{story}");
    }
}

#[test]
fn a_break_is_told_from_its_first_day_to_its_cure() {
    let (refused, expired) = (BreakKind::Refused, BreakKind::Expired);
    let (open, cured) = (Some(BreakStatus::Open), Some(BreakStatus::Cured));
    let rows = [
        // kind, first seen, cured; how days 1 to 4 tell it
        (refused, 2, None, [None, open, open, open]),
        (refused, 2, Some(3), [None, cured, cured, None]),
        (refused, 2, Some(2), [None, cured, None, None]),
        (expired, 2, None, [None, open, None, None]),
        (expired, 2, Some(3), [None, open, None, None]),
    ];
    for (kind, first_seen, cured, expected) in rows {
        let told =
            [1, 2, 3, 4].map(|day| status_on(date(day), kind, date(first_seen), cured.map(date)));
        assert_eq!(
            told, expected,
            "{kind} seen on {first_seen}, cured on {cured:?}"
        );
    }
}

#[test]
fn a_row_tells_what_is_open_now_and_the_one_offs_of_its_day() {
    let story = "taken 20.00 USD | opened expired | opened refused | opened in_doubt | day 2 \
                 | cured expired | cured refused | opened captured_after_write_off \
                 | opened evidence_missing";
    let journal = journal("S1/T1", story);
    let rows = [
        (
            1,
            vec![
                BreakKind::EvidenceMissing,
                BreakKind::InDoubt,
                BreakKind::Expired,
            ],
        ),
        (
            2,
            vec![
                BreakKind::EvidenceMissing,
                BreakKind::InDoubt,
                BreakKind::CapturedAfterWriteOff,
            ],
        ),
    ];
    for (day, expected) in rows {
        assert_eq!(
            known_breaks(&journal.events, date(day)),
            expected,
            "day {day}"
        );
    }
}

#[test]
fn every_capture_is_matched_broken_or_pending() {
    let rows = [
        ("open", vec![], MatchStatus::None),
        ("expired", vec![BreakKind::Expired], MatchStatus::None),
        ("refused", vec![BreakKind::Refused], MatchStatus::None),
        ("captured", vec![], MatchStatus::None),
        ("captured initiated", vec![], MatchStatus::Pending),
        (
            "captured initiated",
            vec![BreakKind::EvidenceMissing],
            MatchStatus::Break,
        ),
        ("in_doubt in_doubt", vec![], MatchStatus::Pending),
        (
            "in_doubt in_doubt",
            vec![BreakKind::InDoubt],
            MatchStatus::Break,
        ),
        ("captured evidenced", vec![], MatchStatus::Matched),
        (
            "captured evidenced",
            vec![BreakKind::UnknownStore],
            MatchStatus::Matched,
        ),
        (
            "captured evidenced",
            vec![BreakKind::UnknownProcessor],
            MatchStatus::Matched,
        ),
        ("captured settled", vec![], MatchStatus::Matched),
        (
            "captured settled",
            vec![BreakKind::AmountDiffers],
            MatchStatus::Break,
        ),
        (
            "written_off",
            vec![BreakKind::CapturedAfterWriteOff],
            MatchStatus::Break,
        ),
    ];
    let journal = journal("S1/T1", "taken 20.00 USD");
    for (stands, breaks, expected) in rows {
        let standing = standing(&journal, stands);
        let got = match_status(&standing, breaks.iter().copied());
        assert_eq!(got, expected, "{stands} with {breaks:?}");
    }
}

#[test]
fn one_offs_are_few() {
    let all = BreakKind::ALL.iter().copied();
    let one_off: Vec<_> = all.filter(|kind| is_one_off(*kind)).collect();
    let expected = [
        BreakKind::ElsewhereAboveTotal,
        BreakKind::Expired,
        BreakKind::CancelUnconfirmed,
        BreakKind::CapturedAfterWriteOff,
    ];
    assert_eq!(one_off, expected);
}

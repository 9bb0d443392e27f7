//! Lines of reports that tell lines of earlier ones again: what happened once is counted once, and
//! what happened twice is counted twice.

#![allow(clippy::unwrap_used)]

mod journal;
mod store;

use journal::{date, money};
use store::{now, state};
use tripsettle::domain::ProcessorName;
use tripsettle::store::{LineKey, NewLine, ProcessorFile};

/// A line as `trip reference day amount kind`; `-` for what it lacks. The trip is
/// `trip/store/reconciliation id`, the currency USD but in `9.99:EUR`, and `sale!` is a sale that
/// counts as no capture. Another text cannot be read.
fn line(place: usize, text: &str) -> NewLine {
    let line = u64::try_from(place).unwrap() + 2;
    let cells: Vec<&str> = text.split_whitespace().collect();
    let may = |cell: &str| (cell != "-").then(|| cell.to_owned());
    let [trip, reference, day, amount, kind] = cells[..] else {
        let problem = text.to_owned();
        return NewLine::Unreadable { line, problem };
    };
    let mut named = trip.split('/').map(may);
    let mut name = || named.next().flatten();
    NewLine::Read {
        line,
        key: LineKey {
            trip: name(),
            store: name(),
            reconciliation_id: name(),
        },
        amount: money(&amount.replace(':', " ")),
        date: may(day).map(|day| format!("2026-11-{day}").parse().unwrap()),
        reference: may(reference).unwrap_or_default(),
        kind: kind.trim_end_matches('!').to_owned(),
        is_capture: !kind.ends_with('!'),
    }
}

/// How many lines of each report are kept, and how many wait then; a report is
/// `processor: line, line`, with a `+` before the colon where it is cumulative.
fn kept(reports: &str) -> String {
    let state = state();
    let mut kept = Vec::new();
    for (place, report) in reports.split('|').enumerate() {
        let (processor, lines) = report.split_once(':').unwrap();
        let file = ProcessorFile {
            sha256: format!("{place}"),
            processor: ProcessorName::of(processor.trim().trim_end_matches('+')).unwrap(),
            name: format!("{place}.csv"),
            cumulative: processor.ends_with('+'),
        };
        let lines = lines.split(',').enumerate();
        let lines = lines.map(|(place, text)| line(place, text)).collect();
        let taken = state
            .store
            .take_processor_lines(&file, lines, date(1), now());
        kept.push(taken.unwrap());
    }
    let waiting = state.store.unmatched_lines(0, 99).unwrap().len();
    let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
    format!("{} = {waiting}", kept.join(" "))
}

#[test]
fn a_cumulative_report_brings_only_what_is_new_in_it() {
    const A: &str = "a R1 21 9.99 sale";
    const B: &str = "b R2 21 9.99 sale";
    let rows = [
        ("acme: A | acme: A", "1 1 = 2"),
        ("acme: A | acme+: A", "1 0 = 1"),
        ("acme+: A | acme+: A, B | acme+: A, B", "1 1 0 = 2"),
        // What one report tells twice happened twice.
        ("acme+: A, A | acme+: A, A", "2 0 = 2"),
        ("acme+: A | acme+: A, B, A | acme+: A, A, B", "1 2 0 = 3"),
        ("acme+: A, A | acme+: A | acme+: A, A, A", "2 0 1 = 3"),
        // Two that were not cumulative told two; one that begins anew after them tells no more.
        ("acme: A | acme: A | acme+: A, A | acme+: A", "1 1 0 0 = 2"),
        ("acme+: A | acme: A", "1 1 = 2"),
        ("acme+: A | other+: A", "1 1 = 2"),
        // Whatever differs is new.
        ("acme+: A | acme+: a R2 21 9.99 sale", "1 1 = 2"),
        ("acme+: A | acme+: a R1 22 9.99 sale", "1 1 = 2"),
        ("acme+: A | acme+: a R1 21 9.98 sale", "1 1 = 2"),
        ("acme+: A | acme+: a R1 21 9.99:EUR sale", "1 1 = 2"),
        ("acme+: A | acme+: b R1 21 9.99 sale", "1 1 = 2"),
        ("acme+: A | acme+: a/S1 R1 21 9.99 sale", "1 1 = 2"),
        ("acme+: A | acme+: a/-/P1 R1 21 9.99 sale", "1 1 = 2"),
        ("acme+: A | acme+: a R1 21 9.99 charge", "1 1 = 2"),
        ("acme+: a R1 21 9.99 sale! | acme+: A", "1 1 = 1"),
        (
            "acme+: a/S1/P1 R1 21 9.99:EUR sale | acme+: a/S1/P1 R1 21 9.99:EUR sale",
            "1 0 = 1",
        ),
        (
            "acme+: -/-/P1 R1 21 9.99 sale | acme+: -/-/P1 R1 21 9.99 sale",
            "1 0 = 1",
        ),
        // What cannot be known again is new.
        (
            "acme+: a - 21 9.99 sale | acme+: a - 21 9.99 sale",
            "1 1 = 2",
        ),
        (
            "acme+: a R1 - 9.99 sale | acme+: a R1 - 9.99 sale",
            "1 1 = 2",
        ),
        ("acme+: broken | acme+: broken", "1 1 = 0"),
        // Money that went back is told again as well, and is no capture told again.
        (
            "acme+: a R1 21 9.99 back! | acme+: a R1 21 9.99 back!, A",
            "1 1 = 1",
        ),
        (
            "acme+: a R1 21 -9.99 sale | acme+: a R1 21 -9.99 sale, A",
            "1 1 = 2",
        ),
    ];
    for (reports, expected) in rows {
        let told = reports.replace('A', A).replace('B', B);
        assert_eq!(kept(&told), expected, "{reports}");
    }
}

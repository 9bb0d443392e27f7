//! A whole night of twelve trips in three stores, closed and published as `run` does it.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use tripsettle::books::{Control, Counted, Ledger, check};
use tripsettle::domain::*;
use tripsettle::outputs::publish::{Modes, Staging, edition_dir, publish};
use tripsettle::outputs::*;
use tripsettle::reconcile::{
    self, BreakStatus, Outside, Terms, examine, findings, known_breaks, match_status, status_on,
};

use crate::journal::{Journal, date, journal, source};

/// The trips of `fixtures/outputs/night.txt`.
pub fn trips() -> Vec<[&'static str; 4]> {
    let text = include_str!("../../fixtures/outputs/night.txt");
    let rows = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|row| row.split(" => ").collect::<Vec<_>>().try_into().unwrap())
        .collect()
}

fn standing(journal: &Journal, stands: &str) -> Standing {
    let (status, capture) = stands.split_once(' ').unwrap_or((stands, "none"));
    let (status, capture) = (
        Status::of(status).unwrap(),
        CaptureState::of(capture).unwrap(),
    );
    journal.standing(status, capture)
}

/// A trip of the night with its findings appended.
struct Closed {
    journal: Journal,
    end: Standing,
    known: Standing,
}

fn appended(journal: &mut Journal, stands: &str) {
    let standing = standing(journal, stands);
    let terms = Terms {
        evidence_missing_after_ms: 48 * 3_600_000,
        at: journal.at,
        books_date: journal.books_date,
    };
    let outside = Outside::default();
    let now = examine(&journal.trip, &journal.events, &standing, &outside, &terms);
    let facts = findings(&journal.trip, &journal.events, &standing, &now, &terms);
    facts.into_iter().for_each(|fact| journal.push(fact));
}

/// The night as the close of `day` sees it: what comes after is cut off.
fn night(day: i64) -> Vec<Closed> {
    let one = |[name, first, later, story]: [&str; 4]| {
        let (today, tomorrow) = story.split_once(" | day 2").unwrap_or((story, ""));
        let mut closed = journal(name, today);
        appended(&mut closed, first);
        // Money found turns a write-off into a capture; the history would say so.
        let found = |e: &Event| matches!(e.fact, Fact::FoundCaptured { .. });
        let first = match closed.events.iter().any(found) {
            true => "captured settled",
            false => first,
        };
        let end = standing(&closed, first);
        let mut known = end.clone();
        if day == 2 {
            let later = if first == "captured settled" {
                first
            } else {
                later
            };
            let told = journal(name, &format!("{today} | day 2{tomorrow}"));
            (closed.at, closed.books_date) = (told.at, told.books_date);
            let news = told.events.iter().filter(|e| e.books_date == date(2));
            news.for_each(|event| closed.push(event.fact.clone()));
            appended(&mut closed, later);
            known = standing(&closed, later);
        }
        Closed {
            journal: closed,
            end,
            known,
        }
    };
    trips().into_iter().map(one).collect()
}

/// Breaks as the store would stream them for the first day.
fn breaks_of_first_day(events: &[Event]) -> Vec<(Break, BreakStatus)> {
    let mut told = Vec::new();
    for event in events {
        let Fact::BreakOpened { found } = &event.fact else {
            continue;
        };
        let cures = |e: &&Event| matches!(e.fact, Fact::BreakCured { kind } if kind == found.kind);
        let cured = events.iter().find(cures).map(|e| e.books_date);
        let status = status_on(date(1), found.kind, event.books_date, cured);
        told.extend(status.map(|status| (found.clone(), status)));
    }
    told.sort_by_key(|(found, _)| found.kind.as_str());
    told
}

/// Stages the first day's edition, as the close does.
pub fn stage(output: &Path, edition: u32) -> (Vec<FileEntry>, Staging) {
    let trips = night(i64::from(edition));
    let staging = Staging::begin(output, date(1), edition, Modes::default()).unwrap();
    let until = Timestamp::parse("2026-11-25T02:30:00Z").unwrap();
    let mut summary = Summary::new(date(1), until);
    let (mut files, totals) = rows(&staging, &trips, &mut summary);
    let wrong = check(&totals).err().unwrap_or_default();
    summary.close(&totals, &wrong);
    files.push(debt_summary(&staging, &totals));
    files.push(breaks(&staging, &trips, &mut summary));
    files.push(rejected(&staging));
    summary.feed(3, 1);
    if edition > 1 {
        files.push(changes(output, &staging));
    }
    let text = summary.to_text(edition).unwrap();
    files.push(
        staging
            .put(SUMMARY_JSON, &summary.to_json(edition).unwrap())
            .unwrap(),
    );
    files.push(staging.put(SUMMARY_TEXT, text.as_bytes()).unwrap());
    (files, staging)
}

fn rows(
    staging: &Staging,
    trips: &[Closed],
    summary: &mut Summary,
) -> (Vec<FileEntry>, Vec<DayTotal>) {
    let (mut ledger, mut control) = (Ledger::open(date(1), &[]), Control::open(&[]));
    let mut reconciliation = staging.file(RECONCILIATION).unwrap();
    let mut rows = ReconciliationWriter::new(&mut reconciliation).unwrap();
    let mut bad_debt = staging.file(BAD_DEBT).unwrap();
    let mut entries = BadDebtWriter::new(&mut bad_debt).unwrap();
    let mut counted = Vec::new();
    for Closed {
        journal,
        end,
        known,
    } in trips
    {
        let (trip, events) = (&journal.trip, &journal.events);
        let open = known_breaks(events, date(1));
        let day = TripDay {
            books_date: date(1),
            trip,
            events,
            before: None,
            end,
            known,
            match_status: match_status(known, open.iter().copied()),
            breaks: &open,
        };
        let row = ReconciliationRow::of(&day).unwrap();
        rows.write(&row).unwrap();
        summary.add_row(&row).unwrap();
        control.add(&trip.key.store, None, &end.balances).unwrap();
        for entry in ledger.enter(trip, events, &end.balances).unwrap() {
            control.add_entry(&entry).unwrap();
            summary.add_entry(&entry).unwrap();
            entries.write(&entry).unwrap();
        }
        add_stake(summary, trip, known);
        counted.push(Counted {
            store: trip.key.store.clone(),
            currency: end.balances.currency,
            open: end.balances.open,
            in_doubt: end.balances.in_doubt,
            debt: end.balances.debt(),
        });
    }
    let (rows, entries) = (rows.finish().unwrap(), entries.finish().unwrap());
    let rows = reconciliation.finish(Some(&rows)).unwrap();
    let entries = bad_debt.finish(Some(&entries)).unwrap();
    (vec![rows, entries], control.finish(&counted).unwrap())
}

fn add_stake(summary: &mut Summary, trip: &Trip, known: &Standing) {
    let stake = |note: &str| Stake {
        key: trip.key.clone(),
        amount: trip.cart_total,
        deadline: trip.expires_at,
        note: note.to_owned(),
    };
    match known.status {
        Status::InDoubt => summary.add_doubt(stake("read timed out")).unwrap(),
        Status::Open | Status::Refused => summary.add_at_risk(stake("not asked yet")).unwrap(),
        _ => {}
    }
}

fn debt_summary(staging: &Staging, totals: &[DayTotal]) -> FileEntry {
    let mut file = staging.file(BAD_DEBT_SUMMARY).unwrap();
    let mut writer = BadDebtSummaryWriter::new(date(1), &mut file).unwrap();
    totals.iter().for_each(|day| writer.write(day).unwrap());
    let totals = writer.finish().unwrap();
    file.finish(Some(&totals)).unwrap()
}

fn break_row<'a>(
    found: &'a Break,
    store_id: Option<&'a StoreId>,
    shopping_trip_id: Option<&'a TripId>,
    status: BreakStatus,
) -> BreakRow<'a> {
    BreakRow {
        books_date: date(1),
        store_id,
        shopping_trip_id,
        found,
        first_seen: date(1),
        status,
    }
}

fn breaks(staging: &Staging, trips: &[Closed], summary: &mut Summary) -> FileEntry {
    let mut file = staging.file(BREAKS).unwrap();
    let mut writer = BreaksWriter::new(&mut file).unwrap();
    let eur = Currency::of("EUR").unwrap();
    let lines = [
        reconcile::unknown_line("adyen.csv line 9", Money::of_minor(-500, eur), "R-9"),
        reconcile::unreadable_line("adyen.csv line 4", "amount: `1,5` is not an amount"),
    ];
    let unknown_store = reconcile::unknown_store();
    let tokyo = StoreId::of("TYO").unwrap();
    let mut put = |row: &BreakRow<'_>| {
        writer.write(row).unwrap();
        summary.add_break(row);
    };
    lines
        .iter()
        .for_each(|line| put(&break_row(line, None, None, BreakStatus::Open)));
    let mut told = false;
    for Closed { journal, .. } in trips {
        let key = &journal.trip.key;
        if key.store == tokyo && !told {
            put(&break_row(
                &unknown_store,
                Some(&tokyo),
                None,
                BreakStatus::Open,
            ));
            told = true;
        }
        for (found, status) in breaks_of_first_day(&journal.events) {
            put(&break_row(
                &found,
                Some(&key.store),
                Some(&key.trip),
                status,
            ));
        }
    }
    let totals = writer.finish().unwrap();
    file.finish(Some(&totals)).unwrap()
}

fn rejected(staging: &Staging) -> FileEntry {
    let rows = [
        (
            Some("amount"),
            "`15.999` has more than the 2 decimals of USD",
            "S1,T1,15.999,USD",
        ),
        (
            None,
            "conflict: line 3 of this file says otherwise",
            "\tS1,\"T2\",1.00\u{7}",
        ),
        (
            Some("currency"),
            "`BTC` is not a currency",
            "=cmd|' /C calc'!A0",
        ),
    ];
    let mut file = staging.file(REJECTED).unwrap();
    let mut writer = RejectedWriter::new(&mut file).unwrap();
    for (place, (field, reason, raw)) in rows.into_iter().enumerate() {
        let row = Rejection {
            source: source(u64::try_from(place).unwrap() + 2),
            field,
            reason: reason.to_owned(),
            raw: raw.to_owned(),
        };
        writer.write(&row).unwrap();
    }
    let totals = writer.finish().unwrap();
    file.finish(Some(&totals)).unwrap()
}

fn changes(output: &Path, staging: &Staging) -> FileEntry {
    let old = edition_dir(output, date(1), 1);
    let old = |name| std::fs::File::open(old.join(name)).unwrap();
    let mut file = staging.file(CHANGES).unwrap();
    let mut writer = ChangesWriter::new(&mut file).unwrap();
    let new = staging.read(RECONCILIATION).unwrap();
    writer.reconciliation(old(RECONCILIATION), new).unwrap();
    let new = staging.read(BREAKS).unwrap();
    writer.breaks(old(BREAKS), new).unwrap();
    let totals = writer.finish().unwrap();
    file.finish(Some(&totals)).unwrap()
}

/// Publishes both editions of the night and gives their folders.
pub fn published(output: &Path) -> [PathBuf; 2] {
    let mut previous = None;
    [1, 2].map(|edition| {
        let (files, staging) = stage(output, edition);
        let staged = staging.finish(previous.take(), files).unwrap();
        previous = Some(staged.sha256.clone());
        publish(output, date(1), edition, &staged.sha256, Modes::default()).unwrap()
    })
}

//! Breaks on record: which ones the journal holds open, and how long each is told.

use std::collections::BTreeMap;

use crate::domain::{BooksDate, BreakKind, Event, Fact, spelled};

/// Whether a break still stands; its spelling is the `status` column of `breaks.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakStatus {
    /// It stands.
    Open,
    /// It no longer does.
    Cured,
}

spelled!(BreakStatus { Open = "open", Cured = "cured" });

/// True for kinds that are reported on one day and then laid to rest; see the room's text.
pub fn is_one_off(kind: BreakKind) -> bool {
    match kind {
        BreakKind::Expired
        | BreakKind::CancelUnconfirmed
        | BreakKind::ElsewhereAboveTotal
        | BreakKind::CapturedAfterWriteOff => true,
        BreakKind::EvidenceMissing
        | BreakKind::EvidenceRefused
        | BreakKind::CurrencyDiffers
        | BreakKind::ResponseCodeNotApproved
        | BreakKind::CryptogramDeclined
        | BreakKind::ReconciliationIdShared
        | BreakKind::MalformedField
        | BreakKind::CapturedElsewhere
        | BreakKind::Refused
        | BreakKind::InDoubt
        | BreakKind::CapturedTwice
        | BreakKind::AmountDiffers
        | BreakKind::UnknownStore
        | BreakKind::UnknownProcessor
        | BreakKind::UnknownLine
        | BreakKind::UnreadableLine
        | BreakKind::ExportRefused
        | BreakKind::ExportLeftOut => false,
    }
}

/// How `breaks.csv` of `date` tells a break that was first seen on one books date and perhaps
/// cured on another; `None` when it is not told there at all.
///
/// A break is told from its first day to the day it is cured. A one-off is told on its first day
/// alone, and as open in every edition: that it was laid to rest later is no news.
pub fn status_on(
    date: BooksDate,
    kind: BreakKind,
    first_seen: BooksDate,
    cured: Option<BooksDate>,
) -> Option<BreakStatus> {
    if is_one_off(kind) {
        return (first_seen == date).then_some(BreakStatus::Open);
    }
    let gone = cured.is_some_and(|cured| cured < date);
    if first_seen > date || gone {
        return None;
    }
    Some(match cured {
        Some(_) => BreakStatus::Cured,
        None => BreakStatus::Open,
    })
}

/// The kinds for the trip's row of `date`: what is open after all events, and the one-offs that
/// belong to that day.
pub fn known_breaks(events: &[Event], date: BooksDate) -> Vec<BreakKind> {
    let mut known = open_breaks(events);
    known.retain(|kind, _| !is_one_off(*kind));
    for event in events.iter().filter(|event| event.books_date == date) {
        if let Fact::BreakOpened { found } = &event.fact
            && is_one_off(found.kind)
        {
            known.insert(found.kind, date);
        }
    }
    known.into_keys().collect()
}

/// The breaks that the journal holds open, with the books dates on which they were first seen.
pub(super) fn open_breaks(events: &[Event]) -> BTreeMap<BreakKind, BooksDate> {
    let mut open = BTreeMap::new();
    for event in events {
        if let Fact::BreakOpened { found } = &event.fact {
            open.insert(found.kind, event.books_date);
        }
        if let Fact::BreakCured { kind } = &event.fact {
            open.remove(kind);
        }
    }
    open
}

//! The day's postings: from the journal into the files that are switched on, and what they are
//! made by, which the first edition keeps.

use crate::books::{self, Booked, Journalist, Step, Transaction, TransactionKind};
use crate::domain::{BooksDate, DayTotal, Event, Exports, Fact, Trip};
use crate::outputs::publish::{StagedShelf, Staging};
use crate::outputs::{Exporter, FileEntry, Refusals, Summary, sha256_hex};
use crate::payment_service::PaymentService;
use crate::settlement::History;

use super::RunError;
use super::pass::House;

/// A day's postings under way.
pub struct Postings<'a> {
    date: BooksDate,
    journalist: Journalist,
    exporter: Exporter<'a, StagedShelf<'a>>,
}

impl<'a> Postings<'a> {
    /// Begins the files.
    ///
    /// # Errors
    /// The state cannot be read, or files cannot be staged.
    pub fn begin<S: PaymentService>(
        house: &House<S>,
        staging: &'a Staging,
        date: BooksDate,
        up_to_seq: i64,
        exports: &'a Exports,
    ) -> Result<Self, RunError> {
        let booked = booked(house, date, up_to_seq)?;
        Ok(Self {
            date,
            journalist: Journalist::new(date, exports.rules, booked),
            exporter: Exporter::begin(date, exports, StagedShelf::of(staging))?,
        })
    }

    /// Posts what the day did to one trip. Trips come in (store, trip) order.
    ///
    /// # Errors
    /// The journal breaks the law, or files cannot be staged.
    pub fn trip(&mut self, trip: &Trip, events: &[Event]) -> Result<(), RunError> {
        let steps = steps(events, self.date)?;
        for entry in self.journalist.enter(trip, &steps)? {
            self.exporter.write(&entry)?;
        }
        Ok(())
    }

    /// Ends the files; `prove` says that the day is being closed and must agree with its totals.
    ///
    /// # Errors
    /// Files cannot be staged, or the postings do not agree with the day's other books.
    pub fn finish(
        self,
        totals: &[DayTotal],
        prove: bool,
        summary: &mut Summary,
    ) -> Result<(Vec<FileEntry>, Refusals), RunError> {
        match self.journalist.check(totals) {
            Err(wrong) if prove => {
                let date = self.date;
                return Err(RunError::NotBalanced { date, wrong });
            }
            Ok(()) | Err(_) => {}
        }
        summary.posted(self.exporter.posted());
        let (shelf, refused) = self.exporter.finish()?;
        Ok((shelf.entries(), refused))
    }
}

/// The trip's events up to the end of `date`, and how its cart total divides after each.
fn steps(events: &[Event], date: BooksDate) -> Result<Vec<Step<'_>>, RunError> {
    let mut steps = Vec::with_capacity(events.len());
    let mut history: Option<History> = None;
    for event in events.iter().take_while(|event| event.books_date <= date) {
        let folded = match history.take() {
            None => History::begin(&event.fact)?,
            Some(mut history) => {
                history.apply(event.at, &event.fact)?;
                history
            }
        };
        let after = *folded.balances();
        steps.push(Step { event, after });
        history = Some(folded);
    }
    Ok(steps)
}

/// What earlier days posted of what is corrected on `date`, and under which ids: those days are
/// posted again by what they were made by, which is rare, and gives what it gave then.
fn booked<S: PaymentService>(
    house: &House<S>,
    date: BooksDate,
    up_to_seq: i64,
) -> Result<Booked, RunError> {
    let mut booked = Booked::new();
    for earlier in house.store.corrected_days(date, up_to_seq)? {
        let rules = of_closed(house, earlier)?.rules;
        let mut journalist = Journalist::new(earlier, rules, Booked::new());
        house
            .store
            .each_trip_of_day::<RunError>(earlier, up_to_seq, &mut |_, events| {
                let corrects =
                    |event: &Event| event.books_date == date && books::corrects(&event.fact);
                let Some(Fact::Taken { trip, .. }) = events.first().map(|first| &first.fact) else {
                    return Ok(());
                };
                let made = journalist.enter(trip, &steps(&events, earlier)?)?;
                if events.iter().any(corrects) {
                    booked.extend(made.into_iter().filter(is_correctable).map(|made| {
                        let about = made.about();
                        ((about.key.clone(), about.step), made)
                    }));
                }
                Ok(())
            })?;
    }
    Ok(booked)
}

/// True for what a later day may correct.
fn is_correctable(made: &Transaction) -> bool {
    match made.about().kind {
        TransactionKind::BadDebt
        | TransactionKind::Recovery
        | TransactionKind::WriteOff
        | TransactionKind::Reversal => true,
        TransactionKind::Sale
        | TransactionKind::Capture
        | TransactionKind::TakenBack
        | TransactionKind::ReversalTakenBack
        | TransactionKind::Cancellation => false,
    }
}

fn memo_name(date: BooksDate, edition: u32) -> String {
    format!("exports {date} e{edition}")
}

/// What a closed day was last made by.
fn of_closed<S: PaymentService>(house: &House<S>, date: BooksDate) -> Result<Exports, RunError> {
    let last = house
        .store
        .closes(date)?
        .last()
        .map_or(0, |row| row.edition);
    as_of(house, date, last)
}

/// What an edition's postings are made by: what it was closed with, if it is closed; else what the
/// edition before it was, with the formats that were switched on since; else what is configured.
///
/// # Errors
/// The state cannot be read.
pub fn as_of<S>(house: &House<S>, date: BooksDate, edition: u32) -> Result<Exports, RunError> {
    let closed = house.store.closes(date)?;
    let now = &house.config.exports;
    let kept = closed.iter().rev().filter(|row| row.edition <= edition);
    for row in kept {
        let digest = house.store.memo(&memo_name(date, row.edition))?;
        let json = match digest {
            Some(digest) => house.store.memo(&format!("exports {digest}"))?,
            None => None,
        };
        let Some(json) = json else {
            continue;
        };
        let exports: Exports = serde_json::from_str(&json).map_err(|why| {
            let made_by = format!(
                "what {date} e{} was made by cannot be read: {why}",
                row.edition
            );
            RunError::Law(made_by)
        })?;
        return Ok(match row.edition == edition {
            true => exports,
            false => now.following(&exports),
        });
    }
    let mut exports = now.clone();
    if closed.iter().any(|row| row.edition == edition) {
        // It was closed before there were files of postings.
        exports.formats.clear();
    }
    Ok(exports)
}

/// Keeps what an edition that is about to be closed was made by.
///
/// # Errors
/// The state cannot be read or written.
pub fn keep<S>(house: &House<S>, date: BooksDate, edition: u32) -> Result<(), RunError> {
    let exports = as_of(house, date, edition)?;
    let json = serde_json::to_string(&exports).map_err(|why| RunError::Law(why.to_string()))?;
    let digest: String = sha256_hex(json.as_bytes()).chars().take(16).collect();
    let content = format!("exports {digest}");
    if house.store.memo(&content)?.is_none() {
        house.store.set_memo(&content, &json)?;
    }
    Ok(house.store.set_memo(&memo_name(date, edition), &digest)?)
}

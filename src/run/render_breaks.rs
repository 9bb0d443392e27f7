//! Render, the breaks: what stood open on a day, line by line and store by store.

use std::io::Write;

use crate::domain::{BooksDate, StoreId};
use crate::outputs::publish::Staging;
use crate::outputs::{BREAKS, BreakRow, BreaksWriter, FileEntry, Summary};
use crate::payment_service::PaymentService;
use crate::reconcile::{BreakStatus, status_on, unknown_line, unknown_store, unreadable_line};
use crate::store::{DayBreak, ProblemLine};

use super::RunError;
use super::pass::House;

/// Lines without a trip first, then store by store: the store's own break before its trips'.
///
/// # Errors
/// The state cannot be read, or the file cannot be staged.
pub fn write_breaks<S: PaymentService>(
    house: &House<S>,
    staging: &Staging,
    date: BooksDate,
    up_to_seq: i64,
    summary: &mut Summary,
) -> Result<FileEntry, RunError> {
    let mut file = staging.file(BREAKS)?;
    let mut rows = BreakRows {
        date,
        writer: BreaksWriter::new(&mut file)?,
        summary,
    };
    for unreadable in [false, true] {
        house
            .store
            .each_problem_line_of_day::<RunError>(date, &mut |line| match line.problem.is_some()
                == unreadable
            {
                true => rows.line(&line),
                false => Ok(()),
            })?;
    }
    let mut stores = house
        .store
        .unknown_stores_of_day(date)?
        .into_iter()
        .peekable();
    house
        .store
        .each_break_of_day::<RunError>(date, up_to_seq, &mut |found| {
            while let Some(store) = stores.next_if(|store| *store <= found.key.store) {
                rows.unknown_store(&store)?;
            }
            rows.of_trip(&found)
        })?;
    for store in stores {
        rows.unknown_store(&store)?;
    }
    let totals = rows.writer.finish()?;
    Ok(file.finish(Some(&totals))?)
}

struct BreakRows<'a, W> {
    date: BooksDate,
    writer: BreaksWriter<W>,
    summary: &'a mut Summary,
}

impl<W: Write> BreakRows<'_, W> {
    fn write(&mut self, row: &BreakRow<'_>) -> Result<(), RunError> {
        self.summary.add_break(row);
        Ok(self.writer.write(row)?)
    }

    fn line(&mut self, line: &ProblemLine) -> Result<(), RunError> {
        let found = match (&line.problem, line.amount) {
            (None, Some(amount)) => unknown_line(&line.source, amount, &line.reference),
            (Some(problem), _) => unreadable_line(&line.source, problem),
            (None, None) => unreadable_line(&line.source, "it has no amount"),
        };
        self.write(&BreakRow {
            books_date: self.date,
            store_id: None,
            shopping_trip_id: None,
            found: &found,
            first_seen: line.taken_on,
            status: match line.matched_on {
                Some(_) => BreakStatus::Cured,
                None => BreakStatus::Open,
            },
        })
    }

    fn unknown_store(&mut self, store: &StoreId) -> Result<(), RunError> {
        self.write(&BreakRow {
            books_date: self.date,
            store_id: Some(store),
            shopping_trip_id: None,
            found: &unknown_store(),
            first_seen: self.date,
            status: BreakStatus::Open,
        })
    }

    fn of_trip(&mut self, found: &DayBreak) -> Result<(), RunError> {
        let (kind, first_seen) = (found.found.kind, found.opened_on);
        let Some(status) = status_on(self.date, kind, first_seen, found.cured_on) else {
            return Ok(());
        };
        self.write(&BreakRow {
            books_date: self.date,
            store_id: Some(&found.key.store),
            shopping_trip_id: Some(&found.key.trip),
            found: &found.found,
            first_seen,
            status,
        })
    }
}

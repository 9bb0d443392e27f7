//! Render, the breaks: what stood open on a day, line by line and store by store.

use std::io::Write;

use crate::domain::{BooksDate, Break, StoreId};
use crate::outputs::publish::Staging;
use crate::outputs::{BREAKS, BreakRow, BreaksWriter, FileEntry, Refusals, Summary};
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
    refused: Refusals,
    summary: &mut Summary,
) -> Result<FileEntry, RunError> {
    let mut file = staging.file(BREAKS)?;
    let mut rows = BreakRows {
        date,
        writer: BreaksWriter::new(&mut file)?,
        summary,
    };
    for unreadable in [false, true] {
        let each = &mut |line: ProblemLine| match line.problem.is_some() == unreadable {
            true => rows.line(&line),
            false => Ok(()),
        };
        house
            .store
            .each_problem_line_of_day::<RunError>(date, up_to_seq, each)?;
    }
    let mut heads = refused;
    for store in house.store.unknown_stores_of_day(date)? {
        heads.entry(store).or_default().push(unknown_store());
    }
    let mut heads = heads.into_iter().peekable();
    house
        .store
        .each_break_of_day::<RunError>(date, up_to_seq, &mut |found| {
            while let Some((store, breaks)) = heads.next_if(|(store, _)| *store <= found.key.store)
            {
                rows.of_store(&store, &breaks)?;
            }
            rows.of_trip(&found)
        })?;
    for (store, breaks) in heads {
        rows.of_store(&store, &breaks)?;
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

    /// Breaks of a store, by their spelling.
    fn of_store(&mut self, store: &StoreId, breaks: &[Break]) -> Result<(), RunError> {
        breaks.iter().try_for_each(|found| {
            self.write(&BreakRow {
                books_date: self.date,
                store_id: Some(store),
                shopping_trip_id: None,
                found,
                first_seen: self.date,
                status: BreakStatus::Open,
            })
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

//! `debt recover --file`: many payments in one command, each a short transaction of its own.

use std::path::Path;

use crate::run::debt::Answered;

use super::answers::Answers;
use super::debt::Book;
use super::debt_args::RecoverArgs;
use super::exit::Failure;
use super::list;
use super::print::Output;

/// The columns; the first must be there.
const COLUMNS: [&str; 4] = ["trip", "amount", "by", "note"];

/// A row, with what was typed for all rows where its own cell is empty.
struct Payment {
    trip: String,
    amount: Option<String>,
    by: String,
    note: String,
}

/// Books row by row, once the file is read whole: a row that is refused stops none of the others.
pub fn recover_file(
    book: &Book<'_>,
    file: &Path,
    args: &RecoverArgs,
    output: &Output,
) -> Result<u8, Failure> {
    let own = |why| Failure::usage(format!("{}: {why}", file.display()));
    book.store.refuse_own(file).map_err(own)?;
    let rows = list::read(file, COLUMNS, 1)?;
    let mut payments = Answers::of("tripsettle.recoveries/1");
    let mut answered = Answered::new();
    for row in rows {
        let (line, payment) = (row.line, Payment::of(row.cells, args));
        let word = (&*payment.trip, &*payment.by, &*payment.note);
        let done = book.recover_once(word, payment.amount.as_deref(), &mut answered);
        payments.add(line, &payment.trip, done)?;
    }
    let (taken, before) = (payments.taken, payments.before);
    let refused = payments.refused.len();
    let counts = format!("{taken} recoveries booked, {before} before, {refused} refused");
    Ok(payments.tell(file, &counts, "booked", output))
}

impl Payment {
    fn of([trip, amount, by, note]: [Option<String>; 4], args: &RecoverArgs) -> Self {
        Self {
            trip: trip.unwrap_or_default(),
            amount,
            by: by.or_else(|| args.by.clone()).unwrap_or_default(),
            note: note.or_else(|| args.note.clone()).unwrap_or_default(),
        }
    }
}

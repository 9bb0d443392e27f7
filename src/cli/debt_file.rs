//! `debt recover --file`: many payments in one command, each a short transaction of its own.

use std::path::Path;

use serde::Serialize;

use crate::run::debt::Answered;
use crate::run::rule::Ruled;

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

/// What became of a file of payments.
#[derive(Debug, Default, Serialize)]
struct Payments {
    schema: &'static str,
    /// Recoveries that are in the journal now.
    taken: u64,
    /// The same recovery stood in the journal before.
    before: u64,
    refused: Vec<Refusal>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    line: u64,
    trip: String,
    reason: String,
}

/// Books row by row, once the file is read whole: a row that is refused stops none of the others.
pub fn recover_file(
    book: &Book<'_>,
    file: &Path,
    args: &RecoverArgs,
    output: &Output,
) -> Result<u8, Failure> {
    let rows = list::read(file, COLUMNS, 1)?;
    let mut payments = Payments {
        schema: "tripsettle.recoveries/1",
        ..Payments::default()
    };
    let mut answered = Answered::new();
    for row in rows {
        payments.book(book, row.line, &Payment::of(row.cells, args), &mut answered)?;
    }
    let attention = !payments.refused.is_empty();
    if output.json || !output.quiet || attention {
        output.either(&payments, &payments.told(file));
    }
    Ok(if attention { 10 } else { 0 })
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

impl Payments {
    fn book(
        &mut self,
        book: &Book<'_>,
        line: u64,
        payment: &Payment,
        answered: &mut Answered,
    ) -> Result<(), Failure> {
        let word = (&*payment.trip, &*payment.by, &*payment.note);
        let amount = payment.amount.as_deref();
        match book.recover_once(word, amount, answered) {
            Ok(Ruled::Taken) => self.taken = self.taken.saturating_add(1),
            Ok(Ruled::Before) => self.before = self.before.saturating_add(1),
            Ok(Ruled::Refused(why)) => self.refuse(line, &payment.trip, why.to_string()),
            Err(failure) if failure.code == 2 => self.refuse(line, &payment.trip, failure.message),
            // The disk or the state: those before are booked, and the file may be given again.
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, trip: &str, reason: String) {
        let trip = trip.to_owned();
        self.refused.push(Refusal { line, trip, reason });
    }

    fn told(&self, file: &Path) -> String {
        let (file, taken, before) = (file.display(), self.taken, self.before);
        let refused = self.refused.len();
        let mut text =
            format!("{file}: {taken} recoveries booked, {before} before, {refused} refused\n");
        for Refusal { line, trip, reason } in &self.refused {
            text.push_str(&format!("  line {line}, {trip}: {reason}\n"));
        }
        if refused > 0 {
            text.push_str(
                "-> mend these rows and give the file again; the others are not booked twice\n",
            );
        }
        text
    }
}

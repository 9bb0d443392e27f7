//! `debt recover --file`: many payments in one command, each a short transaction of its own.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::run::debt::DebtWish;
use crate::run::rule::Ruled;

use super::debt::Book;
use super::debt_args::RecoverArgs;
use super::exit::Failure;
use super::print::Output;

/// A row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    trip: String,
    #[serde(default)]
    amount: Option<String>,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    note: Option<String>,
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

/// Books row by row: a row that is refused stops none of the others.
pub fn recover_file(
    book: &Book<'_>,
    file: &Path,
    args: &RecoverArgs,
    output: &Output,
) -> Result<u8, Failure> {
    let unreadable = |why: csv::Error| Failure::usage(format!("{}: {why}", file.display()));
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(file)
        .map_err(unreadable)?;
    let columns = ["trip", "amount", "by", "note"];
    let header = reader.headers().map_err(unreadable)?.clone();
    let unknown = header.iter().find(|name| !columns.contains(name));
    if unknown.is_some() || !header.iter().any(|name| name == "trip") {
        let why = "a header row of trip and, as needed, amount,by,note is needed";
        return Err(Failure::usage(format!("{}: {why}", file.display())));
    }
    let mut payments = Payments {
        schema: "tripsettle.recoveries/1",
        ..Payments::default()
    };
    for row in reader.records() {
        let (line, read) = match row {
            Ok(row) => {
                let line = row.position().map_or(0, csv::Position::line);
                (line, row.deserialize::<Payment>(Some(&header)))
            }
            Err(why) => (why.position().map_or(0, csv::Position::line), Err(why)),
        };
        match read {
            Ok(payment) => payments.book(book, line, &payment, args)?,
            Err(why) => payments.refuse(line, "", why.to_string()),
        }
    }
    let attention = !payments.refused.is_empty();
    if output.json || !output.quiet || attention {
        output.either(&payments, &payments.told(file));
    }
    Ok(if attention { 10 } else { 0 })
}

impl Payments {
    fn book(
        &mut self,
        book: &Book<'_>,
        line: u64,
        payment: &Payment,
        args: &RecoverArgs,
    ) -> Result<(), Failure> {
        let or = |own: &Option<String>, all: &Option<String>| {
            let own = own.clone().filter(|text| !text.is_empty());
            own.or_else(|| all.clone()).unwrap_or_default()
        };
        let (by, note) = (or(&payment.by, &args.by), or(&payment.note, &args.note));
        let amount = payment.amount.as_deref().filter(|text| !text.is_empty());
        let word = (payment.trip.as_str(), by.as_str(), note.as_str());
        match book.settle(word, amount, DebtWish::RecoverOnce) {
            Ok((_, Ruled::Taken(_))) => self.taken = self.taken.saturating_add(1),
            Ok((_, Ruled::Before)) => self.before = self.before.saturating_add(1),
            Ok((_, Ruled::Refused(why))) => self.refuse(line, &payment.trip, why.to_string()),
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

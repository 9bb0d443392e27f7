//! What became of a person's list: each row taken, known before or refused, and how that is told.

use std::path::Path;

use serde::Serialize;

use crate::run::rule::Ruled;

use super::exit::Failure;
use super::print::Output;

/// What became of a list so far.
#[derive(Debug, Serialize)]
pub struct Answers {
    schema: &'static str,
    /// Rows that are in the journal now.
    pub taken: u64,
    /// Rows that stood in the journal before.
    pub before: u64,
    /// Rows that were refused.
    pub refused: Vec<Refusal>,
}

/// A row that was refused.
#[derive(Debug, Serialize)]
pub struct Refusal {
    line: u64,
    trip: String,
    reason: String,
}

impl Answers {
    /// None yet; `schema` names them as JSON.
    pub fn of(schema: &'static str) -> Self {
        Self {
            schema,
            taken: 0,
            before: 0,
            refused: Vec::new(),
        }
    }

    /// Counts what became of a row; one that is refused stops none of the others.
    ///
    /// # Errors
    /// The disk or the state: the rows before are in the journal, and the list may be given again.
    pub fn add(
        &mut self,
        line: u64,
        trip: &str,
        done: Result<Ruled, Failure>,
    ) -> Result<(), Failure> {
        let reason = match done {
            Ok(Ruled::Taken) => {
                self.taken = self.taken.saturating_add(1);
                return Ok(());
            }
            Ok(Ruled::Before) => {
                self.before = self.before.saturating_add(1);
                return Ok(());
            }
            Ok(Ruled::Refused(why)) => why.to_string(),
            Err(failure) if failure.code == 2 => failure.message,
            Err(failure) => return Err(failure),
        };
        let trip = trip.to_owned();
        self.refused.push(Refusal { line, trip, reason });
        Ok(())
    }

    /// Tells it: `counts` in words, the refused rows, and that the others are not `done` twice.
    /// Gives the exit code.
    pub fn tell(&self, file: &Path, counts: &str, done: &str, output: &Output) -> u8 {
        let mut text = format!("{}: {counts}\n", file.display());
        for Refusal { line, trip, reason } in &self.refused {
            text.push_str(&format!("  line {line}, {trip}: {reason}\n"));
        }
        let attention = !self.refused.is_empty();
        if attention {
            text.push_str(&format!(
                "-> mend these rows and give the file again; the others are not {done} twice\n"
            ));
        }
        if output.json || !output.quiet || attention {
            output.either(self, &text);
        }
        if attention { 10 } else { 0 }
    }
}

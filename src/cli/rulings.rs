//! `rule --file`: a thousand rulings in one command, each a short transaction of its own.

use std::path::Path;

use serde::Serialize;

use crate::config::Config;
use crate::domain::{Ruling, Timestamp, Verdict};
use crate::run::rule::{Ruled, rule_once};
use crate::store::Store;

use super::args::RuleArgs;
use super::author::is_signed;
use super::exit::Failure;
use super::list;
use super::print::Output;
use super::show::{captured, find};
use super::state;

/// The columns; the first two must be there.
const COLUMNS: [&str; 5] = ["trip", "verdict", "amount", "by", "note"];

/// What became of a file of rulings.
#[derive(Debug, Default, Serialize)]
struct Rulings {
    schema: &'static str,
    /// Rulings that are in the journal now.
    taken: u64,
    /// The same ruling stood in the journal before.
    before: u64,
    refused: Vec<Refusal>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    line: u64,
    trip: String,
    reason: String,
}

/// A row, with what was typed for all rows where its own cell is empty.
struct Wish {
    trip: String,
    verdict: String,
    amount: Option<String>,
    by: String,
    note: String,
}

/// Rules row by row, once the file is read whole: a row that is refused stops none of the others.
pub fn rule_file(
    config: &Config,
    file: &Path,
    args: &RuleArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    let rows = list::read(file, COLUMNS, 2)?;
    let store = state::open(config, now)?;
    let mut rulings = Rulings {
        schema: "tripsettle.rulings/1",
        ..Rulings::default()
    };
    for row in rows {
        let (line, wish) = (row.line, Wish::of(row.cells, args));
        match one(config, &store, &wish, now) {
            Ok(Ruled::Taken) => rulings.taken = rulings.taken.saturating_add(1),
            Ok(Ruled::Before) => rulings.before = rulings.before.saturating_add(1),
            Ok(Ruled::Refused(why)) => rulings.refuse(line, &wish.trip, why.to_string()),
            Err(failure) if failure.code == 2 => rulings.refuse(line, &wish.trip, failure.message),
            // The disk or the state: those before are in the journal, and the file may be given
            // again.
            Err(failure) => return Err(failure),
        }
    }
    let attention = !rulings.refused.is_empty();
    if output.json || !output.quiet || attention {
        output.either(&rulings, &rulings.told(file));
    }
    Ok(if attention { 10 } else { 0 })
}

impl Wish {
    fn of([trip, verdict, amount, by, note]: [Option<String>; 5], args: &RuleArgs) -> Self {
        Self {
            trip: trip.unwrap_or_default(),
            verdict: verdict.unwrap_or_default(),
            amount,
            by: by.or_else(|| args.by.clone()).unwrap_or_default(),
            note: note.or_else(|| args.note.clone()).unwrap_or_default(),
        }
    }
}

impl Rulings {
    fn refuse(&mut self, line: u64, trip: &str, reason: String) {
        let trip = trip.to_owned();
        self.refused.push(Refusal { line, trip, reason });
    }

    fn told(&self, file: &Path) -> String {
        let (file, taken, before) = (file.display(), self.taken, self.before);
        let mut text = format!("{file}: {taken} rulings taken");
        if before > 0 {
            text.push_str(&format!(", {before} stood in the journal before"));
        }
        let refused = self.refused.len();
        match refused {
            0 => text.push_str("; the next `settle` or `run` goes on from here\n"),
            _ => text.push_str(&format!(", {refused} refused\n")),
        }
        for Refusal { line, trip, reason } in &self.refused {
            text.push_str(&format!("  line {line}, {trip}: {reason}\n"));
        }
        if refused > 0 {
            text.push_str(
                "-> mend these rows and give the file again; the others are not ruled twice\n",
            );
        }
        text
    }
}

fn one(config: &Config, store: &Store, wish: &Wish, now: Timestamp) -> Result<Ruled, Failure> {
    is_signed(&wish.by, &wish.note)?;
    let (id, _) = find(store, &wish.trip)?;
    let verdict = match wish.verdict.replace('_', "-").as_str() {
        "captured" => Verdict::Captured {
            amount: captured(store, id, wish.amount.as_deref())?,
        },
        "not-captured" => Verdict::NotCaptured,
        "retry" => Verdict::Retry,
        other => {
            let why = format!("`{other}` is no verdict; write captured, not-captured or retry");
            return Err(Failure::usage(why));
        }
    };
    let ruling = Ruling {
        verdict,
        by: wish.by.clone(),
        note: wish.note.clone(),
    };
    Ok(rule_once(config, store, id, &ruling, now)?)
}

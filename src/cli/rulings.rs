//! `rule --file`: a thousand rulings in one command, each a short transaction of its own.

use std::path::Path;

use crate::config::Config;
use crate::domain::{Ruling, Timestamp};
use crate::run::rule::{Ruled, claim, rule_once};
use crate::store::Store;

use super::answers::Answers;
use super::args::RuleArgs;
use super::author::is_signed;
use super::exit::Failure;
use super::list;
use super::print::{Output, many};
use super::rule::{verdict, warn_of_another_capture};
use super::show::find;
use super::state;

/// The columns; the first two must be there.
const COLUMNS: [&str; 5] = ["trip", "verdict", "amount", "by", "note"];

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
    let mut rulings = Answers::of("tripsettle.rulings/1");
    for row in rows {
        let (line, wish) = (row.line, Wish::of(row.cells, args));
        rulings.add(line, &wish.trip, one(config, &store, &wish, now, output))?;
    }
    Ok(rulings.tell(file, &counts(&rulings), "ruled", output))
}

fn counts(rulings: &Answers) -> String {
    let mut text = format!("{} taken", many(rulings.taken, "ruling"));
    if rulings.before > 0 {
        text.push_str(&format!(", {} stood in the journal before", rulings.before));
    }
    match rulings.refused.len() {
        0 => text.push_str("; the next `settle` or `run` goes on from here"),
        refused => text.push_str(&format!(", {refused} refused")),
    }
    text
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

fn one(
    config: &Config,
    store: &Store,
    wish: &Wish,
    now: Timestamp,
    output: &Output,
) -> Result<Ruled, Failure> {
    is_signed(&wish.by, &wish.note)?;
    let (id, key) = find(store, &wish.trip)?;
    let claim = claim(store, id)?;
    let word = wish.verdict.replace('_', "-");
    let verdict = verdict(&word, wish.amount.as_deref(), &claim)?;
    let ruling = Ruling {
        verdict,
        by: wish.by.clone(),
        note: wish.note.clone(),
    };
    let ruled = rule_once(config, store, id, &ruling, now)?;
    if ruled == Ruled::Taken {
        warn_of_another_capture(&key, &ruling.verdict, &claim, output);
    }
    Ok(ruled)
}

//! `rule` ends a doubt or a refusal by a person's word.

use serde_json::json;

use crate::config::Config;
use crate::domain::{Money, Ruling, Timestamp, TripKey, Verdict};
use crate::run::rule::{Claim, claim, rule as write_ruling};

use super::args::{RuleArgs, VerdictArg};
use super::author::is_signed;
use super::exit::Failure;
use super::print::Output;
use super::rulings::rule_file;
use super::show::find;
use super::state;

/// `rule`.
pub fn rule(
    config: &Config,
    args: RuleArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    if let Some(file) = &args.file {
        return rule_file(config, file, &args, now, output);
    }
    let (Some(trip), Some(word)) = (&args.trip, args.verdict) else {
        return Err(Failure::usage("name a trip and a verdict, or --file"));
    };
    let store = state::open(config, now)?;
    let (id, key) = find(&store, trip)?;
    let claim = claim(&store, id)?;
    let word = match word {
        VerdictArg::Captured => "captured",
        VerdictArg::NotCaptured => "not-captured",
        VerdictArg::Retry => "retry",
    };
    let verdict = verdict(word, args.amount.as_deref(), &claim)?;
    let (by, note) = (args.by.unwrap_or_default(), args.note.unwrap_or_default());
    is_signed(&by, &note)?;
    let ruling = Ruling { verdict, by, note };
    let ruled = write_ruling(config, &store, id, &ruling, now)?;
    let status = ruled.map_err(Failure::usage)?.status;
    let json = json!({ "trip": key.to_string(), "status": status.as_str() });
    let next = "the next `settle` or `run` goes on from here";
    if output.json || !output.quiet {
        output.either(&json, &format!("{key}: {status} now; {next}\n"));
    }
    warn_of_another_capture(&key, &verdict, &claim, output);
    Ok(0)
}

/// A capture that a person has ruled out is sent anew: the last word before the shopper may be
/// charged twice.
pub fn warn_of_another_capture(key: &TripKey, verdict: &Verdict, claim: &Claim, output: &Output) {
    let id = claim.reconciliation_id.as_ref();
    if let Some(id) = id.filter(|_| *verdict == Verdict::NotCaptured) {
        output.complaint(&format!(
            "{key}: its transactional data carries the reconciliation id {id}, which speaks for a \
             capture, and another one is sent next; `tripsettle rule {key} captured --by YOU \
             --note WHY` takes the ruling back until then"
        ));
    }
}

/// The verdict that was typed; with `captured` the amount, or else what was intended.
pub fn verdict(word: &str, amount: Option<&str>, claim: &Claim) -> Result<Verdict, Failure> {
    let verdict = match word {
        "captured" => {
            let currency = claim.intended.currency();
            let typed = amount.map(|text| Money::parse(text, currency)).transpose();
            let amount = typed.map_err(Failure::usage)?.unwrap_or(claim.intended);
            return Ok(Verdict::Captured { amount });
        }
        "not-captured" => Verdict::NotCaptured,
        "retry" => Verdict::Retry,
        other => {
            let why = format!("`{other}` is no verdict; write captured, not-captured or retry");
            return Err(Failure::usage(why));
        }
    };
    match amount {
        Some(amount) => Err(Failure::usage(format!(
            "the amount {amount} goes with `captured` only, not with `{word}`"
        ))),
        None => Ok(verdict),
    }
}

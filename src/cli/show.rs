//! `show` tells one trip's history in plain words.

use serde_json::json;

use crate::config::Config;
use crate::domain::{DebtAct, Elsewhere, Event, Fact, Money, Reply, Timestamp, TripKey, Verdict};
use crate::run::standing_of;
use crate::store::{Found, Store};

use super::args::ShowArgs;
use super::exit::Failure;
use super::print::Output;
use super::state;

pub fn find(store: &Store, name: &str) -> Result<(i64, TripKey), Failure> {
    match store.find(name)? {
        Found::One(id, key) => Ok((id, key)),
        Found::None => Err(Failure::usage(format!(
            "no trip `{name}` is known; write STORE/TRIP_ID, or import the file that names it"
        ))),
        Found::Several(keys) => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let keys = keys.join(", ");
            Err(Failure::usage(format!(
                "`{name}` is not unique: {keys}; write one of them whole"
            )))
        }
    }
}

/// `show`.
pub fn show(
    config: &Config,
    args: &ShowArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    let store = state::open(config, now)?;
    let (id, key) = find(&store, &args.trip)?;
    let events = store.events(id)?;
    let standing = standing_of(&events)?;
    let mut text = format!(
        "{key}: {}, capture {}\n",
        standing.status, standing.capture_state
    );
    for event in &events {
        let (at, date) = (event.at, event.books_date);
        text.push_str(&format!(
            "{:>3}  {at}  booked {date}  {}\n",
            event.step,
            words(event)
        ));
    }
    let balances = &standing.balances;
    let money = |minor| Money::of_minor(minor, balances.currency);
    let parts = [
        ("captured", balances.captured),
        ("bad debt", balances.bad_debt),
        ("cancelled", balances.cancelled),
        ("in doubt", balances.in_doubt),
        ("open", balances.open),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, minor)| *minor != 0)
        .map(|(word, minor)| format!("{word} {}", money(*minor)))
        .collect();
    text.push_str(&format!(
        "cart total {}: {}\n",
        money(balances.cart_total),
        parts.join(", ")
    ));
    if balances.recovered > 0 || balances.written_off > 0 {
        text.push_str(&format!(
            "of the bad debt: recovered {}, written off {}, open {}\n",
            money(balances.recovered),
            money(balances.written_off),
            money(balances.debt())
        ));
    }
    let journal: Vec<_> = events.iter().map(as_json).collect();
    let json = json!({
        "schema": "tripsettle.trip/1",
        "trip": key.to_string(),
        "status": standing.status.as_str(),
        "capture_state": standing.capture_state.as_str(),
        "currency": balances.currency.code(),
        "cart_total": money(balances.cart_total).decimal_text(),
        "captured": money(balances.captured).decimal_text(),
        "bad_debt": money(balances.bad_debt).decimal_text(),
        "recovered": money(balances.recovered).decimal_text(),
        "written_off": money(balances.written_off).decimal_text(),
        "open_debt": money(balances.debt()).decimal_text(),
        "cancelled": money(balances.cancelled).decimal_text(),
        "in_doubt": money(balances.in_doubt).decimal_text(),
        "open": money(balances.open).decimal_text(),
        "events": journal,
    });
    output.either(&json, &text);
    Ok(0)
}

fn as_json(event: &Event) -> serde_json::Value {
    json!({
        "seq": event.seq,
        "step": event.step,
        "at": event.at.to_string(),
        "books_date": event.books_date.to_string(),
        "run": event.run.as_ref().map(ToString::to_string),
        "words": words(event),
        "fact": event.fact,
    })
}

/// One event as a person would tell it.
fn words(event: &Event) -> String {
    match &event.fact {
        Fact::Taken {
            trip,
            source,
            after_loss,
        } => {
            let (file, line, total) = (&source.file, source.line, trip.cart_total);
            let doubt = if *after_loss {
                "; state was lost, it may be captured"
            } else {
                ""
            };
            let (began, dies) = (trip.started_at, trip.expires_at);
            format!("taken from {file}:{line}: {total}, began {began}, token dies {dies}{doubt}")
        }
        Fact::Amended {
            cart_total, source, ..
        } => {
            format!(
                "the feed ({}:{}) changed the total to {cart_total}",
                source.file, source.line
            )
        }
        Fact::Elsewhere { what, source } => {
            let (file, line) = (&source.file, source.line);
            format!("the feed ({file}:{line}) says that {}", happened(*what))
        }
        Fact::Intent { call } => match call.amount() {
            Some(amount) => format!("about to send {} of {amount}", call.name()),
            None => format!("about to send {}", call.name()),
        },
        Fact::Replied { attempt, reply } => format!("reply to step {attempt}: {}", answer(reply)),
        Fact::Evidence { data } => match &data.reconciliation_id {
            Some(id) => format!("transactional data came, reconciliation id {id}"),
            None => "transactional data came, without a reconciliation id".to_owned(),
        },
        Fact::NoEvidence { words } => format!("no transactional data is to be had: {words}"),
        Fact::Line { line } => {
            let (who, amount, source) = (&line.processor, line.amount, &line.source);
            format!(
                "{who}'s report ({source}) shows {amount}, reference {}",
                line.reference
            )
        }
        Fact::Ruled { ruling } => {
            let verdict = ruled(ruling.verdict);
            format!("{} ruled: {verdict} ({})", ruling.by, ruling.note)
        }
        Fact::Lost {
            amount,
            reason,
            policy,
        } => {
            format!("{amount} booked as bad debt: {reason} (policy {policy})")
        }
        Fact::FoundCaptured { amount } => {
            format!("{amount} of bad debt reversed: a processor's line shows the money")
        }
        Fact::Debt { ruling } => {
            format!("{}: {} ({})", ruling.by, settled(&ruling.act), ruling.note)
        }
        Fact::BreakOpened { found } => format!("break {}: {}", found.kind, found.detail),
        Fact::BreakCured { kind } => format!("break {kind} is cured"),
    }
}

fn settled(act: &DebtAct) -> String {
    match act {
        DebtAct::Recovered { amount } => format!("{amount} of bad debt recovered"),
        DebtAct::WrittenOff { amount } => format!("{amount} of bad debt written off"),
        DebtAct::TakenBack { step } => format!("what step {step} says of the debt is taken back"),
        DebtAct::Reversed { amount, into } => {
            format!("{amount} of bad debt reversed, it was {into}")
        }
    }
}

fn happened(what: Elsewhere) -> String {
    match what {
        Elsewhere::Captured { amount } => format!("{amount} was captured elsewhere"),
        Elsewhere::Cancelled => "it was cancelled elsewhere".to_owned(),
    }
}

fn ruled(verdict: Verdict) -> String {
    match verdict {
        Verdict::Captured { amount } => format!("{amount} was captured"),
        Verdict::NotCaptured => "it was not captured".to_owned(),
        Verdict::Retry => "it is tried again".to_owned(),
        Verdict::MayBeCaptured => "it may have been captured".to_owned(),
    }
}

fn answer(reply: &Reply) -> String {
    match reply {
        Reply::Approved { authorized } => format!("approved, {authorized} authorised"),
        Reply::Declined { authorized } => format!("declined, {authorized} stays authorised"),
        Reply::Pending => "pending".to_owned(),
        Reply::Initiated => "accepted (initiated)".to_owned(),
        Reply::Data(_) => "transactional data".to_owned(),
        Reply::Expired { words } => format!("the payment token is dead: {words}"),
        Reply::Refused { words } => format!("refused: {words}"),
        Reply::Throttled { .. } => "throttled; nothing was executed".to_owned(),
        Reply::NotSent { why } => format!("never left: {why}"),
        Reply::Unauthorized { words, .. } => format!("not authorised: {words}"),
        Reply::NotTheService { why } => format!("not the payment service's answer: {why}"),
        Reply::Unclear {
            status: Some(status),
            why,
        } => format!("unclear (HTTP {status}): {why}"),
        Reply::Unclear { status: None, why } => format!("unclear: {why}"),
    }
}

//! `debt`: the bad-debt ledger by hand.

use serde_json::json;

use crate::config::Config;
use crate::domain::debt::NOBODY;
use crate::domain::{Money, ReversedInto, Standing, Timestamp, TripKey};
use crate::run::debt::{DebtList, DebtWish, list_debts, settle_debt};
use crate::run::rule::Ruled;
use crate::run::standing_of;
use crate::store::Store;

use super::debt_args::{Author, DebtCommand, DebtListArgs, IntoArg, ReverseArgs};
use super::exit::Failure;
use super::print::Output;
use super::show::find;
use super::state;

/// `debt …`.
pub fn debt(
    config: &Config,
    wish: DebtCommand,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    let store = state::open(config, now)?;
    let (trip, author, amount) = match &wish {
        DebtCommand::List(args) => return list(config, &store, args, now, output),
        DebtCommand::Recover(args) => (&args.trip, &args.author, args.amount.as_deref()),
        DebtCommand::WriteOff(args) => (&args.trip, &args.author, None),
        DebtCommand::Reverse(args) => (&args.trip, &args.author, args.amount.as_deref()),
    };
    named(author)?;
    let (id, key) = find(&store, trip)?;
    let currency = standing_of(&store.events(id)?)?.balances.currency;
    let parse = |text| Money::parse(text, currency).map_err(Failure::usage);
    let amount = amount.map(parse).transpose()?;
    let act = match &wish {
        DebtCommand::Recover(_) => DebtWish::Recover(amount),
        DebtCommand::Reverse(args) => reversal(args, amount)?,
        DebtCommand::WriteOff(_) | DebtCommand::List(_) => DebtWish::WriteOff,
    };
    let word = (act, author.by.trim(), author.note.trim());
    match settle_debt(config, &store, id, word, now)? {
        Ruled::Taken(standing) => {
            told(&key, &standing, output);
            Ok(0)
        }
        Ruled::Refused(refused) => Err(Failure::usage(refused)),
        Ruled::Before => Ok(0),
    }
}

fn named(author: &Author) -> Result<(), Failure> {
    if author.by.trim().is_empty() || author.note.trim().is_empty() {
        return Err(Failure::usage(
            "the ledger needs a name (--by) and a reason (--note)",
        ));
    }
    if author.by.trim().eq_ignore_ascii_case(NOBODY) {
        let why = format!("`{NOBODY}` stands for entries that no person made; give your name");
        return Err(Failure::usage(why));
    }
    Ok(())
}

fn reversal(args: &ReverseArgs, amount: Option<Money>) -> Result<DebtWish, Failure> {
    match (args.into, args.step) {
        (_, Some(step)) => Ok(DebtWish::TakeBack(step)),
        (Some(IntoArg::Captured), None) => Ok(DebtWish::Reverse(amount, ReversedInto::Captured)),
        (Some(IntoArg::Cancelled), None) => Ok(DebtWish::Reverse(amount, ReversedInto::Cancelled)),
        (None, None) => Err(Failure::usage("say what it was: --as or --step")),
    }
}

fn told(key: &TripKey, standing: &Standing, output: &Output) {
    let balances = &standing.balances;
    let money = |minor| Money::of_minor(minor, balances.currency);
    let json = json!({
        "schema": "tripsettle.debt/1",
        "trip": key.to_string(),
        "outcome": standing.status.as_str(),
        "currency": balances.currency.code(),
        "bad_debt": money(balances.bad_debt).decimal_text(),
        "recovered": money(balances.recovered).decimal_text(),
        "written_off": money(balances.written_off).decimal_text(),
        "open_debt": money(balances.debt()).decimal_text(),
        "step": standing.steps,
    });
    let text = format!(
        "{key}: step {}; of {} bad debt {} recovered, {} written off, {} open\n",
        standing.steps,
        money(balances.bad_debt),
        money(balances.recovered),
        money(balances.written_off),
        money(balances.debt()),
    );
    if output.json || !output.quiet {
        output.either(&json, &text);
    }
}

fn list(
    config: &Config,
    store: &Store,
    args: &DebtListArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    let list = list_debts(config, store, args.store.as_ref(), args.settled, now)?;
    output.either(&list, &text(&list));
    Ok(0)
}

fn text(list: &DebtList) -> String {
    let mut text = format!("Open bad debt on books date {}\n", list.books_date);
    if list.debts.is_empty() {
        text.push_str("none\n");
        return text;
    }
    for line in &list.ageing {
        if line.trips > 0 {
            let (store, age, trips) = (&line.store_id, line.age, line.trips);
            let (open, currency) = (&line.open, line.currency);
            text.push_str(&format!(
                "  {store:<20} {age:>5} days {trips:>7} trips {open:>18} {currency}\n"
            ));
        }
    }
    text.push_str(&format!(
        "{:<40} {:>10} {:>5} {:<20} {:>14} {:>14} {:>14}\n",
        "trip", "booked on", "days", "reason", "bad debt", "recovered", "open"
    ));
    for debt in &list.debts {
        text.push_str(&format!(
            "{:<40} {:>10} {:>5} {:<20} {:>14} {:>14} {:>14} {}\n",
            debt.trip,
            debt.booked_on,
            debt.days,
            debt.reason,
            debt.bad_debt,
            debt.recovered,
            debt.open,
            debt.currency
        ));
    }
    text
}

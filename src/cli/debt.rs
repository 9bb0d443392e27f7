//! `debt`: the bad-debt ledger by hand.

use serde_json::json;

use crate::config::Config;
use crate::domain::debt::NOBODY;
use crate::domain::{Money, ReversedInto, Standing, Timestamp, TripKey};
use crate::run::debt::{Answered, DebtList, DebtWish, list_debts, recover_once, settle_debt};
use crate::run::rule::Ruled;
use crate::run::standing_of;
use crate::store::Store;

use super::author::is_signed;
use super::debt_args::{DebtCommand, DebtListArgs, IntoArg, ReverseArgs};
use super::debt_file::recover_file;
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
    let book = Book {
        config,
        store: &store,
        now,
    };
    let (key, standing) = match &wish {
        DebtCommand::List(args) => return list(&book, args, output),
        DebtCommand::Recover(args) => match (&args.file, &args.trip) {
            (Some(file), _) => return recover_file(&book, file, args, output),
            (None, trip) => {
                let [trip, by, note] = [trip, &args.by, &args.note].map(or_empty);
                book.settle((trip, by, note), args.amount.as_deref(), DebtWish::Recover)?
            }
        },
        DebtCommand::WriteOff(args) => {
            let word = (args.trip.as_str(), &*args.author.by, &*args.author.note);
            book.settle(word, None, |_| DebtWish::WriteOff)?
        }
        DebtCommand::Reverse(args) => {
            let word = (args.trip.as_str(), &*args.author.by, &*args.author.note);
            let wish = |amount| reversal(args, amount);
            book.settle(word, args.amount.as_deref(), wish)?
        }
    };
    told(&key, &standing, output);
    Ok(0)
}

fn or_empty(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// The ledger, and when it is written to.
pub struct Book<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The state.
    pub store: &'a Store,
    /// Now.
    pub now: Timestamp,
}

impl Book<'_> {
    /// Does to the trip's debt what the wish makes of the amount that was typed.
    ///
    /// # Errors
    /// What was typed cannot be understood or does not fit the debt, or the state cannot be
    /// written.
    pub fn settle(
        &self,
        (trip, by, note): (&str, &str, &str),
        amount: Option<&str>,
        wish: impl Fn(Option<Money>) -> DebtWish,
    ) -> Result<(TripKey, Standing), Failure> {
        let (id, key, amount) = self.understand((trip, by, note), amount)?;
        let word = (wish(amount), by.trim(), note.trim());
        let settled = settle_debt(self.config, self.store, id, word, self.now)?;
        Ok((key, settled.map_err(Failure::usage)?))
    }

    /// Books a payment of a list of which the rows before this one stand for what is `answered`.
    ///
    /// # Errors
    /// What was typed cannot be understood, or the state cannot be written.
    pub fn recover_once(
        &self,
        (trip, by, note): (&str, &str, &str),
        amount: Option<&str>,
        answered: &mut Answered,
    ) -> Result<Ruled, Failure> {
        let (id, _, amount) = self.understand((trip, by, note), amount)?;
        let word = (amount, by.trim(), note.trim());
        let ruled = recover_once(self.config, self.store, id, word, answered, self.now)?;
        Ok(ruled)
    }

    fn understand(
        &self,
        (trip, by, note): (&str, &str, &str),
        amount: Option<&str>,
    ) -> Result<(i64, TripKey, Option<Money>), Failure> {
        is_signed(by, note)?;
        if by.trim().eq_ignore_ascii_case(NOBODY) {
            let why = format!("`{NOBODY}` stands for entries that no person made; give your name");
            return Err(Failure::usage(why));
        }
        let (id, key) = find(self.store, trip)?;
        let currency = standing_of(&self.store.events(id)?)?.balances.currency;
        let parse = |text| Money::parse(text, currency).map_err(Failure::usage);
        Ok((id, key, amount.map(parse).transpose()?))
    }
}

/// The arguments have one of the two: clap sees to it.
fn reversal(args: &ReverseArgs, amount: Option<Money>) -> DebtWish {
    match (args.step, args.into) {
        (Some(step), _) => DebtWish::TakeBack(step),
        (None, Some(IntoArg::Cancelled)) => DebtWish::Reverse(amount, ReversedInto::Cancelled),
        (None, Some(IntoArg::Captured) | None) => DebtWish::Reverse(amount, ReversedInto::Captured),
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

fn list(book: &Book<'_>, args: &DebtListArgs, output: &Output) -> Result<u8, Failure> {
    let (of_store, settled) = (args.store.as_ref(), args.settled);
    let list = list_debts(book.config, book.store, of_store, settled, book.now)?;
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

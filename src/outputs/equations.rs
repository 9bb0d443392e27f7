//! The terms of a day's two equations, in the order in which people read them.

use crate::domain::DayTotal;

/// A term: what stands before it, its name, and how much it is.
#[derive(Debug)]
pub(super) struct Term {
    /// `+`, `-` or `=`; a blank before the first.
    pub sign: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Minor units of a store and currency.
    pub of: fn(&DayTotal) -> i64,
}

const fn term(sign: &'static str, name: &'static str, of: fn(&DayTotal) -> i64) -> Term {
    Term { sign, name, of }
}

/// The control equation.
pub(super) const CONTROL: [Term; 9] = [
    term(" ", "open before", |day| day.opening_open),
    term("+", "in doubt before", |day| day.opening_in_doubt),
    term("+", "new", |day| day.new),
    term("+", "amended", |day| day.amended),
    term("=", "captured", |day| day.captured),
    term("+", "bad debt", |day| day.bad_debt),
    term("+", "cancelled or never owed", |day| day.cancelled),
    term("+", "in doubt now", |day| day.closing_in_doubt),
    term("+", "open now", |day| day.closing_open),
];

/// The bad-debt ledger's.
pub(super) const DEBT: [Term; 6] = [
    term(" ", "before", |day| day.debt_opening),
    term("+", "new", |day| day.debt_new),
    term("-", "reversed", |day| day.debt_reversed),
    term("-", "recovered", |day| day.debt_recovered),
    term("-", "written off", |day| day.debt_written_off),
    term("=", "now", |day| day.debt_closing),
];

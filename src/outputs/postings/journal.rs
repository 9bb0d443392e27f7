//! `postings.journal`: plain text for hledger and ledger alike.
//!
//! Accounts and commodities are declared before they are used first, as `ledger --pedantic` wants
//! it; the commodity line carries the decimal mark that hledger asks for, in JPY too. Tags are
//! written without a blank after the colon: hledger reads them, to ledger they are a comment. A
//! comma ends a tag, so that none stands in one.

use std::collections::BTreeSet;
use std::io::Write as _;

use crate::books::Transaction;
use crate::domain::{BooksDate, Chart, Currency, Dimensions, Exports, Money};

use super::{Format, Limits, Refusal, rows};

pub struct Journal {
    date: BooksDate,
    chart: Chart,
    declare: bool,
    accounts: BTreeSet<String>,
    commodities: BTreeSet<Currency>,
}

impl Journal {
    pub fn new(date: BooksDate, exports: &Exports) -> Self {
        Self {
            date,
            chart: exports.chart.clone(),
            declare: exports.declare,
            accounts: BTreeSet::new(),
            commodities: BTreeSet::new(),
        }
    }

    fn declare(&mut self, entry: &Transaction, to: &mut Vec<u8>) {
        for line in entry.postings() {
            let currency = line.amount.currency();
            if self.commodities.insert(currency) {
                let mark = if currency.exponent() == 0 { "." } else { "" };
                let sample = Money::of_minor(1000_i64.saturating_mul(unit(currency)), currency);
                let sample = sample.decimal_text();
                let _ = writeln!(to, "commodity {currency} {sample}{mark}");
            }
            let account = rows::account(&self.chart, entry, line);
            if !self.accounts.contains(account.as_ref()) {
                let _ = writeln!(to, "account {account}");
                self.accounts.insert(account.into_owned());
            }
        }
    }
}

fn unit(currency: Currency) -> i64 {
    10_i64.saturating_pow(u32::from(currency.exponent()))
}

impl Format for Journal {
    fn file(&self) -> &'static str {
        "postings.journal"
    }

    fn limits(&self) -> Limits {
        Limits::NONE
    }

    fn refuses(&self, _: &Transaction) -> Option<Refusal> {
        None
    }

    fn head(&mut self, to: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _ = writeln!(to, "; tripsettle: the postings of {}", self.date);
    }

    fn entry(&mut self, entry: &Transaction, at: &Dimensions, to: &mut Vec<u8>) {
        if self.declare {
            self.declare(entry, to);
        }
        let about = entry.about();
        let (date, id, words) = (about.books_date, &about.id, about.kind.words());
        let (store, trip) = (&about.key.store, &about.key.trip);
        let _ = write!(to, "\n{date} * ({id}) {words} {store}/{trip}  ; ");
        let _ = write!(to, "store:{store}, trip:{trip}, kind:{}", about.kind);
        for (tag, value) in [
            // A location that is only the store again is not said twice.
            (
                "location",
                at.location.as_deref().filter(|it| *it != store.as_str()),
            ),
            ("class", at.class.as_deref()),
            ("subsidiary", at.subsidiary.as_deref()),
            ("corrects", about.corrects.as_deref()),
        ] {
            let _ = value.map(|value| write!(to, ", {tag}:{}", value.replace(',', "")));
        }
        to.push(b'\n');
        for line in entry.postings() {
            let account = rows::account(&self.chart, entry, line);
            let _ = write!(to, "    {account}  {} ", line.amount.currency());
            rows::amount(to, line.amount);
            to.push(b'\n');
        }
    }
}

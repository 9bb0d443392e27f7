//! `postings.netsuite.csv`: NetSuite's import of journal entries.
//!
//! The external id stands on every row, so that a second import of it is recognised; an amount has
//! at most 10 digits before the point and 2 after it; an import takes 50 MB.

use crate::books::Transaction;
use crate::domain::{BooksDate, Dimensions, Target};

use super::rows::{CRLF, Row, account, cut, date, description, header, sides};
use super::{Format, Limits, Refusal, refuse};

const COLUMNS: [&str; 11] = [
    "External ID",
    "Date",
    "Posting Period",
    "Currency",
    "Subsidiary",
    "Memo",
    "Journal Entry - Line: Account",
    "Journal Entry - Line: Debit",
    "Journal Entry - Line: Credit",
    "Journal Entry - Line: Memo",
    "Journal Entry - Line: Location",
];
const DECIMALS: u8 = 2;
const DIGITS: u32 = 10;
const MEMO: usize = 999;
const BYTES: u64 = 50_000_000;

pub struct Netsuite {
    of: Target,
    date: String,
    period: String,
}

impl Netsuite {
    pub fn new(day: BooksDate, of: &Target) -> Self {
        Self {
            of: of.clone(),
            date: date(day.date(), &of.date_format),
            period: date(day.date(), "%b %Y"),
        }
    }
}

impl Format for Netsuite {
    fn file(&self) -> &'static str {
        "postings.netsuite.csv"
    }

    fn limits(&self) -> Limits {
        Limits {
            rows: self.of.max_rows,
            bytes: BYTES,
        }
    }

    fn refuses(&self, entry: &Transaction) -> Option<Refusal> {
        refuse(&self.of, DECIMALS, entry).or_else(|| {
            let exponent = u32::from(entry.currency()?.exponent());
            let too_large = 10_u64.saturating_pow(exponent.saturating_add(DIGITS));
            let mut lines = entry.postings().iter();
            let is_large = lines.any(|line| line.amount.minor().unsigned_abs() >= too_large);
            is_large.then_some(Refusal::TooLarge { most: DIGITS })
        })
    }

    fn head(&mut self, to: &mut Vec<u8>) {
        header(to, &COLUMNS, self.of.bom);
    }

    fn entry(&mut self, entry: &Transaction, at: &Dimensions, to: &mut Vec<u8>) {
        let memo = cut(&description(entry), MEMO);
        for line in entry.postings() {
            let (debit, credit) = sides(line);
            Row::begin(to, ',')
                .text(&entry.about().id)
                .text(&self.date)
                .text(&self.period)
                .text(line.amount.currency().code())
                .text(at.subsidiary.as_deref().unwrap_or_default())
                .text(&memo)
                .text(&account(&self.of.chart, entry, line))
                .amount_if(debit)
                .amount_if(credit)
                .text(entry.about().kind.words())
                .text(at.location.as_deref().unwrap_or_default())
                .end(CRLF);
        }
    }
}

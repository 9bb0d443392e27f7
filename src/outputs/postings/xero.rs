//! `postings.xero.csv`: Xero's manual journals.
//!
//! Rows of one narration and date are one journal, so that the narration begins with the entry's
//! number; debits are positive, credits negative; there is no column for a currency, so that the
//! file has the organisation's own only.

use crate::books::Transaction;
use crate::domain::{BooksDate, Dimensions, XeroTarget};

use super::rows::{CRLF, Row, account, date, header, narration};
use super::{Format, Limits, Refusal, refuse};

const COLUMNS: [&str; 10] = [
    "*Narration",
    "*Date",
    "Description",
    "*AccountCode",
    "*TaxRate",
    "*Amount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
];
const DECIMALS: u8 = 2;
const NARRATION: usize = 2000;

pub struct Xero {
    of: XeroTarget,
    date: String,
}

impl Xero {
    pub fn new(day: BooksDate, of: &XeroTarget) -> Self {
        Self {
            of: of.clone(),
            date: date(day.date(), &of.target.date_format),
        }
    }
}

impl Format for Xero {
    fn file(&self) -> &'static str {
        "postings.xero.csv"
    }

    fn limits(&self) -> Limits {
        Limits {
            rows: self.of.target.max_rows,
            ..Limits::NONE
        }
    }

    fn refuses(&self, entry: &Transaction) -> Option<Refusal> {
        refuse(&self.of.target, DECIMALS, entry)
    }

    fn head(&mut self, to: &mut Vec<u8>) {
        header(to, &COLUMNS, self.of.target.bom);
    }

    fn entry(&mut self, entry: &Transaction, at: &Dimensions, to: &mut Vec<u8>) {
        let narration = narration(entry, NARRATION);
        let (category, option) = match (self.of.tracking.as_str(), at.location.as_deref()) {
            ("", _) | (_, None) => ("", ""),
            (category, Some(location)) => (category, location),
        };
        for line in entry.postings() {
            Row::begin(to, ',')
                .text(&narration)
                .text(&self.date)
                .text(entry.about().kind.words())
                .text(&account(&self.of.target.chart, entry, line))
                .text(&self.of.tax_rate)
                .amount(line.amount)
                .text(category)
                .text(option)
                .text("")
                .text("")
                .end(CRLF);
        }
    }
}

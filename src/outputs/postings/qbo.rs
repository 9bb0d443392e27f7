//! `postings.qbo.csv`: QuickBooks Online's journal entries.
//!
//! All rows of one JournalNo are one entry; amounts are positive, the other side is blank; a
//! number is at most 21 characters long, which `JE-20261126-1000000` is.

use crate::books::Transaction;
use crate::domain::{BooksDate, Dimensions, QboTarget, Role};

use super::rows::{CRLF, Row, account, cut, date, description, header, sides};
use super::{Format, Limits, Refusal, refuse};

const COLUMNS: [&str; 10] = [
    "JournalNo",
    "JournalDate",
    "AccountName",
    "Debits",
    "Credits",
    "Description",
    "Name",
    "Currency",
    "Location",
    "Class",
];
const DECIMALS: u8 = 2;
const JOURNAL_NO: usize = 21;
const DESCRIPTION: usize = 4000;
/// Reported to take 350 KB of transactions; a little is left for the count of a KB.
const BYTES: u64 = 350_000;

pub struct Qbo {
    of: QboTarget,
    date: String,
}

impl Qbo {
    pub fn new(day: BooksDate, of: &QboTarget) -> Self {
        Self {
            of: of.clone(),
            date: date(day.date(), &of.target.date_format),
        }
    }
}

impl Format for Qbo {
    fn file(&self) -> &'static str {
        "postings.qbo.csv"
    }

    fn limits(&self) -> Limits {
        Limits {
            rows: self.of.target.max_rows,
            bytes: BYTES,
        }
    }

    fn refuses(&self, entry: &Transaction) -> Option<Refusal> {
        refuse(&self.of.target, DECIMALS, entry)
    }

    fn head(&mut self, to: &mut Vec<u8>) {
        header(to, &COLUMNS, self.of.target.bom);
    }

    fn entry(&mut self, entry: &Transaction, at: &Dimensions, to: &mut Vec<u8>) {
        let number = cut(&entry.about().id, JOURNAL_NO);
        let words = cut(&description(entry), DESCRIPTION);
        for line in entry.postings() {
            let (debit, credit) = sides(line);
            let owed = matches!(
                line.role,
                Role::ShopperReceivable | Role::ShopperReceivableTax
            );
            let name = if owed { self.of.customer.as_str() } else { "" };
            Row::begin(to, ',')
                .text(&number)
                .text(&self.date)
                .text(&account(&self.of.target.chart, entry, line))
                .amount_if(debit)
                .amount_if(credit)
                .text(&words)
                .text(name)
                .text(line.amount.currency().code())
                .text(at.location.as_deref().unwrap_or_default())
                .text(at.class.as_deref().unwrap_or_default())
                .end(CRLF);
        }
    }
}

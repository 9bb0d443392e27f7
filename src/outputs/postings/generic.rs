//! `postings.csv`: columns, signs, dates and line ends as configured.

use crate::books::{Posting, Transaction};
use crate::domain::{BooksDate, Cell, CsvTarget, Dimensions, Field, Money};

use super::rows::{CRLF, Row, account, date, narration, opposite, sides};
use super::{Format, Limits, Refusal, refuse};

pub struct Generic {
    of: CsvTarget,
    date: String,
    month: String,
}

impl Generic {
    pub fn new(day: BooksDate, of: &CsvTarget) -> Self {
        Self {
            of: of.clone(),
            date: date(day.date(), &of.target.date_format),
            month: date(day.date(), "%Y-%m"),
        }
    }

    fn line_end(&self) -> &'static str {
        if self.of.crlf { CRLF } else { "\n" }
    }
}

/// One row's entry, line and its number.
struct At<'a> {
    entry: &'a Transaction,
    line: &'a Posting,
    number: usize,
    place: &'a Dimensions,
}

impl Generic {
    fn field(&self, row: &mut Row<'_>, field: Field, at: &At<'_>) {
        let about = at.entry.about();
        let side = |amount: Option<Money>| match (amount, self.of.zeros) {
            (None, true) => Some(Money::zero(at.line.amount.currency())),
            (amount, _) => amount,
        };
        let (debit, credit) = sides(at.line);
        let day = |day| date(day, &self.of.target.date_format);
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        match field {
            Field::EntryId => row.text(&about.id),
            Field::Line => row.text(&at.number.to_string()),
            Field::Date => row.text(&self.date),
            Field::Month => row.text(&self.month),
            Field::BusinessDate => row.text(&day(about.business_date.date())),
            Field::Store => row.text(about.key.store.as_str()),
            Field::Location => row.text(&or_empty(&at.place.location)),
            Field::Class => row.text(&or_empty(&at.place.class)),
            Field::Subsidiary => row.text(&or_empty(&at.place.subsidiary)),
            Field::Trip => row.text(about.key.trip.as_str()),
            Field::Processor => row.text(about.processor.as_ref().map_or("", |it| it.as_str())),
            Field::Kind => row.text(about.kind.as_str()),
            Field::Corrects => row.text(&or_empty(&about.corrects)),
            Field::Description => row.text(&narration(at.entry, self.of.description_length)),
            Field::Account => row.text(&account(&self.of.target.chart, at.entry, at.line)),
            Field::Debit => row.amount_if(side(debit)),
            Field::Credit => row.amount_if(side(credit)),
            Field::Amount if self.of.credit_positive => row.amount(opposite(at.line.amount)),
            Field::Amount => row.amount(at.line.amount),
            Field::Currency => row.text(at.line.amount.currency().code()),
        };
    }
}

impl Format for Generic {
    fn file(&self) -> &'static str {
        "postings.csv"
    }

    fn limits(&self) -> Limits {
        Limits {
            rows: self.of.target.max_rows,
            ..Limits::NONE
        }
    }

    fn refuses(&self, entry: &Transaction) -> Option<Refusal> {
        refuse(&self.of.target, self.of.max_decimals, entry)
    }

    fn head(&mut self, to: &mut Vec<u8>) {
        if self.of.target.bom {
            to.extend_from_slice("\u{feff}".as_bytes());
        }
        let mut row = Row::begin(to, self.of.delimiter);
        for column in &self.of.columns {
            row.text(&column.header);
        }
        row.end(self.line_end());
    }

    fn entry(&mut self, entry: &Transaction, place: &Dimensions, to: &mut Vec<u8>) {
        for (number, line) in (1..).zip(entry.postings()) {
            let mut row = Row::begin(to, self.of.delimiter);
            let at = At {
                entry,
                line,
                number,
                place,
            };
            for column in &self.of.columns {
                if column.once && number > 1 {
                    row.text("");
                    continue;
                }
                match &column.cell {
                    Cell::Text(text) => {
                        row.text(text);
                    }
                    Cell::Field(field) => self.field(&mut row, *field, &at),
                }
            }
            row.end(self.line_end());
        }
    }
}

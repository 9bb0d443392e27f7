//! `postings.beancount`: plain text for Beancount, without a BOM, which it would not take.
//!
//! For Beancount 3. The tolerance is switched off, so that a residual of one minor unit is an error
//! (2.3 has no such option and says so). No account is opened, since opened on two days it is an
//! error where both are included: a plugin opens them where the file is read by itself, and is not
//! looked at where it is included, by a file that has the chart. Account names keep to Beancount's
//! alphabet ([`Chart::beancount_part`]); the metadata have the names as they are.

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::books::Transaction;
use crate::domain::{BooksDate, Chart, Dimensions, Exports};

use super::{Format, Limits, Refusal, rows};

pub struct Beancount {
    date: BooksDate,
    chart: Chart,
    declare: bool,
    /// By their names as configured: the names in Beancount's alphabet.
    accounts: BTreeMap<String, String>,
}

impl Beancount {
    pub fn new(date: BooksDate, exports: &Exports) -> Self {
        Self {
            date,
            chart: exports.chart.clone(),
            declare: exports.declare,
            accounts: BTreeMap::new(),
        }
    }

    /// Names the accounts of an entry.
    fn name(&mut self, entry: &Transaction) {
        for line in entry.postings() {
            let account = rows::account(&self.chart, entry, line);
            if self.accounts.contains_key(account.as_ref()) {
                continue;
            }
            let parts: Vec<String> = account.split(':').map(Chart::beancount_part).collect();
            self.accounts.insert(account.into_owned(), parts.join(":"));
        }
    }
}

impl Format for Beancount {
    fn file(&self) -> &'static str {
        "postings.beancount"
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
        let _ = writeln!(to, "option \"tolerance_multiplier\" \"0\"");
        if self.declare {
            let _ = writeln!(
                to,
                "; a file that includes this one opens the accounts, or has it too"
            );
            let _ = writeln!(to, "plugin \"beancount.plugins.auto_accounts\"");
        }
    }

    fn entry(&mut self, entry: &Transaction, at: &Dimensions, to: &mut Vec<u8>) {
        let about = entry.about();
        let (date, id) = (about.books_date, &about.id);
        to.push(b'\n');
        self.name(entry);
        let (words, key) = (about.kind.words(), &about.key);
        let _ = write!(to, "{date} * \"{words} {key}\" ^{id}");
        let link = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        let corrects = about.corrects.as_deref();
        let linked = corrects.filter(|id| id.chars().all(link));
        let _ = linked.map(|id| write!(to, " ^{id}"));
        to.push(b'\n');
        let kind = about.kind.as_str();
        for (name, value) in [
            ("store", Some(key.store.as_str())),
            ("trip", Some(key.trip.as_str())),
            ("kind", Some(kind)),
            (
                "location",
                at.location
                    .as_deref()
                    .filter(|it| *it != key.store.as_str()),
            ),
            ("class", at.class.as_deref()),
            ("subsidiary", at.subsidiary.as_deref()),
            ("corrects", corrects),
        ] {
            let _ = value.map(|value| writeln!(to, "  {name}: \"{value}\""));
        }
        for line in entry.postings() {
            let account = rows::account(&self.chart, entry, line);
            let name = self.accounts.get(account.as_ref());
            let _ = write!(to, "  {}  ", name.map_or("", String::as_str));
            rows::amount(to, line.amount);
            let _ = writeln!(to, " {}", line.amount.currency());
        }
    }
}

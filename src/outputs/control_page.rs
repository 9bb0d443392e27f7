//! The control page: what an accountant signs, as rows that a workbook lays out.
//!
//! It begins with the control equation per currency, then goes from what is known to what is not,
//! and names the edition and the journal's head, so that a page on paper is of one edition only.

use std::collections::BTreeMap;

use crate::domain::{CaptureState, Currency, DayTotal, Money, MoneyError};
use crate::reconcile::{BreakStatus, MatchStatus};

use super::equations::{CONTROL, DEBT, Term};
use super::summary::{Stakes, Summary, plus};

/// A cell of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Words, names, dates.
    Text(String),
    /// Money.
    Amount(Money),
    /// A count.
    Count(u64),
}

/// A row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageRow {
    /// Nothing.
    Blank,
    /// The head of a section.
    Title(String),
    /// What its columns are called.
    Head(Vec<&'static str>),
    /// Its cells.
    Cells(Vec<Item>),
}

impl Summary {
    /// The control page's rows.
    ///
    /// # Errors
    /// Overflow.
    pub fn control_page(&self, edition: u32) -> Result<Vec<PageRow>, MoneyError> {
        let mut rows = vec![PageRow::Title(self.verdict(edition))];
        let head = format!("journal {}", self.head);
        let sides = CONTROL.map(|term| format!("{} {}", term.sign, term.name));
        let sides = sides.join(" ");
        rows.extend(
            [head.as_str(), sides.trim_start()].map(|line| PageRow::Cells(vec![text(line)])),
        );
        equation(&mut rows, "Control equation", &self.totals, &CONTROL)?;
        equation(&mut rows, "Bad debt", &self.totals, &DEBT)?;
        self.ageing_rows(&mut rows);
        self.posted_rows(&mut rows);
        self.outcome_rows(&mut rows)?;
        self.reason_rows(&mut rows);
        stakes(
            &mut rows,
            "In doubt: captures that may have happened or not",
            &self.doubts,
        );
        let until = format!("At risk: the token may die before {}", self.at_risk_until);
        stakes(&mut rows, &until, &self.at_risk);
        self.break_rows(&mut rows);
        section(&mut rows, "Not known", &[]);
        let not_known = self.not_known().into_iter();
        rows.extend(not_known.map(|line| PageRow::Cells(vec![Item::Text(line)])));
        section(&mut rows, "Signed", &["", "name", "date", "signature"]);
        rows.extend(["Prepared by", "Reviewed by"].map(|line| PageRow::Cells(vec![text(line)])));
        Ok(rows)
    }

    fn ageing_rows(&self, rows: &mut Vec<PageRow>) {
        let columns = ["store", "currency", "days", "debts", "amount"];
        section(rows, "Open bad debt by age", &columns);
        for (store, currency, days, sum) in self.ageing.sums() {
            rows.push(PageRow::Cells(vec![
                text(store.as_str()),
                text(currency.code()),
                text(days.as_str()),
                Item::Count(sum.trips),
                Item::Amount(Money::of_minor(sum.minor, currency)),
            ]));
        }
    }

    fn posted_rows(&self, rows: &mut Vec<PageRow>) {
        let Some(posted) = &self.posted else {
            return;
        };
        let columns = ["currency", "entries", "debits", "credits"];
        section(rows, "Postings, the same in every edition", &columns);
        for (currency, sides) in posted.by_currency() {
            let of = |minor| Item::Amount(Money::of_minor(minor, currency));
            rows.push(PageRow::Cells(vec![
                text(currency.code()),
                Item::Count(sides.entries),
                of(sides.debits),
                of(sides.credits),
            ]));
        }
    }

    fn outcome_rows(&self, rows: &mut Vec<PageRow>) -> Result<(), MoneyError> {
        let columns = [
            "outcome",
            "currency",
            "trips",
            "cart total",
            "captured",
            "bad debt",
        ];
        section(rows, "Trips with an event on this day", &columns);
        for (status, sums) in self.outcomes_by_status()? {
            for (currency, sum) in sums {
                let of = |minor| Item::Amount(Money::of_minor(minor, currency));
                rows.push(PageRow::Cells(vec![
                    text(status.as_str()),
                    text(currency.code()),
                    Item::Count(sum.trips),
                    of(sum.cart_total),
                    of(sum.captured),
                    of(sum.bad_debt),
                ]));
            }
        }
        Ok(())
    }

    fn reason_rows(&self, rows: &mut Vec<PageRow>) {
        let columns = ["kind", "reason", "currency", "entries", "amount"];
        section(rows, "Bad debt of this day by reason", &columns);
        for ((kind, reason, currency), (entries, minor)) in &self.ledger {
            rows.push(PageRow::Cells(vec![
                text(kind.as_str()),
                text(reason.as_str()),
                text(currency.code()),
                Item::Count(*entries),
                Item::Amount(Money::of_minor(*minor, *currency)),
            ]));
        }
    }

    fn break_rows(&self, rows: &mut Vec<PageRow>) {
        let columns = ["break", "severity", "open", "cured", "oldest, days"];
        section(rows, "Breaks by kind and age", &columns);
        for (kind, by) in &self.breaks {
            let of = |status| Item::Count(by.get(&status).copied().unwrap_or(0));
            let oldest = self.oldest.get(kind).copied().unwrap_or(0);
            rows.push(PageRow::Cells(vec![
                text(kind.as_str()),
                text(kind.severity().as_str()),
                of(BreakStatus::Open),
                of(BreakStatus::Cured),
                Item::Count(oldest),
            ]));
        }
    }

    /// What the day's files cannot say, each a sentence.
    pub(super) fn not_known(&self) -> Vec<String> {
        let of = |state| self.captures.get(&state).copied().unwrap_or(0);
        let pending = self
            .matches
            .get(&MatchStatus::Pending)
            .copied()
            .unwrap_or(0);
        let mut lines = Vec::new();
        let mut tell = |count: u64, words: &str| {
            if count > 0 {
                lines.push(format!("{count} {words}"));
            }
        };
        tell(self.doubts.count, "in doubt: whether the card was charged");
        tell(
            of(CaptureState::Initiated),
            "initiated only: whether the money has moved",
        );
        tell(
            of(CaptureState::Evidenced),
            "evidenced, not settled: whether the processor has paid out",
        );
        tell(pending, "pending: whether the other side agrees");
        if lines.is_empty() {
            lines.push("nothing of this day's captures".to_owned());
        }
        lines
    }
}

fn text(text: &str) -> Item {
    Item::Text(text.to_owned())
}

fn section(rows: &mut Vec<PageRow>, title: &str, columns: &[&'static str]) {
    rows.push(PageRow::Blank);
    rows.push(PageRow::Title(title.to_owned()));
    if !columns.is_empty() {
        rows.push(PageRow::Head(columns.to_vec()));
    }
}

/// A row per currency, then one per store and currency.
fn equation(
    rows: &mut Vec<PageRow>,
    title: &str,
    totals: &[DayTotal],
    terms: &[Term],
) -> Result<(), MoneyError> {
    let mut columns = vec!["store", "currency"];
    columns.extend(terms.iter().map(|term| term.name));
    section(rows, title, &columns);
    let mut sums: BTreeMap<Currency, Vec<i64>> = BTreeMap::new();
    for day in totals {
        let sum = sums
            .entry(day.currency)
            .or_insert_with(|| vec![0; terms.len()]);
        for (sum, term) in sum.iter_mut().zip(terms) {
            *sum = plus(*sum, (term.of)(day))?;
        }
    }
    let mut row = |store: &str, currency: Currency, minors: Vec<i64>| {
        let amounts = minors
            .into_iter()
            .map(|minor| Money::of_minor(minor, currency));
        let mut cells = vec![text(store), text(currency.code())];
        cells.extend(amounts.map(Item::Amount));
        rows.push(PageRow::Cells(cells));
    };
    sums.into_iter()
        .for_each(|(currency, sum)| row("all", currency, sum));
    for day in totals {
        let minors = terms.iter().map(|term| (term.of)(day)).collect();
        row(day.store.as_str(), day.currency, minors);
    }
    Ok(())
}

fn stakes(rows: &mut Vec<PageRow>, title: &str, stakes: &Stakes) {
    section(
        rows,
        title,
        &["trip", "currency", "amount", "until", "what is known"],
    );
    for ((deadline, key), (amount, note)) in &stakes.named {
        rows.push(PageRow::Cells(vec![
            Item::Text(key.to_string()),
            text(amount.currency().code()),
            Item::Amount(*amount),
            Item::Text(deadline.to_string()),
            text(note),
        ]));
    }
    let named = u64::try_from(stakes.named.len()).unwrap_or(u64::MAX);
    if stakes.count > named {
        let more = stakes.count.saturating_sub(named);
        let words = format!("and {more} more in summary.json's counts");
        rows.push(PageRow::Cells(vec![Item::Text(words)]));
    }
}

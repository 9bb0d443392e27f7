//! A published table read back: its rows and its control totals.

use std::collections::BTreeMap;
use std::io::Read;

use crate::domain::{Currency, Money};

/// Control totals as a manifest tells them: money column, then currency, then decimal text.
pub type Totals = BTreeMap<String, BTreeMap<String, String>>;

/// Counts the rows of a table and adds up the columns that `told` names.
///
/// # Errors
/// In words: what cannot be read as a table of ours.
pub fn tally(from: impl Read, told: &Totals) -> Result<(u64, Totals), String> {
    let mut reader = csv::Reader::from_reader(from);
    let header = reader.headers().map_err(|why| why.to_string())?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let columns = told.keys().map(|name| {
        let place = place(name).ok_or_else(|| format!("there is no column {name}"))?;
        Ok((name.clone(), place))
    });
    let columns: Vec<(String, usize)> = columns.collect::<Result<_, String>>()?;
    let currency_at = place("currency");
    let mut sums: BTreeMap<(usize, Currency), i64> = BTreeMap::new();
    let (mut rows, mut row) = (0_u64, csv::StringRecord::new());
    while reader
        .read_record(&mut row)
        .map_err(|why| why.to_string())?
    {
        rows = rows.saturating_add(1);
        let code = currency_at.and_then(|at| row.get(at)).unwrap_or("");
        for (name, at) in &columns {
            let text = row.get(*at).unwrap_or("");
            if text.is_empty() {
                continue;
            }
            let wrong = || format!("row {rows}, {name}: `{text}` {code} is no amount");
            let currency = Currency::of(code).map_err(|_| wrong())?;
            let minor = amount(text, currency).ok_or_else(wrong)?;
            let sum = sums.entry((*at, currency)).or_default();
            *sum = sum.checked_add(minor).ok_or_else(wrong)?;
        }
    }
    let mut totals: Totals = told
        .keys()
        .map(|name| (name.clone(), BTreeMap::new()))
        .collect();
    for ((at, currency), minor) in sums {
        let named = columns.iter().find(|(_, place)| *place == at);
        let by_currency = named.and_then(|(name, _)| totals.get_mut(name));
        if let Some(by_currency) = by_currency {
            let text = Money::of_minor(minor, currency).decimal_text();
            by_currency.insert(currency.code().to_owned(), text);
        }
    }
    Ok((rows, totals))
}

/// Minor units of what a table of ours shows; it may be negative.
pub(super) fn amount(text: &str, currency: Currency) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1_i64, digits),
        None => (1, text),
    };
    let money = Money::parse(digits, currency).ok()?;
    money.minor().checked_mul(sign)
}

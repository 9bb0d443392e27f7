//! A second opinion that knows nothing of our code: it reads the published text and adds up.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;

/// Sums by currency of one entry, in minor units as written (the point is left out).
pub type Entries = BTreeMap<String, BTreeMap<String, i128>>;

fn digits(amount: &str) -> i128 {
    amount.replace('.', "").parse().unwrap()
}

/// `postings.journal` and `postings.beancount`: an entry begins at a line with a date, its postings
/// are set in and end with an amount.
pub fn plain_text(text: &str) -> Entries {
    let (mut entries, mut entry) = (Entries::new(), String::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_date = line.starts_with(|c: char| c.is_ascii_digit());
        match words[..] {
            [_, "*", ..] if is_date => {
                let id = words
                    .iter()
                    .find(|word| word.trim_matches(['(', ')', '^']).starts_with("JE-"));
                entry = id.unwrap().trim_matches(['(', ')', '^']).to_owned();
            }
            [account, one, two]
                if line.starts_with("  ") && account.contains(':') && !account.ends_with(':') =>
            {
                let (amount, currency) = match one.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    true => (two, one),
                    false => (one, two),
                };
                let of = entries.entry(entry.clone()).or_default();
                *of.entry(currency.to_owned()).or_default() += digits(amount);
            }
            _ => {}
        }
    }
    entries
}

/// A CSV: by the column of its entry, and its columns of amounts with their signs.
pub fn table(text: &str, entry: &str, currency: Option<&str>, amounts: &[(&str, i128)]) -> Entries {
    let mut entries = Entries::new();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let code = currency.map_or("one", |column| &row[column]);
        for (column, sign) in amounts {
            let amount = &row[*column];
            if !amount.is_empty() {
                let of = entries.entry(row[entry].clone()).or_default();
                *of.entry(code.to_owned()).or_default() += sign * digits(amount);
            }
        }
    }
    entries
}

/// The entries that do not sum to zero.
pub fn wrong(entries: &Entries) -> Vec<&String> {
    let off = |sums: &BTreeMap<String, i128>| sums.values().any(|sum| *sum != 0);
    let wrong = entries.iter().filter(|(_, sums)| off(sums));
    wrong.map(|(entry, _)| entry).collect()
}

/// The text with one minor unit more in one amount: the first one that ends in a digit below 9
/// and stands between these two marks.
pub fn spoiled(text: &str, before: &str, after: &str) -> String {
    let mut from = 0;
    while let Some(found) = text[from..].find(before) {
        let start = from + found + before.len();
        let end = start + text[start..].find(after).unwrap();
        let amount = &text[start..end];
        let is_amount = amount.trim_start_matches('-').split('.').count() == 2
            && amount
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        let last = amount.bytes().last().unwrap_or(b'9');
        if is_amount && last.is_ascii_digit() && last < b'9' {
            let more = char::from(last + 1);
            return format!("{}{more}{}", &text[..end - 1], &text[end..]);
        }
        from = start;
    }
    panic!("no amount to spoil");
}

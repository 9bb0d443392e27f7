//! Trip files from bytes, and what was read of them as text.

#![allow(dead_code, clippy::unwrap_used)]

use std::io::Cursor;

use tripsettle::domain::{Elsewhere, FeedRow, Rejection, Timestamp};
use tripsettle::trips::{FeedFormat, Item, TripsError, read};

/// The time at which everything is read.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-03-08T12:00:00Z").unwrap()
}

/// Every record of the bytes.
pub fn items(format: FeedFormat, bytes: &[u8]) -> Vec<Result<Item, TripsError>> {
    read(Cursor::new(bytes.to_vec()), format, "f", now()).collect()
}

/// A line for each record: its line, what was taken or why not.
pub fn told(format: FeedFormat, bytes: &[u8]) -> Vec<String> {
    let told = |item| match item {
        Ok(Item::Row(row)) => format!("{}: {} {}", row.source.line, row.key, row.amount),
        Ok(Item::Rejected(rejection)) => {
            format!("{}: no {}", rejection.source.line, reason(&rejection))
        }
        Err(error) => format!("error: {error}"),
    };
    items(format, bytes).into_iter().map(told).collect()
}

/// The field at fault and the reason.
pub fn reason(rejection: &Rejection) -> String {
    format!("{}: {}", rejection.field.unwrap_or("-"), rejection.reason)
}

/// The only record, taken or not, as one table tells it: `no …`, or the named field.
pub fn only(format: FeedFormat, bytes: &[u8], field: &str) -> String {
    let mut items = items(format, bytes);
    assert_eq!(items.len(), 1, "{}", String::from_utf8_lossy(bytes));
    match items.remove(0).unwrap() {
        Item::Row(row) => format!("{field}={}", of_row(&row, field)),
        Item::Rejected(rejection) => format!("no {}", reason(&rejection)),
    }
}

fn of_row(row: &FeedRow, field: &str) -> String {
    let absent = || "-".to_owned();
    let money = |amount: Option<tripsettle::domain::Money>| {
        amount.map_or_else(absent, |amount| amount.to_string())
    };
    match field {
        "key" => row.key.to_string(),
        "started_at" => row.started_at.to_string(),
        "ended_at" => row.ended_at.map_or_else(absent, |at| at.to_string()),
        "amount" => row.amount.to_string(),
        "processor" => row
            .processor
            .as_ref()
            .map_or_else(absent, ToString::to_string),
        "purchase_id" => row.purchase_id.clone().unwrap_or_else(absent),
        "preauth" => money(row.preauth),
        "tax" => money(row.tax),
        "entry" => row.entry.as_str().to_owned(),
        "elsewhere" => match row.elsewhere {
            Some(Elsewhere::Captured { amount }) => format!("captured {amount}"),
            Some(Elsewhere::Cancelled) => "cancelled".to_owned(),
            None => absent(),
        },
        other => panic!("no field {other}"),
    }
}

/// The rows of a table: what is given, and what is told of it.
pub fn table(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let rows = text.lines().filter(|line| !line.starts_with("# "));
    rows.map(|line| line.split_once(" | ").unwrap())
        .map(|(given, told)| (given.trim_end(), told))
}

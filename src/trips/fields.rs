//! The fields of a trip: text to values, with a reason for each that cannot be one.

use crate::domain::cards::hide_card_numbers;
use crate::domain::time::MINUTE_MS;
use crate::domain::{
    Currency, Elsewhere, Entry, FeedRow, Money, ProcessorName, Rejection, StoreId, Timestamp,
    TripId, TripKey,
};

use crate::planted::{self, Bug};

use super::{Item, Record};

/// A trip cannot have begun later than this after now: clocks differ a little.
const AHEAD_MS: i64 = 5 * MINUTE_MS;
const AHEAD: &str = "lies more than 5 minutes ahead";
const STARTED_AT: &str = "started_at";
/// No trip began before 2000-01-01: some systems write their null date for an unknown one.
const EARLIEST: Timestamp = Timestamp::of_ms(946_684_800_000);
/// The largest amount in minor units: few larger ones would make a whole day's sums overflow.
const MOST_MINOR: i64 = 1_000_000_000_000;
/// The longest free text.
const TEXT_BYTES: usize = 255;

/// Every field that is read; others are left alone.
pub(super) const FIELDS: [&str; 13] = [
    "store_id",
    "shopping_trip_id",
    "started_at",
    "amount",
    "currency",
    "ended_at",
    "processor",
    "purchase_id",
    "preauth_amount",
    "tax_amount",
    "entry",
    "status",
    "captured_amount",
];

/// Fields without which there is no trip.
pub(super) const REQUIRED: [&str; 5] = [
    "store_id",
    "shopping_trip_id",
    "started_at",
    "amount",
    "currency",
];

/// What is wrong with a field.
type Wrong = (&'static str, String);

/// The fields of one record as text, by name; empty text counts as absent.
pub(super) trait Fields {
    fn field(&self, name: &'static str) -> Option<&str>;
}

/// Makes a row of a record's fields.
pub(super) fn row(record: Record, fields: &dyn Fields, now: Timestamp) -> Item {
    match values(&record, fields, now) {
        Ok(row) => Item::Row(row),
        Err((field, reason)) => record.rejected(Some(field), &reason),
    }
}

/// True for a row that may be right as soon as our clock is.
pub fn is_early(rejection: &Rejection) -> bool {
    rejection.field == Some(STARTED_AT) && rejection.reason.ends_with(AHEAD)
}

fn values(record: &Record, fields: &dyn Fields, now: Timestamp) -> Result<FeedRow, Wrong> {
    let key = TripKey {
        store: read(fields, "store_id", StoreId::of)?,
        trip: read(fields, "shopping_trip_id", TripId::of)?,
    };
    let started_at = read(fields, STARTED_AT, Timestamp::parse)?;
    if started_at.ms_since(now) > AHEAD_MS {
        return Err((STARTED_AT, format!("{started_at} {AHEAD}")));
    }
    if started_at < EARLIEST {
        return Err(("started_at", format!("{started_at} lies before {EARLIEST}")));
    }
    let ended_at = optional(fields, "ended_at", Timestamp::parse)?;
    if ended_at.is_some_and(|ended| ended < started_at) {
        return Err(("ended_at", "the trip ended before it began".to_owned()));
    }
    let currency = read(fields, "currency", Currency::of)?;
    let money = |text: &str| money(text, currency);
    let amount = read(fields, "amount", money)?;
    let tax = optional(fields, "tax_amount", money)?;
    if tax.is_some_and(|tax| tax.minor() > amount.minor()) {
        return Err((
            "tax_amount",
            format!("more tax than the amount of {amount}"),
        ));
    }
    Ok(FeedRow {
        key,
        started_at,
        ended_at,
        amount,
        processor: optional(fields, "processor", ProcessorName::of)?,
        purchase_id: optional(fields, "purchase_id", free_text)?,
        preauth: optional(fields, "preauth_amount", money)?,
        tax,
        entry: optional(fields, "entry", entry)?.unwrap_or(Entry::Financial),
        elsewhere: elsewhere(fields, amount)?,
        source: record.source(),
        raw: record.raw.clone(),
    })
}

fn elsewhere(fields: &dyn Fields, amount: Money) -> Result<Option<Elsewhere>, Wrong> {
    let captured = |text: &str| money(text, amount.currency());
    let captured = optional(fields, "captured_amount", captured)?;
    let told = match given(fields, "status").unwrap_or("open") {
        "open" => None,
        "captured" => Some(Elsewhere::Captured {
            amount: captured.unwrap_or(amount),
        }),
        "cancelled" => Some(Elsewhere::Cancelled),
        other => {
            let reason = format!("`{}` is not one of open, captured, cancelled", shown(other));
            return Err(("status", reason));
        }
    };
    match (told, captured) {
        (Some(Elsewhere::Captured { .. }), _) | (_, None) => Ok(told),
        (Some(Elsewhere::Cancelled) | None, Some(_)) => {
            let reason = "a captured amount, but the status is not `captured`".to_owned();
            Err(("captured_amount", reason))
        }
    }
}

fn money(text: &str, currency: Currency) -> Result<Money, String> {
    let mut money = Money::parse(text, currency).map_err(|why| why.to_string())?;
    if planted::is(Bug::FloatAmount) {
        money = Money::of_minor(planted::through_a_float(money.minor()), currency);
    }
    match money.minor() <= MOST_MINOR {
        true => Ok(money),
        false => {
            let most = Money::of_minor(MOST_MINOR, currency);
            Err(format!(
                "{money} is more than the {most} that a trip may cost"
            ))
        }
    }
}

fn entry(text: &str) -> Result<Entry, String> {
    Entry::of(text).ok_or_else(|| format!("`{}` is neither FINANCIAL nor SCAN_CODE", shown(text)))
}

fn free_text(text: &str) -> Result<String, &'static str> {
    if text.len() > TEXT_BYTES {
        return Err("longer than 255 bytes");
    }
    if text.chars().any(char::is_control) {
        return Err("contains control characters");
    }
    // The digits are not kept, the trip is: a numeric purchase id may well pass the Luhn check, and
    // a sale is not to be lost for an optional field.
    Ok(hide_card_numbers(text).into_owned())
}

fn given<'a>(fields: &'a dyn Fields, name: &'static str) -> Option<&'a str> {
    fields.field(name).filter(|text| !text.is_empty())
}

fn read<T, E: ToString>(
    fields: &dyn Fields,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Wrong> {
    let missing = || (name, "is missing".to_owned());
    let text = given(fields, name).ok_or_else(missing)?;
    read(text).map_err(|why| (name, why.to_string()))
}

fn optional<T, E: ToString>(
    fields: &dyn Fields,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Wrong> {
    let value = given(fields, name).map(read).transpose();
    value.map_err(|why| (name, why.to_string()))
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

//! `[processor.NAME]`: how long tokens live, and what settlement reports look like.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate};

use crate::domain::time::HOUR_MS;
use crate::domain::{Exponents, GenericCsvFormat, ProcessorName};

use super::ProcessorConfig;
use super::reader::Reader;
use super::values::MOST_HOURS;

pub(super) fn read(
    reader: &Reader<'_>,
    lifetime_ms: i64,
    margin_ms: i64,
) -> BTreeMap<ProcessorName, ProcessorConfig> {
    let mut processors = BTreeMap::new();
    for name in reader.layers.names("processor") {
        let key = |leaf: &str| format!("processor.{name}.{leaf}");
        let id = match ProcessorName::of(&name) {
            Ok(id) => id,
            Err(error) => {
                reader.wrong_key(&format!("processor.{name}"), &error.to_string());
                continue;
            }
        };
        let own = reader.whole(&key("lifetime_hours"), 1, MOST_HOURS);
        let own = own.map(|hours| hours.saturating_mul(HOUR_MS));
        if own.is_some_and(|own| margin_ms >= own) {
            let why = "the lifetime is not longer than token.margin_minutes";
            reader.wrong_key(&key("lifetime_hours"), why);
        }
        let lifetime_ms = own.unwrap_or(lifetime_ms);
        reader.optional(&key("format"), |text| match text {
            "generic_csv" => Ok(()),
            other => Err(format!(
                "`{other}` is not a report format; there is generic_csv"
            )),
        });
        let reports_dir = reader.path(&key("reports_dir"));
        let format = format(reader, &name);
        processors.insert(
            id,
            ProcessorConfig {
                lifetime_ms,
                reports_dir,
                format,
            },
        );
    }
    processors
}

fn format(reader: &Reader<'_>, name: &str) -> GenericCsvFormat {
    let usual = GenericCsvFormat::default();
    let key = |leaf: &str| format!("processor.{name}.{leaf}");
    let column = |leaf: &str| {
        reader.optional(&key(&format!("columns.{leaf}")), |text| match text.trim() {
            "" => Err("an empty column name".to_owned()),
            text => Ok(text.to_owned()),
        })
    };
    let (trip_id, store_id) = (column("trip_id"), column("store_id"));
    let reconciliation_id = column("reconciliation_id");
    let (amount, currency) = (column("amount"), column("currency"));
    let (date, reference, kind) = (column("date"), column("reference"), column("kind"));
    let naming = [
        &trip_id,
        &store_id,
        &reconciliation_id,
        &amount,
        &currency,
        &date,
    ];
    let names_columns = naming.iter().any(|column| column.is_some());
    // Whoever names columns names all: only without any the usual ones hold.
    let or_usual = |own: Option<String>, usual: Option<String>| match names_columns {
        true => own,
        false => own.or(usual),
    };
    let trip_id = or_usual(trip_id, usual.trip_id);
    let reconciliation_id = or_usual(reconciliation_id, usual.reconciliation_id);
    if trip_id.is_none() && reconciliation_id.is_none() {
        let why = "a report names trips by columns.trip_id or columns.reconciliation_id";
        reader.wrong_key(&key("columns.trip_id"), why);
    }
    let (date, reference) = (
        or_usual(date, usual.date),
        or_usual(reference, usual.reference),
    );
    let cumulative = reader.truth(&key("cumulative"));
    if cumulative && (date.is_none() || reference.is_none()) {
        let why = "a line that is told again is known by columns.date and columns.reference";
        reader.wrong_key(&key("cumulative"), why);
    }
    GenericCsvFormat {
        trip_id,
        store_id,
        reconciliation_id,
        amount: amount.unwrap_or(usual.amount),
        currency: currency.unwrap_or(usual.currency),
        date,
        reference,
        kind,
        capture_kinds: reader.list(&key("capture_kinds")),
        delimiter: reader
            .optional(&key("delimiter"), delimiter)
            .unwrap_or(usual.delimiter),
        date_format: reader.read(&key("date_format"), usual.date_format, date_format),
        exponents: exponents(reader, &key("decimals")),
        amounts_in_units: reader.truth(&key("amounts_in_units")),
        strip_apostrophe: reader.truth(&key("strip_apostrophe")),
        cumulative,
    }
}

fn exponents(reader: &Reader<'_>, key: &str) -> Exponents {
    let mut exponents = Exponents::default();
    for text in reader.list(key) {
        match exponents.add(&text) {
            Ok(true) => {}
            Ok(false) => reader.wrong_key(key, &format!("`{text}` names a currency twice")),
            Err(why) => reader.wrong_key(key, &why),
        }
    }
    exponents
}

/// A byte that stands in no amount, date or quoted cell.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [one] if b",;|:\t".contains(one) => Ok(*one),
        _ => Err(format!("`{text}` is not one of , ; | : or a tab")),
    }
}

/// A format that gives back the day that it wrote, with or without a time of day.
pub(super) fn date_format(text: &str) -> Result<String, String> {
    let day = DateTime::UNIX_EPOCH.date_naive();
    let mut written = String::new();
    let items: Vec<Item<'_>> = StrftimeItems::new(text).collect();
    let sample = DateTime::UNIX_EPOCH.format_with_items(items.into_iter());
    let read = write!(written, "{sample}")
        .ok()
        .and_then(|()| NaiveDate::parse_from_str(&written, text).ok());
    match read == Some(day) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not a date format such as %Y-%m-%d")),
    }
}

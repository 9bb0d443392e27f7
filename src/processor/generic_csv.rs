//! `generic_csv`: a header row and columns named by the configuration.

use std::io::Read;

use chrono::NaiveDate;
use csv::{ByteRecord, ReaderBuilder, Terminator};

use crate::domain::cards::{hide_card_numbers, looks_like_card_number};
use crate::domain::{Currency, GenericCsvFormat, Money};

use super::columns::Columns;
use super::{ProcessorError, ReportItem, ReportLine};

/// Reads a whole report: it is known by its hash from then on, so that a part of it would be all
/// that is ever known of it.
///
/// # Errors
/// A configured column is missing or stands twice, or reading failed.
pub fn read<R: Read>(
    mut reader: R,
    format: &GenericCsvFormat,
) -> Result<impl Iterator<Item = ReportItem> + use<R>, ProcessorError> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    // Told to end rows at CR as well, the reader would count the lines of CRLF files wrong.
    let mut reader = ReaderBuilder::new()
        .delimiter(format.delimiter)
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(bytes.as_slice());
    let mut record = ByteRecord::new();
    let io = |why: csv::Error| ProcessorError::Io(why.into());
    reader.read_byte_record(&mut record).map_err(io)?;
    let columns = Columns::find(&record, format)?;
    let mut items = Vec::new();
    while reader.read_byte_record(&mut record).map_err(io)? {
        if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let lines = lines(&record, reader.position(), &bytes);
        items.push(item(&record, lines, &columns, format));
    }
    Ok(items.into_iter())
}

/// The lines on which the record begins and ends, from the place where the reader stands after it:
/// its own position of a record is before the blank lines that it skipped.
fn lines(record: &ByteRecord, after: &csv::Position, bytes: &[u8]) -> (u64, u64) {
    let end = usize::try_from(after.byte()).unwrap_or(usize::MAX);
    let ended = bytes.get(..end).is_some_and(|read| read.ends_with(b"\n"));
    let last = after.line().saturating_sub(u64::from(ended));
    let breaks = |cell: &[u8]| cell.iter().filter(|byte| **byte == b'\n').count();
    let inside = u64::try_from(record.iter().map(breaks).sum::<usize>()).unwrap_or(u64::MAX);
    (last.saturating_sub(inside), last)
}

fn item(
    record: &ByteRecord,
    (line, last): (u64, u64),
    columns: &Columns,
    format: &GenericCsvFormat,
) -> ReportItem {
    // Whole rows inside a cell, and not just a memo of several lines: none may be lost unseen.
    let delimiters = columns.width.saturating_sub(1);
    let delimits = |byte: &&u8| **byte == format.delimiter;
    let swallows =
        |cell: &[u8]| cell.contains(&b'\n') && cell.iter().filter(delimits).count() >= delimiters;
    let read = match record.iter().any(swallows) {
        true => Err(format!(
            "a quote is not closed; lines {line} to {last} are not read"
        )),
        false => read_line(record, line, columns, format),
    };
    match read {
        Ok(read) => ReportItem::Line(read),
        Err(reason) => {
            let reason = hide_card_numbers(&reason).into_owned();
            ReportItem::Unreadable { line, reason }
        }
    }
}

fn read_line(
    record: &ByteRecord,
    line: u64,
    columns: &Columns,
    format: &GenericCsvFormat,
) -> Result<ReportLine, String> {
    let cell = |place: usize| {
        let bytes = record.get(place).ok_or("the row has too few cells")?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| "the row is not UTF-8 text")?
            .trim();
        let text = if format.strip_apostrophe {
            text.strip_prefix('\'').unwrap_or(text)
        } else {
            text
        };
        Ok::<_, String>(text)
    };
    let optional = |place: Option<usize>| {
        let text = place.map(cell).transpose()?.filter(|text| !text.is_empty());
        match text.filter(|text| looks_like_card_number(text)) {
            Some(_) => Err("a cell looks like a card number; it is not kept".to_owned()),
            None => Ok(text.map(str::to_owned)),
        }
    };
    let beyond = record.iter().skip(columns.width);
    if beyond.into_iter().any(|cell| !cell.trim_ascii().is_empty()) {
        return Err("more cells than the header has".to_owned());
    }
    let currency = Currency::of(cell(columns.currency)?).map_err(|why| why.to_string())?;
    let kind = optional(columns.kind)?.unwrap_or_default();
    let is_capture = format.capture_kinds.is_empty()
        || columns.kind.is_none()
        || format.capture_kinds.contains(&kind);
    let date = optional(columns.date)?.map(|text| {
        NaiveDate::parse_from_str(&text, &format.date_format)
            .map_err(|_| format!("`{text}` is not a date like {}", format.date_format))
    });
    let (trip, id) = (
        optional(columns.trip_id)?,
        optional(columns.reconciliation_id)?,
    );
    if trip.is_none() && id.is_none() {
        return Err("names no trip, neither by its id nor by a reconciliation id".to_owned());
    }
    Ok(ReportLine {
        line,
        store: optional(columns.store_id)?,
        trip,
        reconciliation_id: id,
        amount: amount(cell(columns.amount)?, currency, format)?,
        date: date.transpose()?,
        reference: optional(columns.reference)?.unwrap_or_default(),
        kind,
        is_capture,
    })
}

/// Decimal text, or a whole number of the processor's units, with an optional leading minus.
fn amount(text: &str, currency: Currency, format: &GenericCsvFormat) -> Result<Money, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let exponents = &format.exponents;
    let amount = match format.amounts_in_units {
        true => {
            let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let units = digits.parse().ok().filter(|_| whole);
            let units = units.ok_or_else(|| format!("`{text}` is not a whole number of units"))?;
            exponents.from_units(units, currency)
        }
        false => exponents.parse(digits, currency),
    };
    let amount = amount.map_err(|why| why.to_string())?;
    Ok(match negative {
        true => Money::of_minor(amount.minor().saturating_neg(), currency),
        false => amount,
    })
}

//! `[export.csv]`: the shape of the generic file, and the shapes that are shipped.

use crate::domain::{Cell, Column, CsvTarget, Field, Target};

use super::super::processors::delimiter;
use super::super::reader::Reader;
use super::plain;

/// Keys of `[export.csv]` that the shape answers for where they are not set.
pub(super) const KEYS: [&str; 10] = [
    "columns",
    "once",
    "journal",
    "date_format",
    "delimiter",
    "line_ending",
    "zeros",
    "signs",
    "description_length",
    "max_decimals",
];

/// A shape that is shipped; every part of it can be set by a key of its own.
struct Shape {
    columns: &'static [&'static str],
    once: &'static [&'static str],
    journal: &'static str,
    date_format: &'static str,
    zeros: bool,
    description_length: usize,
    max_decimals: u8,
}

/// One row a line with everything on it.
const PLAIN: Shape = Shape {
    columns: &[
        "entry_id=entry_id",
        "line=line",
        "books_date=date",
        "business_date=business_date",
        "store_id=store_id",
        "location=location",
        "class=class",
        "shopping_trip_id=shopping_trip_id",
        "processor=processor",
        "kind=kind",
        "corrects=corrects",
        "account=account",
        "debit=debit",
        "credit=credit",
        "currency=currency",
    ],
    once: &[],
    journal: "tripsettle",
    date_format: "%Y-%m-%d",
    zeros: false,
    description_length: 200,
    max_decimals: 4,
};

/// Tryton's import of account moves: accounts by code, parent columns on the first row only.
const TRYTON: Shape = Shape {
    columns: &[
        "journal=journal",
        "period=month",
        "date=date",
        "description=description",
        "lines/account=account",
        "lines/debit=debit",
        "lines/credit=credit",
        "lines/description=kind",
    ],
    once: &["journal", "period", "date", "description"],
    journal: "MISC",
    date_format: "%Y-%m-%d",
    zeros: true,
    description_length: 200,
    max_decimals: 4,
};

/// Sage Intacct's GL journal: a description of 30 characters, lines numbered within the entry.
const INTACCT: Shape = Shape {
    columns: &[
        "JOURNAL=journal",
        "DATE=date",
        "DESCRIPTION=description",
        "LINE_NO=line",
        "ACCT_NO=account",
        "LOCATION_ID=location",
        "DEPT_ID=class",
        "DOCUMENT=entry_id",
        "MEMO=kind",
        "DEBIT=debit",
        "CREDIT=credit",
        "CURRENCY=currency",
    ],
    once: &["JOURNAL", "DATE", "DESCRIPTION"],
    journal: "GJ",
    date_format: "%m/%d/%Y",
    zeros: false,
    description_length: 30,
    max_decimals: 2,
};

pub(super) fn read(reader: &Reader<'_>, target: Target) -> CsvTarget {
    let shape = reader.read("export.csv.shape", PLAIN, |text| match text {
        "plain" => Ok(PLAIN),
        "tryton" => Ok(TRYTON),
        "intacct" => Ok(INTACCT),
        other => Err(format!("`{other}` is not one of plain, tryton, intacct")),
    });
    let key = |leaf: &str| format!("export.csv.{leaf}");
    let set = |leaf: &str| reader.layers.values.contains_key(&key(leaf));
    let either = |leaf: &str, usual: bool| {
        if set(leaf) {
            reader.truth(&key(leaf))
        } else {
            usual
        }
    };
    let one_of = |leaf: &str, [yes, no]: [&'static str; 2], usual: bool| {
        reader.read(&key(leaf), usual, |text| match text {
            text if text == yes => Ok(true),
            text if text == no => Ok(false),
            other => Err(format!("`{other}` is neither {yes} nor {no}")),
        })
    };
    let length = reader.whole(&key("description_length"), 20, 4000);
    let decimals = reader.whole(&key("max_decimals"), 0, 4);
    CsvTarget {
        columns: columns(reader, &shape),
        delimiter: char::from(reader.read(&key("delimiter"), b',', delimiter)),
        crlf: one_of("line_ending", ["crlf", "lf"], true),
        zeros: either("zeros", shape.zeros),
        credit_positive: one_of("signs", ["credit_positive", "debit_positive"], false),
        description_length: length.unwrap_or(shape.description_length),
        max_decimals: decimals.unwrap_or(shape.max_decimals),
        target: Target {
            // One that is set was read with what all targets have.
            date_format: match set("date_format") {
                true => target.date_format,
                false => shape.date_format.to_owned(),
            },
            ..target
        },
    }
}

/// `header=what`, where what is a field, `journal`, or a text in single quotes.
fn columns(reader: &Reader<'_>, shape: &Shape) -> Vec<Column> {
    let own = |leaf: &str| {
        let key = format!("export.csv.{leaf}");
        reader
            .layers
            .values
            .contains_key(&key)
            .then(|| reader.list(&key))
    };
    let shipped = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    let once: Vec<String> = own("once").unwrap_or_else(|| shipped(shape.once));
    let journal = reader.optional("export.csv.journal", plain);
    let journal = journal.unwrap_or_else(|| shape.journal.to_owned());
    let mut columns = Vec::new();
    for text in own("columns").unwrap_or_else(|| shipped(shape.columns)) {
        match column(&text, &once, &journal) {
            Ok(column) => columns.push(column),
            Err(why) => reader.wrong_key("export.csv.columns", &why),
        }
    }
    for header in once {
        if !columns.iter().any(|column| column.header == header) {
            let why = format!("there is no column `{header}`");
            reader.wrong_key("export.csv.once", &why);
        }
    }
    columns
}

fn column(text: &str, once: &[String], journal: &str) -> Result<Column, String> {
    let known = || {
        let fields: Vec<&str> = Field::ALL.iter().map(|field| field.as_str()).collect();
        format!(
            "`{text}` is not header=what, with one of {}, journal or 'text'",
            fields.join(", ")
        )
    };
    let (header, what) = text.rsplit_once('=').ok_or_else(known)?;
    let quoted = what
        .strip_prefix('\'')
        .and_then(|what| what.strip_suffix('\''));
    let cell = match (quoted, what, Field::of(what)) {
        (Some(""), ..) => Cell::Text(String::new()),
        (Some(words), ..) => Cell::Text(plain(words)?),
        (None, "journal", _) => Cell::Text(journal.to_owned()),
        (None, _, Some(field)) => Cell::Field(field),
        (None, _, None) => return Err(known()),
    };
    let header = plain(header)?;
    let once = once.contains(&header);
    Ok(Column { header, cell, once })
}

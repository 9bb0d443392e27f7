//! `night.xlsx`: the control page and the day's tables in one workbook, for people.
//!
//! A spreadsheet runs what looks like a formula and eats what looks like a number. So amounts and
//! counts are numbers where a double holds them exactly (15 digits), with their currency's
//! decimals shown; all else is text cells, which nothing is made of: `0042`, `1E05` and 19-digit
//! ids stay as they are. The bytes follow from the cells: the time of creation is the books date.
//! Rows are streamed; a table longer than a sheet goes on in the next one; a text longer than a
//! cell ends in `…` there, and is whole in the CSV.

use std::io::{Read, Write};
use std::path::Path;

use rust_decimal::Decimal;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, Workbook as Book, Worksheet, XlsxError,
};

use crate::domain::BooksDate;

use super::columns::{Columns, fitting, is_exact};
use super::control_page::{Item, PageRow};
use super::table::FileTotals;
use super::{OutputError, WORKBOOK};

/// Rows of a sheet below its header.
const SHEET_ROWS: u32 = 1_048_575;

/// A workbook under way.
pub struct Workbook {
    book: Book,
    looks: Looks,
    totals: FileTotals,
}

/// How cells look; a format for each number of decimals.
struct Looks {
    title: Format,
    head: Format,
    amounts: [Format; 5],
}

impl Workbook {
    /// An empty workbook of the day. Rows wait in nameless files in the `spill` folder until the
    /// workbook is written, else where the machine keeps temporary files.
    ///
    /// # Errors
    /// A date that a spreadsheet does not know, or a folder that cannot be written.
    pub fn begin(date: BooksDate, spill: Option<&Path>) -> Result<Self, OutputError> {
        let made = ExcelDateTime::parse_from_str(&date.to_string()).map_err(|why| failed(&why))?;
        let title = format!("tripsettle {date}");
        let properties = DocProperties::new()
            .set_title(title)
            .set_creation_datetime(&made);
        let mut book = Book::new();
        book.set_properties(&properties);
        if let Some(spill) = spill {
            book.set_tempdir(spill).map_err(|why| failed(&why))?;
        }
        let amounts = ["0", "0.0", "0.00", "0.000", "0.0000"];
        Ok(Self {
            book,
            looks: Looks {
                title: Format::new().set_bold().set_font_size(12),
                head: Format::new().set_bold(),
                amounts: amounts.map(|shown| Format::new().set_num_format(shown)),
            },
            totals: FileTotals::default(),
        })
    }

    /// The control page; the first sheet.
    ///
    /// # Errors
    /// I/O.
    pub fn page(&mut self, rows: &[PageRow]) -> Result<(), OutputError> {
        let sheet = sheet(&mut self.book, "control", 14)?;
        let looks = &self.looks;
        for (row, cells) in (0_u32..).zip(rows) {
            let wrote = match cells {
                PageRow::Blank => Ok(()),
                PageRow::Title(title) => sheet
                    .write_string_with_format(row, 0, fitting(title), &looks.title)
                    .map(drop),
                PageRow::Head(heads) => (0_u16..).zip(heads).try_for_each(|(column, head)| {
                    sheet
                        .write_string_with_format(row, column, *head, &looks.head)
                        .map(drop)
                }),
                PageRow::Cells(items) => (0_u16..)
                    .zip(items)
                    .try_for_each(|(column, item)| put(sheet, looks, (row, column), item)),
            };
            wrote.map_err(|why| failed(&why))?;
        }
        Ok(())
    }

    /// A table of the edition, read back from its CSV.
    ///
    /// # Errors
    /// I/O, or a file that is no table of ours.
    pub fn table(&mut self, name: &str, from: impl Read) -> Result<(), OutputError> {
        let mut reader = csv::ReaderBuilder::new().from_reader(from);
        let unreadable = |why: csv::Error| OutputError::Io {
            file: WORKBOOK,
            why: why.into(),
        };
        let heads = reader.headers().map_err(unreadable)?.clone();
        let columns = Columns::of(&heads);
        let (mut row, mut at, mut part) = (csv::StringRecord::new(), SHEET_ROWS, 0_u32);
        let mut sheet_name = String::new();
        loop {
            let more = reader.read_record(&mut row).map_err(unreadable)?;
            if part == 0 || (more && at >= SHEET_ROWS) {
                part = part.saturating_add(1);
                sheet_name = match part {
                    1 => name.to_owned(),
                    part => format!("{name} {part}"),
                };
                let sheet = sheet(&mut self.book, &sheet_name, 18)?;
                begin(sheet, &heads, &self.looks).map_err(|why| failed(&why))?;
                at = 0;
            }
            if !more {
                return Ok(());
            }
            at = at.saturating_add(1);
            self.totals.rows = self.totals.rows.saturating_add(1);
            let found = self.book.worksheet_from_name(&sheet_name);
            let sheet = found.map_err(|why| failed(&why))?;
            for (column, (text, number)) in (0_u16..).zip(columns.cells(&row)) {
                let wrote = match number {
                    Some(number) => put(sheet, &self.looks, (at, column), &number),
                    None if text.is_empty() => Ok(()),
                    None => sheet.write_string(at, column, fitting(text)).map(drop),
                };
                wrote.map_err(|why| failed(&why))?;
            }
        }
    }

    /// Writes the workbook; its rows are those of all tables in it.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(mut self, to: impl Write + Send) -> Result<FileTotals, OutputError> {
        let saved = self.book.save_to_writer(to);
        saved.map_err(|why| failed(&why))?;
        Ok(self.totals)
    }
}

fn sheet<'a>(book: &'a mut Book, name: &str, width: u16) -> Result<&'a mut Worksheet, OutputError> {
    let made = book.add_worksheet_with_constant_memory();
    let made = made.and_then(|sheet| sheet.set_name(name));
    let made = made.and_then(|sheet| {
        (0_u16..32).try_for_each(|column| sheet.set_column_width(column, width).map(drop))?;
        Ok(sheet)
    });
    made.map_err(|why| failed(&why))
}

fn begin(sheet: &mut Worksheet, heads: &csv::StringRecord, looks: &Looks) -> Result<(), XlsxError> {
    sheet.set_freeze_panes(1, 0)?;
    (0_u16..).zip(heads).try_for_each(|(column, head)| {
        let wrote = sheet.write_string_with_format(0, column, fitting(head), &looks.head);
        wrote.map(drop)
    })
}

fn put(
    sheet: &mut Worksheet,
    looks: &Looks,
    (row, column): (u32, u16),
    item: &Item,
) -> Result<(), XlsxError> {
    match item {
        Item::Text(text) => sheet.write_string(row, column, fitting(text)),
        Item::Count(count) if is_exact(&count.to_string()) => {
            sheet.write_with_format(row, column, Decimal::from(*count), &looks.amounts[0])
        }
        Item::Count(count) => sheet.write_string(row, column, count.to_string()),
        Item::Amount(money) => {
            let text = money.decimal_text();
            let look = looks.amounts.get(usize::from(money.currency().exponent()));
            match (
                Decimal::from_str_exact(&text)
                    .ok()
                    .filter(|_| is_exact(&text)),
                look,
            ) {
                (Some(number), Some(look)) => sheet.write_with_format(row, column, number, look),
                (Some(_) | None, _) => sheet.write_string(row, column, text),
            }
        }
    }
    .map(drop)
}

fn failed(why: &XlsxError) -> OutputError {
    OutputError::Io {
        file: WORKBOOK,
        why: std::io::Error::other(why.to_string()),
    }
}

//! What people open in a spreadsheet: the workbook and the review files, made of the staged tables.

use std::io::BufReader;

use crate::domain::{BooksDate, ExportFormat, Exports};
use crate::outputs::publish::Staging;
use crate::outputs::{
    BAD_DEBT, BAD_DEBT_SUMMARY, BREAKS, FileEntry, RECONCILIATION, REVIEWED, Summary, WORKBOOK,
    Workbook, review,
};

use super::RunError;

/// Writes the workbook of what is staged.
///
/// # Errors
/// Files cannot be read or staged.
pub fn workbook(
    staging: &Staging,
    date: BooksDate,
    edition: u32,
    exports: &Exports,
    summary: &Summary,
) -> Result<Option<FileEntry>, RunError> {
    if !exports.formats.contains(&ExportFormat::Xlsx) {
        return Ok(None);
    }
    let mut book = Workbook::begin(date, Some(staging.dir()))?;
    book.page(&summary.control_page(edition)?)?;
    for (sheet, file) in [
        ("reconciliation", RECONCILIATION),
        ("breaks", BREAKS),
        ("bad debt", BAD_DEBT),
        ("bad debt summary", BAD_DEBT_SUMMARY),
    ] {
        book.table(sheet, BufReader::new(staging.read(file)?))?;
    }
    let mut file = staging.file(WORKBOOK)?;
    let totals = book.finish(&mut file)?;
    Ok(Some(file.finish(Some(&totals))?))
}

/// Writes the review files of what is staged.
///
/// # Errors
/// Files cannot be read or staged.
pub fn reviews(staging: &Staging, exports: &Exports) -> Result<Vec<FileEntry>, RunError> {
    if !exports.formats.contains(&ExportFormat::Review) {
        return Ok(Vec::new());
    }
    let made = REVIEWED.into_iter().map(|(table, name)| {
        let mut file = staging.file(name)?;
        let totals = review(name, BufReader::new(staging.read(table)?), &mut file)?;
        Ok(file.finish(Some(&totals))?)
    });
    made.collect()
}

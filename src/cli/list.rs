//! Lists that people give: CSV files of one word a row, found in order as a whole before anything
//! of them is done. A quote that nobody closes would swallow rows unseen.

use std::path::Path;

use super::exit::Failure;

/// A row: its cells in the order of the columns that were asked for; none where nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<const N: usize> {
    /// The line of the file.
    pub line: u64,
    /// The cells.
    pub cells: [Option<String>; N],
}

/// Reads a file with a header row of `columns` in any order, of which the first `needed` must be
/// there.
///
/// # Errors
/// The file cannot be read, its header is another one, or a row has cells too many, too few, or
/// one that goes on over the end of its line.
pub fn read<const N: usize>(
    file: &Path,
    columns: [&str; N],
    needed: usize,
) -> Result<Vec<Row<N>>, Failure> {
    let wrong = |why: String| Failure::usage(format!("{}: {why}", file.display()));
    let bytes = std::fs::read(file).map_err(|why| wrong(why.to_string()))?;
    let rows = text(bytes).and_then(|text| rows(&text, columns, needed));
    rows.map_err(wrong)
}

/// UTF-8 text whose lines end as ours do.
fn text(bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|why| {
        let valid = why.as_bytes().iter().take(why.utf8_error().valid_up_to());
        let line = valid
            .filter(|byte| **byte == b'\n')
            .count()
            .saturating_add(1);
        format!("line {line} is not UTF-8 text; save it as `CSV UTF-8`; nothing of it was taken")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn rows<const N: usize>(
    text: &str,
    columns: [&str; N],
    needed: usize,
) -> Result<Vec<Row<N>>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    reader
        .read_record(&mut record)
        .map_err(|why| why.to_string())?;
    let (places, width) = (places(&record, columns, needed)?, record.len());
    let mut rows = Vec::new();
    while reader
        .read_record(&mut record)
        .map_err(|why| why.to_string())?
    {
        let line = line(&record, text);
        if record.iter().any(|cell| cell.contains('\n')) {
            return Err(format!(
                "line {line}: a cell goes on over the end of its line, as when a quote is not \
                 closed; nothing of the file was taken: mend this row, and write every note on \
                 one line"
            ));
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != width {
            let cells = record.len();
            return Err(format!(
                "line {line}: {cells} cells, but the header has {width}; nothing of the file was \
                 taken: mend this row (a cell with a comma in it stands in quotes)"
            ));
        }
        let cells = places.map(|place| {
            let cell = place.and_then(|place| record.get(place)).map(str::trim);
            cell.filter(|cell| !cell.is_empty()).map(str::to_owned)
        });
        rows.push(Row { line, cells });
    }
    Ok(rows)
}

/// Where the columns stand.
fn places<const N: usize>(
    header: &csv::StringRecord,
    columns: [&str; N],
    needed: usize,
) -> Result<[Option<usize>; N], String> {
    let names: Vec<&str> = header.iter().map(str::trim).collect();
    let all = columns.join(",");
    if let Some(odd) = names.iter().find(|name| !columns.contains(name)) {
        return Err(format!(
            "unknown column `{odd}`; a header row of {all} is needed"
        ));
    }
    let twice = |name: &&&str| names.iter().filter(|other| other == name).count() > 1;
    if let Some(name) = names.iter().find(twice) {
        return Err(format!(
            "the column `{name}` stands twice in its header row"
        ));
    }
    let places = columns.map(|column| names.iter().position(|name| *name == column));
    let mut must = columns.iter().zip(&places).take(needed);
    match must.find(|(_, place)| place.is_none()) {
        None => Ok(places),
        Some((missing, _)) => Err(format!(
            "the column `{missing}` is missing; a header row of {all} is needed"
        )),
    }
}

/// The line on which the record begins: its position is before the blank lines that were skipped.
fn line(record: &csv::StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else {
        return 0;
    };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().iter().skip(from);
    let blank = rest.take_while(|byte| **byte == b'\n').count();
    let blank = u64::try_from(blank).unwrap_or(u64::MAX);
    position.line().saturating_add(blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &str) -> String {
        let read = text(bytes.as_bytes().to_vec())
            .and_then(|text| rows(&text, ["trip", "amount", "note"], 1));
        match read {
            Err(why) => format!("no: {why}"),
            Ok(rows) => {
                let cell = |cell: &Option<String>| cell.clone().unwrap_or("-".to_owned());
                let row = |row: &Row<3>| {
                    format!("{}: {}", row.line, row.cells.each_ref().map(cell).join(" "))
                };
                rows.iter().map(row).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let over = "a cell goes on over the end of its line";
        for (text, expected) in [
            (
                "trip,amount,note\nt1,1.00,one\nt2,,two\n",
                "2: t1 1.00 one, 3: t2 - two",
            ),
            (
                "\u{feff}note , trip\r\n one,t1 \r\n\r\n,\r\n\"2, two\",t2\r\n",
                "2: t1 - one, 5: t2 - 2, two",
            ),
            ("trip\rt1\rt2\r", "2: t1 - -, 3: t2 - -"),
            (
                "trip,note\nt1,say \"\"so\"\"\nt2,\"say \"\"so\"\"\"\n",
                "2: t1 - say \"\"so\"\", 3: t2 - say \"so\"",
            ),
            ("trip\n", ""),
            // A quote that is not closed, wherever it stands and wherever it ends.
            ("trip,note\nt1,\"one\nt2,two\nt3,three\n", over),
            (
                "trip,note\n\nt1,\"one\nt2,two\nt3,three",
                "line 3: a cell goes on",
            ),
            ("trip,note\nt1,\"one\nt2,\"two\nt3,three\n", over),
            ("trip,note\n\"t1,one\nt2,two\"\n", over),
            ("trip,note\nt1,one\nt2,\"two\n", "line 3: a cell goes on"),
            (
                "trip,note\nt1,one\n\"t2,two",
                "line 3: 1 cells, but the header has 2",
            ),
            ("trip,note\nt1,two\rlines\n", "line 3: 1 cells"),
            ("trip,note\nt1\n", "line 2: 1 cells"),
            ("trip,note\nt1,paid 1,50\n", "line 2: 3 cells"),
            ("", "the column `trip` is missing"),
            (
                "amount,note\n",
                "a header row of trip,amount,note is needed",
            ),
            ("trip;amount\n", "unknown column `trip;amount`"),
            ("trip,note,trip\n", "the column `trip` stands twice"),
        ] {
            let told = told(text);
            let read = expected.is_empty() || expected.starts_with(|c: char| c.is_ascii_digit());
            let as_expected = match read {
                true => told == expected,
                false => told.starts_with("no:") && told.contains(expected),
            };
            assert!(as_expected, "{text:?}: {told}");
        }
        let latin = text(b"trip\nt1\nM\xfcller\n".to_vec()).unwrap_err();
        assert!(latin.contains("line 3 is not UTF-8 text"), "{latin}");
    }
}

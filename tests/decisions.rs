//! The law of a trip, row by row: `decisions/law.txt` is written for a person who keeps the books.
//!
//! A row tells what happened to one trip, cell by cell, and ends with what follows. Every call in a
//! row must be the one that the law asks for at that moment; after every cell the parts of the cart
//! must add up, and at the end the journal, read again, must give the same standing.
#![allow(clippy::unwrap_used)]

#[path = "decisions/cells.rs"]
mod cells;
#[path = "decisions/play.rs"]
mod play;
#[path = "settlement/mod.rs"]
mod settlement;

use play::Play;

/// Rows of the table: a line that begins with a blank goes on with the row above.
fn rows() -> Vec<(usize, String)> {
    let mut rows: Vec<(usize, String)> = Vec::new();
    for (place, line) in include_str!("decisions/law.txt").lines().enumerate() {
        match line.strip_prefix("    ") {
            Some(rest) => {
                let (_, row) = rows.last_mut().unwrap();
                row.push(' ');
                row.push_str(rest.trim());
            }
            None if line.is_empty() || line.starts_with('#') => {}
            None => rows.push((place + 1, line.to_owned())),
        }
    }
    rows
}

#[test]
fn every_row_of_the_law_holds() {
    let rows = rows();
    assert!(rows.len() >= 80, "{} rows are too few", rows.len());
    let mut wrong = Vec::new();
    for (line, row) in &rows {
        if let Err(why) = Play::row(row) {
            wrong.push(format!("law.txt:{line}: {row}\n    {why}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

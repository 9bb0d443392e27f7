//! The demo's trips and its processor's report.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use crate::domain::time::{HOUR_MS, MINUTE_MS};
use crate::domain::{BooksDate, Timestamp};
use crate::sandbox::Sandbox;

/// A store, its currency, and how its prices are written.
const STORES: [(&str, &str, u32); 4] = [
    ("NEW_YORK", "USD", 2),
    ("BERLIN", "EUR", 2),
    ("TOKYO", "JPY", 0),
    ("KUWAIT", "KWD", 3),
];

/// What happens to trips whose id begins so (see the sandbox), and how many of each a store has.
const STORIES: [(&str, usize); 12] = [
    ("plain", 38),
    ("declined", 3),
    ("partial", 3),
    ("limited", 3),
    ("pending", 2),
    ("stuck", 1),
    ("expired", 2),
    ("unknown", 1),
    ("refused", 1),
    ("doubt", 1),
    ("empty", 2),
    ("young", 1),
];

/// Writes the feed into the inbox, CSV for two stores and JSON Lines for the others; gives how
/// many trips there are.
pub fn write(dir: &Path, now: Timestamp) -> io::Result<usize> {
    let inbox = dir.join("inbox");
    fs::create_dir_all(&inbox)?;
    fs::create_dir_all(dir.join("reports"))?;
    let mut csv = "store_id,shopping_trip_id,started_at,amount,currency,status,entry,\
                   tax_amount\n"
        .to_owned();
    let mut json = String::new();
    let mut trips = 0;
    for (place, (store, currency, digits)) in STORES.iter().enumerate() {
        for trip in story_trips(now, *digits) {
            trips += 1;
            let Trip {
                id,
                began,
                amount,
                tax,
            } = trip;
            let wrote = match place % 2 {
                0 => writeln!(csv, "{store},{id},{began},{amount},{currency},,,{tax}"),
                _ => writeln!(
                    json,
                    "{{\"store_id\":\"{store}\",\"shopping_trip_id\":\"{id}\",\
                     \"started_at\":\"{began}\",\"amount\":{amount},\"currency\":\"{currency}\"}}"
                ),
            };
            wrote.map_err(io::Error::other)?;
        }
    }
    let began = now.plus_ms(-20 * HOUR_MS);
    for row in [
        format!("NEW_YORK,online-1,{began},19.90,USD,captured,,1.47"),
        format!("NEW_YORK,online-2,{began},7.20,USD,cancelled,,0.53"),
        format!("NEW_YORK,app-1,{began},4.20,USD,,SCAN_CODE,"),
        format!("NEW_YORK,too-fine,{began},4.205,USD,,,"),
    ] {
        writeln!(csv, "{row}").map_err(io::Error::other)?;
    }
    fs::write(inbox.join("trips-1.csv"), csv)?;
    fs::write(inbox.join("trips-2.jsonl"), json)?;
    Ok(trips + 2)
}

struct Trip {
    id: String,
    began: Timestamp,
    amount: String,
    /// Eight percent upon the net, contained in the amount.
    tax: String,
}

fn story_trips(now: Timestamp, digits: u32) -> impl Iterator<Item = Trip> {
    let all = STORIES
        .iter()
        .flat_map(|(story, count)| (1..=*count).map(move |n| (*story, n)));
    all.enumerate().map(move |(place, (story, n))| {
        let step = i64::try_from(place).unwrap_or(0);
        let age = match story {
            "young" => 10 * MINUTE_MS,
            "expired" => 50 * HOUR_MS,
            _ => 26 * HOUR_MS + step * 7 * MINUTE_MS,
        };
        let minor = if story == "empty" {
            0
        } else {
            320 + step * 137
        };
        Trip {
            id: format!("{story}-{n}"),
            began: now.plus_ms(-age),
            amount: text(minor, digits),
            tax: text(minor * 8 / 108, digits),
        }
    })
}

/// `minor` with so many digits behind the point.
fn text(minor: i64, digits: u32) -> String {
    let unit = 10_i64.pow(digits);
    match usize::try_from(digits) {
        Ok(0) | Err(_) => minor.to_string(),
        Ok(width) => format!("{}.{:0width$}", minor / unit, minor % unit),
    }
}

/// What the processor settled, written from the sandbox's own ledger: every capture of one store,
/// the doubtful one too.
pub fn write_report(dir: &Path, sandbox: &Sandbox, date: BooksDate) -> io::Result<()> {
    let mut report = "store,trip,amount,currency,date,reference\n".to_owned();
    let rows = sandbox.ledger();
    let rows = rows.iter().filter(|row| row.store_id == "NEW_YORK");
    for (place, row) in rows.enumerate() {
        for (_, amount) in &row.captures {
            let (store, trip, currency) = (&row.store_id, &row.shopping_trip_id, &row.currency);
            writeln!(
                report,
                "{store},{trip},{amount},{currency},{date},ACME-{place:06}"
            )
            .map_err(io::Error::other)?;
        }
    }
    fs::write(dir.join("reports").join(format!("acme-{date}.csv")), report)
}

//! What a million lines of postings cost, beside copying the bytes that they become; see README.md.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tripsettle::books::{About, Posting, Transaction, TransactionKind};
use tripsettle::config::Config;
use tripsettle::domain::{
    BooksDate, BusinessDate, Currency, Exports, Money, ProcessorName, Role, StoreId, TripId,
    TripKey,
};
use tripsettle::outputs::Exporter;
use tripsettle::outputs::publish::{Modes, StagedShelf, Staging};

/// The formats that are made of postings.
const FORMATS: &str = "[output]\nformats = [\"journal\", \"beancount\", \"qbo\", \"xero\", \
                       \"netsuite\", \"csv\"]\n[export.xero]\ncurrencies = [\"USD\"]\n";
const CODES: [(&str, u32); 9] = [
    ("sales_clearing", 605),
    ("processor_receivable", 606),
    ("shopper_receivable", 611),
    ("shopper_receivable_tax", 612),
    ("recovery_clearing", 607),
    ("bad_debt_expense", 416),
    ("bad_debt_recovered", 271),
    ("tax_payable", 820),
    ("cancelled_sales", 201),
];

/// The speed of exporting beside that of `cat`, and the memory that it takes.
#[derive(Debug, Parser)]
struct Args {
    /// Lines of postings; two to an entry.
    #[arg(long, default_value_t = 1_000_000)]
    lines: u64,
    /// Rows of a file where the target does not take them all at once; the defaults without it.
    #[arg(long)]
    max_rows: Option<u64>,
    /// How often both sides are measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Fails when the median of the ratios, in thousandths, is lower.
    #[arg(long, default_value_t = 0)]
    at_least: u128,
    /// Fails when more KiB than these are held above what the process held before.
    #[arg(long, default_value_t = 64 * 1024)]
    at_most_kib: u64,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let exports = exports(dir.path(), args.max_rows)?;
    let idle = memory("VmRSS:")?;
    let mut ratios = Vec::new();
    for round in 1..=args.rounds {
        let (ours, files, bytes) = export(dir.path(), &exports, args.lines / 2)?;
        let cat = copy(dir.path())?;
        let ratio = cat.as_micros() * 1000 / ours.as_micros().max(1);
        println!(
            "round {round}: {} lines, {files} files, {} MB: exported in {} ms, copied in {} ms, \
             ratio {}.{:03}",
            args.lines,
            bytes / 1_000_000,
            ours.as_millis(),
            cat.as_millis(),
            ratio / 1000,
            ratio % 1000
        );
        ratios.push(ratio);
    }
    ratios.sort_unstable();
    let ratio = ratios.get(ratios.len() / 2).copied().context("no rounds")?;
    let held = memory("VmHWM:")?.saturating_sub(idle);
    println!("ratio {}.{:03}: export and cat", ratio / 1000, ratio % 1000);
    println!("memory {held} KiB above idle");
    let failed = ratio < args.at_least || held > args.at_most_kib;
    Ok(ExitCode::from(u8::from(failed)))
}

fn exports(dir: &Path, max_rows: Option<u64>) -> Result<Exports> {
    let mut text = FORMATS.to_owned();
    if let Some(rows) = max_rows {
        // Xero and NetSuite take so many and no more.
        text.push_str(&format!("max_rows = {}\n", rows.min(300)));
    }
    text.push_str("[export.xero.accounts]\n");
    for (role, code) in CODES {
        text.push_str(&format!("{role} = \"{code}\"\n"));
    }
    for (target, most) in [("qbo", u64::MAX), ("netsuite", 25_000), ("csv", u64::MAX)] {
        if let Some(rows) = max_rows {
            let rows = rows.min(most);
            text.push_str(&format!("[export.{target}]\nmax_rows = {rows}\n"));
        }
    }
    let file = dir.join("exports.toml");
    fs::write(&file, text)?;
    Ok(Config::load(Some(&file), &[], dir)?.exports)
}

/// Exports so many entries into a staged edition; how long it took, its files and their bytes.
fn export(dir: &Path, exports: &Exports, entries: u64) -> Result<(Duration, usize, u64)> {
    let date = BooksDate::parse("2026-11-24")?;
    let began = Instant::now();
    let staging = Staging::begin(&dir.join("out"), date, 1, Modes::default())?;
    let mut exporter = Exporter::begin(date, exports, StagedShelf::of(&staging))?;
    let (store, processor) = (StoreId::of("STORE_0042")?, ProcessorName::of("acme")?);
    let (usd, business_date) = (Currency::of("USD")?, BusinessDate::parse("2026-11-23")?);
    for number in 1..=entries {
        let about = About {
            id: format!("JE-20261124-{number:06}"),
            books_date: date,
            business_date,
            key: TripKey {
                store: store.clone(),
                trip: TripId::of(&format!("0193c2f0-8d2a-7b41-9c1e-{number:012}"))?,
            },
            step: 5,
            processor: Some(processor.clone()),
            kind: TransactionKind::Capture,
            corrects: None,
        };
        let minor = i64::try_from(number % 20_000)?.saturating_add(1);
        let side = |role, minor| Posting {
            role,
            amount: Money::of_minor(minor, usd),
        };
        let sides = [
            side(Role::ProcessorReceivable, minor),
            side(Role::SalesClearing, minor.saturating_neg()),
        ];
        exporter.write(&Transaction::of(about, sides)?)?;
    }
    let (shelf, refused) = exporter.finish()?;
    ensure!(refused.is_empty(), "something was refused");
    let files = shelf.entries();
    let took = began.elapsed();
    Ok((took, files.len(), files.iter().map(|file| file.bytes).sum()))
}

/// The same bytes by `cat`, file by file, and forced to disk as ours are.
fn copy(dir: &Path) -> Result<Duration> {
    let script = "rm -rf copy && mkdir copy && sync -f copy && \
                  cd out/.staging-2026-11-24-e1 && \
                  for file in *; do cat \"$file\" > \"../../copy/$file\"; done && \
                  cd ../../copy && find . -type f -exec sync {} +";
    let began = Instant::now();
    let done = Command::new("sh")
        .args(["-c", script])
        .current_dir(dir)
        .status()?;
    ensure!(done.success(), "cat failed");
    Ok(began.elapsed())
}

/// KiB, as the kernel counts this process's memory.
fn memory(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number
        .context("nobody could say how much memory is held")?
        .parse()?)
}

//! `summary.txt`: the day on one screen, for people.
//!
//! At most 50 lines of at most 100 characters, whatever the number of stores, currencies and
//! kinds; what does not fit is counted, and `summary.json` has it all.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::books::EntryKind;
use crate::domain::{
    BreakKind, CaptureState, Currency, DayTotal, Money, MoneyError, Severity, Status,
};
use crate::reconcile::MatchStatus;

use super::summary::{ByCurrency, Outcome, Stakes, Summary, plus};

/// Characters to a line.
const WIDTH: usize = 100;
/// Currencies with a column of their own.
const CURRENCIES: usize = 3;
/// Trips named of a list.
const NAMED: usize = 3;
/// Lines of the lists of words.
const REASON_LINES: usize = 2;
const BREAK_LINES: usize = 5;
const UNKNOWN_LINES: usize = 2;

type Term = (&'static str, fn(&DayTotal) -> i64);

const CONTROL: [Term; 9] = [
    ("  open before", |day| day.opening_open),
    ("+ in doubt before", |day| day.opening_in_doubt),
    ("+ new", |day| day.new),
    ("+ amended", |day| day.amended),
    ("= captured", |day| day.captured),
    ("+ bad debt", |day| day.bad_debt),
    ("+ cancelled elsewhere", |day| day.cancelled),
    ("+ in doubt now", |day| day.closing_in_doubt),
    ("+ open now", |day| day.closing_open),
];

const DEBT: [Term; 6] = [
    ("  bad debt before", |day| day.debt_opening),
    ("+ new", |day| day.debt_new),
    ("- reversed", |day| day.debt_reversed),
    ("- recovered", |day| day.debt_recovered),
    ("- written off", |day| day.debt_written_off),
    ("= bad debt now", |day| day.debt_closing),
];

/// The first line.
pub(super) fn verdict(summary: &Summary, edition: u32) -> String {
    let day = format!("{}, edition {edition}", summary.books_date);
    let line = match (summary.wrong.split_first(), currencies(summary).is_empty()) {
        (Some((first, [])), _) => format!("NOT BALANCED  {day}: {first}"),
        (Some((first, rest)), _) => {
            let faults = rest.len().saturating_add(1);
            format!("NOT BALANCED  {day}: {faults} faults, {first}")
        }
        (None, true) => format!("BALANCED  {day}: nothing was open and nothing happened"),
        (None, false) => format!("BALANCED  {day}: every store and currency adds up"),
    };
    cut(&line)
}

/// The whole text.
pub(super) fn text(summary: &Summary, edition: u32) -> Result<String, MoneyError> {
    let mut page = Page::default();
    page.line(verdict(summary, edition));
    money(&mut page, summary)?;
    outcomes(&mut page, summary)?;
    reasons(&mut page, summary);
    captures(&mut page, summary);
    attention(&mut page, summary);
    Ok(page.text)
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(cut(line.as_ref()).trim_end());
        self.text.push('\n');
    }

    /// A label and a right-aligned cell per currency.
    fn cells(&mut self, label: &str, cells: impl Iterator<Item = String>) {
        let cells: String = cells.map(|cell| format!("{cell:>24}")).collect();
        self.line(format!("{label:<26}{cells}"));
    }
}

/// The line, cut to the page's width.
fn cut(line: &str) -> String {
    let clean = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    if line.chars().count() <= WIDTH {
        return clean.collect();
    }
    let mut short: String = clean.take(WIDTH.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The currencies of the day, in the order of the alphabet.
fn currencies(summary: &Summary) -> Vec<Currency> {
    let mut all: Vec<_> = summary.totals.iter().map(|day| day.currency).collect();
    all.sort();
    all.dedup();
    all
}

fn money(page: &mut Page, summary: &Summary) -> Result<(), MoneyError> {
    let all = currencies(summary);
    if all.is_empty() {
        return Ok(());
    }
    let shown: Vec<Currency> = all.iter().take(CURRENCIES).copied().collect();
    let stores = summary.totals.chunk_by(|a, b| a.store == b.store).count();
    page.line("");
    let label = format!("{stores} {}", plural(stores, "store", "stores"));
    page.cells(
        &label,
        shown.iter().map(|currency| currency.code().to_owned()),
    );
    for (label, term) in CONTROL {
        terms(page, summary, &shown, label, term)?;
    }
    page.line("");
    for (label, term) in DEBT {
        terms(page, summary, &shown, label, term)?;
    }
    let left: Vec<&str> = all.iter().skip(CURRENCIES).map(Currency::code).collect();
    if !left.is_empty() {
        let (more, codes) = (left.len(), left.join(", "));
        let currencies = plural(more, "currency", "currencies");
        page.line(format!("{more} more {currencies} in summary.json: {codes}"));
    }
    Ok(())
}

fn terms(
    page: &mut Page,
    summary: &Summary,
    shown: &[Currency],
    label: &str,
    term: fn(&DayTotal) -> i64,
) -> Result<(), MoneyError> {
    let mut cells = Vec::new();
    for currency in shown {
        let mut days = summary
            .totals
            .iter()
            .filter(|day| day.currency == *currency);
        let sum = days.try_fold(0_i64, |sum, day| plus(sum, term(day)))?;
        cells.push(Money::of_minor(sum, *currency).decimal_text());
    }
    page.cells(label, cells.into_iter());
    Ok(())
}

fn outcomes(page: &mut Page, summary: &Summary) -> Result<(), MoneyError> {
    let mut by_status: BTreeMap<Status, BTreeMap<Currency, Outcome>> = BTreeMap::new();
    for ((currency, status), outcome) in summary.outcomes.values().flatten() {
        let sums = by_status.entry(*status).or_default();
        sums.entry(*currency).or_default().add(outcome)?;
    }
    page.line("");
    if by_status.is_empty() {
        page.line("No trip had an event on this day.");
        return Ok(());
    }
    let shown: Vec<Currency> = currencies(summary).into_iter().take(CURRENCIES).collect();
    page.line("Trips with an event on this day, and their cart totals");
    for (status, sums) in &by_status {
        let trips = sums
            .values()
            .fold(0_u64, |n, sum| n.saturating_add(sum.trips));
        let cell = |currency: &Currency| {
            let sum = sums.get(currency).map(|sum| sum.cart_total);
            let text = |minor| Money::of_minor(minor, *currency).decimal_text();
            sum.map(text).unwrap_or_default()
        };
        page.cells(&format!("  {trips} {status}"), shown.iter().map(cell));
    }
    Ok(())
}

/// Why money was booked as bad debt, or came back.
fn reasons(page: &mut Page, summary: &Summary) {
    let words = summary.ledger.iter();
    let words = words.map(|((kind, reason, currency), (_, minor))| {
        let amount = Money::of_minor(*minor, *currency);
        match kind {
            EntryKind::New => format!("{amount} {reason}"),
            EntryKind::Recovery | EntryKind::WriteOff | EntryKind::Reversal => {
                format!("{kind} {amount} {reason}")
            }
        }
    });
    let words: Vec<String> = words.collect();
    if !words.is_empty() {
        wrapped(page, "Bad debt by reason:", &words, REASON_LINES);
    }
}

fn captures(page: &mut Page, summary: &Summary) {
    let of = |state| summary.captures.get(&state).copied().unwrap_or(0);
    let settled = of(CaptureState::Settled);
    let evidenced = of(CaptureState::Evidenced);
    let initiated = of(CaptureState::Initiated);
    let of_match = |state| summary.matches.get(&state).copied().unwrap_or(0);
    page.line("");
    page.line(format!(
        "Captures: {settled} settled, {evidenced} evidenced, {initiated} initiated only; \
         {} matched, {} pending, {} break",
        of_match(MatchStatus::Matched),
        of_match(MatchStatus::Pending),
        of_match(MatchStatus::Break),
    ));
    stakes(
        page,
        &summary.doubts,
        "In doubt",
        "they may have been captured or not",
    );
    let until = format!("the token may die before {}", summary.at_risk_until);
    stakes(page, &summary.at_risk, "At risk", &until);
}

fn stakes(page: &mut Page, stakes: &Stakes, title: &str, meaning: &str) {
    let Stakes {
        count,
        money,
        named,
    } = stakes;
    if *count == 0 {
        page.line(format!("{title}: none"));
        return;
    }
    page.line(format!("{title}: {count} ({}): {meaning}", amounts(money)));
    for ((deadline, key), (amount, note)) in named.iter().take(NAMED) {
        // Long ids are cut first, so that the deadline is always seen.
        let key: String = key.to_string().chars().take(40).collect();
        page.line(format!("  {key}  {amount}  until {deadline}  {note}"));
    }
}

fn amounts(sums: &ByCurrency) -> String {
    let texts = sums
        .iter()
        .take(CURRENCIES)
        .map(|(currency, minor)| Money::of_minor(*minor, *currency).to_string());
    let mut all: Vec<String> = texts.collect();
    if sums.len() > CURRENCIES {
        all.push("…".to_owned());
    }
    all.join(", ")
}

fn attention(page: &mut Page, summary: &Summary) {
    let mut open: Vec<_> = summary.open_breaks().into_iter().collect();
    open.sort_by_key(|(kind, _)| Reverse(kind.severity()));
    let oldest = |kind| summary.oldest.get(&kind).copied().unwrap_or(0);
    let words = open.into_iter();
    let words: Vec<String> = words
        .map(|(kind, count)| break_words(kind, count, oldest(kind)))
        .collect();
    match words.is_empty() {
        true => page.line("Breaks: none open"),
        false => wrapped(page, "Breaks:", &words, BREAK_LINES),
    }
    wrapped(page, "Not known:", &summary.not_known(), UNKNOWN_LINES);
    page.line(format!(
        "Feed: {} rejected {}, {} app {} counted, not settled",
        summary.rejected,
        plural(summary.rejected, "row", "rows"),
        summary.scan_codes,
        plural(summary.scan_codes, "entry", "entries"),
    ));
    page.line(format!("Journal: {}", summary.head));
}

fn break_words(kind: BreakKind, count: u64, oldest: u64) -> String {
    let age = match oldest {
        0 => String::new(),
        days => format!(" (oldest {days} {})", plural(days, "day", "days")),
    };
    let weight = match kind.severity() {
        Severity::Critical => "critical ",
        Severity::Warning | Severity::Info => "",
    };
    format!("{count} {weight}{kind}{age}")
}

/// The words parted by commas, on so many lines as they need, each set in below the title; what
/// would go beyond `most` lines is counted.
fn wrapped(page: &mut Page, title: &str, words: &[String], most: usize) {
    let (mut line, mut lines) = (title.to_owned(), 1_usize);
    for (place, word) in words.iter().enumerate() {
        let comma = if place.saturating_add(1) < words.len() {
            ","
        } else {
            ""
        };
        // The last line keeps room to say how many more there are.
        let room = if lines >= most { 14 } else { 2 };
        let needs = line.len().saturating_add(word.len()).saturating_add(room);
        if needs > WIDTH && lines >= most {
            let more = words.len().saturating_sub(place);
            line.push_str(&format!(" and {more} more"));
            break;
        }
        if needs > WIDTH {
            page.line(&line);
            line = " ".repeat(title.len());
            lines = lines.saturating_add(1);
        }
        line.push(' ');
        line.push_str(word);
        line.push_str(comma);
    }
    page.line(&line);
}

fn plural<N: PartialEq + From<u8>>(
    count: N,
    one: &'static str,
    many: &'static str,
) -> &'static str {
    if count == N::from(1) { one } else { many }
}

//! `summary.txt`: the day on one screen, for people.
//!
//! About 50 lines of at most 100 characters, whatever the number of stores and kinds; what does not
//! fit is counted, and `summary.json` has it all. Money is never left out: every three currencies
//! more have a block more of columns.

mod page;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::books::EntryKind;
use crate::domain::{
    BreakKind, CaptureState, Currency, DayTotal, Money, MoneyError, Severity, StoreId,
};
use crate::reconcile::MatchStatus;

use super::equations::{CONTROL, DEBT, Term};
use super::summary::{ByCurrency, Outcome, Stakes, Summary, plus};
use page::{Page, cut, plural, wrapped};

/// Currencies side by side.
const CURRENCIES: usize = 3;
/// Trips named of a list.
const NAMED: usize = 3;
/// Lines of the lists of words.
const REASON_LINES: usize = 2;
const BREAK_LINES: usize = 5;
const UNKNOWN_LINES: usize = 2;
/// Of a list that is never cut.
const ALL: usize = usize::MAX;

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
    for shown in currencies(summary).chunks(CURRENCIES) {
        money(&mut page, summary, shown)?;
    }
    outcomes(&mut page, summary)?;
    reasons(&mut page, summary);
    posted(&mut page, summary, edition);
    captures(&mut page, summary);
    attention(&mut page, summary);
    Ok(page.text)
}

/// The currencies of the day, in the order of the alphabet.
fn currencies(summary: &Summary) -> Vec<Currency> {
    let mut all: Vec<_> = summary.totals.iter().map(|day| day.currency).collect();
    all.sort();
    all.dedup();
    all
}

/// A block of these currencies.
fn money(page: &mut Page, summary: &Summary, shown: &[Currency]) -> Result<(), MoneyError> {
    let days = summary.totals.iter();
    let days = days.filter(|day| shown.contains(&day.currency));
    let stores: BTreeSet<&StoreId> = days.map(|day| &day.store).collect();
    page.line("");
    let label = format!(
        "{} {}",
        stores.len(),
        plural(stores.len(), "store", "stores")
    );
    page.cells(&label, codes(shown));
    for Term { sign, name, of } in CONTROL {
        terms(page, summary, shown, &format!("{sign} {name}"), of)?;
    }
    page.line("");
    for Term { sign, name, of } in DEBT {
        // The block has no head: what it begins and ends with says what it is of.
        let label = match sign {
            "+" | "-" => format!("{sign} {name}"),
            _ => format!("{sign} bad debt {name}"),
        };
        terms(page, summary, shown, &label, of)?;
    }
    Ok(())
}

fn codes(shown: &[Currency]) -> impl Iterator<Item = String> {
    shown.iter().map(|currency| currency.code().to_owned())
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
    let by_status = summary.outcomes_by_status()?;
    page.line("");
    if by_status.is_empty() {
        page.line("No trip had an event on this day.");
        return Ok(());
    }
    let mut all = currencies(summary);
    all.extend(by_status.values().flat_map(BTreeMap::keys));
    all.sort();
    all.dedup();
    page.line("Trips with an event on this day, and their cart totals");
    for shown in all.chunks(CURRENCIES) {
        if all.len() > CURRENCIES {
            page.cells("", codes(shown));
        }
        for (status, sums) in &by_status {
            let mine = shown.iter().map(|currency| sums.get(currency));
            let counts = mine.clone().flatten().map(|sum| sum.trips);
            let trips = counts.fold(0, u64::saturating_add);
            let cell = |(currency, sum): (&Currency, Option<&Outcome>)| {
                let total = sum.map(|sum| Money::of_minor(sum.cart_total, *currency));
                total.map(|total| total.decimal_text()).unwrap_or_default()
            };
            if trips > 0 {
                page.cells(
                    &format!("  {trips} {status}"),
                    shown.iter().zip(mine).map(cell),
                );
            }
        }
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

/// What was posted, and that nothing of it is to be imported twice.
fn posted(page: &mut Page, summary: &Summary, edition: u32) {
    let Some(posted) = &summary.posted else {
        return;
    };
    let words = posted.by_currency().map(|(currency, sides)| {
        let [debits, credits] = [sides.debits, sides.credits].map(|minor| {
            let amount = Money::of_minor(minor, currency);
            amount.to_string()
        });
        let entries = plural(sides.entries, "entry", "entries");
        match debits == credits {
            true => format!("{} {entries} of {debits}", sides.entries),
            false => format!("{} {entries} of {debits} against {credits}", sides.entries),
        }
    });
    let mut words: Vec<String> = words.collect();
    if words.is_empty() {
        words.push("none".to_owned());
    }
    wrapped(page, "Postings:", &words, ALL);
    if edition > 1 {
        page.line("          as in the editions before: what was imported is not imported again");
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
    let sums = amounts(money);
    if sums.len() > CURRENCIES {
        page.line(format!("{title}: {count}: {meaning}"));
        wrapped(page, "  together", &sums, ALL);
    } else {
        page.line(format!("{title}: {count} ({}): {meaning}", sums.join(", ")));
    }
    for ((deadline, key), (amount, note)) in named.iter().take(NAMED) {
        // Long ids are cut first, so that the deadline is always seen.
        let key: String = key.to_string().chars().take(40).collect();
        page.line(format!("  {key}  {amount}  until {deadline}  {note}"));
    }
}

fn amounts(sums: &ByCurrency) -> Vec<String> {
    sums.iter()
        .map(|(currency, minor)| Money::of_minor(*minor, *currency).to_string())
        .collect()
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

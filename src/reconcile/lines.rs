//! Processor lines against captures and against bad debt.

use crate::domain::debt::NOBODY;
use crate::domain::{Break, BreakKind, DebtAct, DebtRuling, Fact, Money, Standing};

use super::reading::{Met, Reading, Shown};

/// How many lines a break's text names.
const NAMED_LINES: usize = 3;

/// The breaks that lines bring.
pub(super) fn breaks(reading: &Reading<'_>, standing: &Standing) -> Vec<Break> {
    let currency = standing.balances.currency;
    let (ours, foreign): (Vec<&Shown<'_>>, Vec<&Shown<'_>>) = reading
        .shown
        .iter()
        .partition(|shown| shown.line.amount.currency() == currency);
    let zero = Money::zero(currency);
    let mut breaks = Vec::new();
    if let Some(shown) = foreign.first() {
        breaks.push(Break {
            kind: BreakKind::CurrencyDiffers,
            expected: reading.claim,
            actual: Some(shown.line.amount),
            detail: format!("the capture is in {currency}: {}", named(&foreign)),
        });
    }
    let of = |kind, expected, actual, lines: &[&Shown<'_>]| Break {
        kind,
        expected: Some(expected),
        actual: Some(actual),
        detail: named(lines),
    };
    let claim = reading.claim.unwrap_or(zero);
    let uncalled = ours.iter().any(|shown| shown.met == Met::Nothing);
    let balances = &standing.balances;
    let rest = balances.cart_total.saturating_sub(balances.recovered);
    // What the shopper paid later in another way must not be shown by a line as well.
    let recovered_too = balances.recovered > 0 && sum(&ours, zero).minor() > rest;
    if ours.len() > 1 || uncalled || recovered_too {
        let kind = BreakKind::CapturedTwice;
        let expected = match recovered_too {
            true => Money::of_minor(rest, currency),
            false => claim,
        };
        breaks.push(of(kind, expected, sum(&ours, zero), &ours));
    }
    if ours.iter().any(|shown| shown.met == Met::WriteOff) {
        let kind = BreakKind::CapturedAfterWriteOff;
        breaks.push(of(kind, claim, sum(&ours, zero), &ours));
    }
    let differs = |shown: &&&Shown<'_>| {
        shown.met == Met::Capture
            && reading
                .claim
                .is_some_and(|claim| claim != shown.line.amount)
    };
    if let Some(shown) = ours.iter().find(differs) {
        let kind = BreakKind::AmountDiffers;
        breaks.push(of(kind, claim, shown.line.amount, &[shown]));
    }
    breaks
}

/// How much of the trip's bad debt the lines show as captured; `None` when nothing, or when a
/// capture covers them. Bad debt beside a capture is left to a person: a second line there may
/// just as well be a second charge; and so is what was recovered, for which it is one.
pub(super) fn found_captured(reading: &Reading<'_>, standing: &Standing) -> Option<Money> {
    let balances = &standing.balances;
    let zero = Money::zero(balances.currency);
    let lines: Vec<_> = reading
        .shown
        .iter()
        .filter(|shown| shown.met == Met::WriteOff)
        .filter(|shown| shown.line.amount.currency() == balances.currency)
        .collect();
    if balances.captured != reading.found {
        return None;
    }
    let uncovered = sum(&lines, zero).minor().saturating_sub(balances.captured);
    // What was said never to have been owed was, as the money shows.
    let forgiven = reading.forgiven.iter();
    let owed = forgiven.fold(balances.bad_debt, |owed, (_, amount)| {
        owed.saturating_add(amount.minor())
    });
    let owed = owed.saturating_sub(balances.recovered);
    let amount = Money::of_minor(uncovered.min(owed), balances.currency);
    amount.is_positive().then_some(amount)
}

/// The write-offs, and then the reversals of what was never owed, to take back, so that `amount` of
/// debt is open: money that was found shows that they were decided on wrong grounds.
pub(super) fn taken_back(reading: &Reading<'_>, standing: &Standing, amount: Money) -> Vec<Fact> {
    let mut open = standing.balances.debt();
    let mut facts = Vec::new();
    let (write_offs, forgiven) = (reading.write_offs.iter(), reading.forgiven.iter());
    for (step, given_up) in write_offs.rev().chain(forgiven.rev()) {
        if open >= amount.minor() {
            break;
        }
        open = open.saturating_add(given_up.minor());
        facts.push(Fact::Debt {
            ruling: DebtRuling {
                act: DebtAct::TakenBack { step: *step },
                by: NOBODY.to_owned(),
                note: "a processor's line shows the money".to_owned(),
            },
        });
    }
    facts
}

fn sum(lines: &[&Shown<'_>], zero: Money) -> Money {
    let minor = lines.iter().fold(0_i64, |sum, shown| {
        sum.saturating_add(shown.line.amount.minor())
    });
    Money::of_minor(minor, zero.currency())
}

fn named(lines: &[&Shown<'_>]) -> String {
    let mut words: Vec<String> = lines
        .iter()
        .take(NAMED_LINES)
        .map(|shown| one(shown))
        .collect();
    let more = lines.len().saturating_sub(NAMED_LINES);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join("; ")
}

fn one(shown: &Shown<'_>) -> String {
    let line = shown.line;
    format!(
        "{} says {} (reference `{}`)",
        line.source, line.amount, line.reference
    )
}

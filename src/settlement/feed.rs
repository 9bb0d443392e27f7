//! What a row of the trip feed means for a trip, new or known.

use crate::domain::{Elsewhere, Fact, FeedRow, Money, Timestamp, Trip};

use super::history::History;

/// What is to be done with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// Append these facts.
    Facts(Vec<Fact>),
    /// The row says what is known.
    Nothing,
    /// The row cannot be taken.
    Rejected {
        /// The field at fault, if it is one.
        field: Option<&'static str>,
        /// In words.
        reason: String,
    },
}

/// Says what `row` means: a new trip, an amendment, something that happened elsewhere, nothing.
///
/// `trip` is the row placed in time by the configuration. `lost_before` is the moment of a loss of
/// state: what began before it may have been captured already.
pub fn admit(
    history: Option<&History>,
    row: &FeedRow,
    trip: &Trip,
    lost_before: Option<Timestamp>,
) -> Admitted {
    if let Some(reason) = impossible(row) {
        return rejected("captured_amount", reason);
    }
    match history {
        Some(history) => known(history, row),
        None => Admitted::Facts(taken(row, trip, lost_before)),
    }
}

/// What is wrong with the amount that was captured elsewhere, if anything.
fn impossible(row: &FeedRow) -> Option<String> {
    let Some(Elsewhere::Captured { amount }) = row.elsewhere else {
        return None;
    };
    if amount.currency() != row.amount.currency() {
        return Some(format!(
            "{amount} is in another currency than {}",
            row.amount
        ));
    }
    (amount.is_zero() && row.amount.is_positive())
        .then(|| "nothing was captured: then the trip is `open` or `cancelled`".to_owned())
}

fn taken(row: &FeedRow, trip: &Trip, lost_before: Option<Timestamp>) -> Vec<Fact> {
    let before = lost_before.is_some_and(|lost| row.started_at < lost);
    let after_loss = before && row.elsewhere.is_none();
    let source = row.source.clone();
    let mut facts = vec![Fact::Taken {
        trip: Box::new(trip.clone()),
        source,
        after_loss,
    }];
    facts.extend(elsewhere(row, row.amount, true));
    facts
}

fn known(history: &History, row: &FeedRow) -> Admitted {
    let told = [history.elsewhere_conflict(), history.elsewhere()];
    let source = &history.source;
    if !source.digest.is_empty() && source.digest == row.source.digest {
        let last = told.into_iter().flatten().next();
        return same_file(history, row, last);
    }
    if let Some((field, taken)) = never_changes(history, row) {
        let reason = format!("the trip was taken with {taken}; that never changes");
        return rejected(field, reason);
    }
    if row
        .elsewhere
        .is_some_and(|what| !told.contains(&Some(what)))
    {
        let total = history.cart_total();
        return Admitted::Facts(elsewhere(row, total, history.amendable()));
    }
    // Where something else happened, and that is known, the amount was closed with it.
    if row.elsewhere.is_some() || !sells_otherwise(history, row) {
        return Admitted::Nothing;
    }
    if history.amendable() {
        return Admitted::Facts(vec![amended(row, row.amount)]);
    }
    let total = history.cart_total();
    let field = if row.amount == total {
        "tax_amount"
    } else {
        "amount"
    };
    let reason = format!("the trip is settled or being settled with {total}; see `show`");
    rejected(field, reason)
}

/// The same trip twice in one file: the later row must say the same.
fn same_file(history: &History, row: &FeedRow, told: Option<Elsewhere>) -> Admitted {
    let same_sale = row.elsewhere.is_some() || !sells_otherwise(history, row);
    if same_sale && row.elsewhere == told && never_changes(history, row).is_none() {
        return Admitted::Nothing;
    }
    let line = history.source.line;
    Admitted::Rejected {
        field: None,
        reason: format!("conflict: line {line} of this file says otherwise"),
    }
}

fn never_changes(history: &History, row: &FeedRow) -> Option<(&'static str, String)> {
    let (trip, currency) = (history.trip(), history.currency());
    if row.started_at != trip.started_at {
        return Some(("started_at", trip.started_at.to_string()));
    }
    (row.amount.currency() != currency).then(|| ("currency", currency.to_string()))
}

/// Another amount, or another tax; a row that is silent about the tax changes none.
fn sells_otherwise(history: &History, row: &FeedRow) -> bool {
    row.amount != history.cart_total() || row.tax.is_some() && row.tax != history.trip().tax
}

fn rejected(field: &'static str, reason: String) -> Admitted {
    let field = Some(field);
    Admitted::Rejected { field, reason }
}

fn amended(row: &FeedRow, cart_total: Money) -> Fact {
    Fact::Amended {
        cart_total,
        tax: row.tax,
        source: row.source.clone(),
    }
}

/// The facts of a row that tells of something elsewhere, given the cart total so far. More captured
/// than the row's cart total shows that the total was wrong: it is amended up first, so that no
/// captured cent is without a sale.
fn elsewhere(row: &FeedRow, total: Money, amendable: bool) -> Vec<Fact> {
    let Some(what) = row.elsewhere else {
        return Vec::new();
    };
    let captured = match what {
        Elsewhere::Captured { amount } => amount.minor(),
        Elsewhere::Cancelled => 0,
    };
    let right = Money::of_minor(row.amount.minor().max(captured), row.amount.currency());
    let raised = (amendable && right != total).then(|| amended(row, right));
    let source = row.source.clone();
    raised
        .into_iter()
        .chain([Fact::Elsewhere { what, source }])
        .collect()
}

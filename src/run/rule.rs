//! Rule: a person's word goes into the journal; no lock, one short transaction.

use crate::config::Config;
use crate::domain::{Event, Fact, Money, Ruling, Standing, Timestamp};
use crate::settlement::{self, History, RulingRefused};
use crate::store::{Store, StoreError};

use super::RunError;
use super::books_date::books_date;
use super::draft::Draft;

/// What became of a row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruled {
    /// It is in the journal.
    Taken,
    /// It does not fit the trip.
    Refused(RulingRefused),
    /// The very same stands in the journal; it was not written again.
    Before,
}

/// What stands behind a doubt, for the person who is to rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What was intended, also by a capture that was ruled out; zero where there was none.
    pub intended: Money,
    /// The reconciliation id of its transactional data: it speaks for a capture.
    pub reconciliation_id: Option<String>,
}

/// Reads what stands behind a trip's doubt.
///
/// # Errors
/// The state cannot be read, or the journal breaks the law.
pub fn claim(store: &Store, trip: i64) -> Result<Claim, RunError> {
    let history = History::replay(&store.events(trip)?)?;
    let standing = history.standing();
    let intended = standing.intended.or(history.ruled_out());
    let named = history
        .evidence()
        .and_then(|data| data.reconciliation_id.as_ref());
    Ok(Claim {
        intended: intended.unwrap_or(Money::zero(standing.balances.currency)),
        reconciliation_id: named.map(ToString::to_string),
    })
}

/// As [`rule`], but for a ruling whose verdict, name and note stand in the trip's history already:
/// a list of rulings that is given twice must not end a doubt that came after the first time.
///
/// # Errors
/// As [`rule`].
pub fn rule_once(
    config: &Config,
    store: &Store,
    trip: i64,
    ruling: &Ruling,
    now: Timestamp,
) -> Result<Ruled, RunError> {
    let is_it =
        |event: &Event| matches!(&event.fact, Fact::Ruled { ruling: before } if before == ruling);
    if store.events(trip)?.iter().any(is_it) {
        return Ok(Ruled::Before);
    }
    Ok(match rule(config, store, trip, ruling, now)? {
        Ok(_) => Ruled::Taken,
        Err(refused) => Ruled::Refused(refused),
    })
}

/// Writes `ruling` for the trip, if the law allows it; gives where the trip stands then.
///
/// # Errors
/// The state cannot be read or written.
pub fn rule(
    config: &Config,
    store: &Store,
    trip: i64,
    ruling: &Ruling,
    now: Timestamp,
) -> Result<Result<Standing, RulingRefused>, RunError> {
    write(config, store, trip, now, &|history| {
        settlement::rule(history, ruling, now).map(|fact| vec![fact])
    })
}

/// Writes the facts that a person's word makes of the trip's history, read again whenever somebody
/// else wrote meanwhile; or says why there are none.
///
/// # Errors
/// The state cannot be read or written.
pub(super) fn write<Why>(
    config: &Config,
    store: &Store,
    trip: i64,
    now: Timestamp,
    facts_of: &dyn Fn(&History) -> Result<Vec<Fact>, Why>,
) -> Result<Result<Standing, Why>, RunError> {
    loop {
        let mut draft = Draft::after(trip, &store.events(trip)?)?;
        let facts = match facts_of(draft.history()) {
            Ok(facts) => facts,
            Err(why) => return Ok(Err(why)),
        };
        for fact in facts {
            draft.add(now, fact)?;
        }
        let closed = store.closed_days()?.last_closed;
        let date = books_date(&config.company, now, closed);
        match store.append_now(draft.append(date, None)) {
            Ok(_) => return Ok(Ok(draft.history().standing())),
            Err(StoreError::Conflict { .. }) => {}
            // The day was closed in the same moment: the ruling stands in the next one.
            Err(StoreError::Refused(_)) if store.closed_days()?.last_closed != closed => {}
            Err(other) => return Err(other.into()),
        }
    }
}

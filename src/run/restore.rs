//! Restore: an older copy of the state is in force again, and what happened after it was made is
//! not in it. Whatever may have been captured since is in doubt, so that nothing is captured twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use crate::config::Config;
use crate::domain::{BooksDate, Ruling, Timestamp, Verdict};
use crate::outputs::publish::{edition_dir, editions};
use crate::outputs::{BAD_DEBT, by_hand};
use crate::store::Store;

use super::RunError;
use super::rule::rule;

/// What became of the trips, and what is to be done by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Put in doubt, or parked.
    pub doubted: u64,
    /// Left as they were, since nothing can be sent for them.
    pub left: u64,
    /// Days that the lost state published and that will be closed again, oldest first.
    pub again: Vec<LostDay>,
}

/// A day that was published by a state that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostDay {
    /// The day.
    pub date: BooksDate,
    /// What persons did to debts on it, a line each.
    pub by_hand: Vec<String>,
}

/// An edition that was published by a newer state than this one, if there is one.
///
/// # Errors
/// The state or the output folder cannot be read.
pub fn published_by_a_newer(config: &Config, store: &Store) -> Result<Option<String>, RunError> {
    let closed = store.closed_days()?.last_closed;
    let known = store.published_through()?;
    for (date, edition) in editions(&config.output_dir, closed)? {
        let closed_here = store.closes(date)?.iter().any(|row| row.edition == edition);
        let is_known = known.is_some_and(|known| date <= known);
        if !closed_here && !is_known {
            let place = edition_dir(&config.output_dir, date, edition);
            return Ok(Some(place.display().to_string()));
        }
    }
    Ok(None)
}

/// The newest day that stands published, whoever published it.
fn newest_day(config: &Config) -> Result<Option<BooksDate>, RunError> {
    let newest = editions(&config.output_dir, None)?.pop();
    Ok(newest.map(|(date, _)| date))
}

/// A new state begins where the lost one ended: the days that were published stay closed. May be
/// interrupted and done again.
///
/// # Errors
/// The state or the output folder cannot be read or written.
pub fn begin_after_loss(config: &Config, store: &Store) -> Result<(), RunError> {
    let newest = newest_day(config)?;
    if let Some(newest) = newest {
        store.set_lost_days_through(newest)?;
    }
    Ok(store.in_force_again(newest)?)
}

/// The days that stand published and that this state has not closed, if it is to close them.
fn lost_days(config: &Config, store: &Store) -> Result<Vec<LostDay>, RunError> {
    let last = store.closed_days()?.last_closed;
    let mut newest = BTreeMap::new();
    for (date, edition) in editions(&config.output_dir, last.map(BooksDate::next))? {
        newest.insert(date, edition);
    }
    let mut days = Vec::new();
    for (date, edition) in newest {
        let path = edition_dir(&config.output_dir, date, edition).join(BAD_DEBT);
        let by_hand = match File::open(&path) {
            // What cannot be read keeps nobody from going on.
            Ok(file) => by_hand(BufReader::new(file)).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        days.push(LostDay { date, by_hand });
    }
    Ok(days)
}

/// Puts every trip in doubt for which this older state would send something. May be interrupted
/// and done again.
///
/// # Errors
/// The state cannot be read or written.
pub fn restore(config: &Config, store: &Store, now: Timestamp) -> Result<Restored, RunError> {
    store.set_lost_before(now)?;
    let ruling = Ruling {
        verdict: Verdict::MayBeCaptured,
        by: "tripsettle init --after-restore".to_owned(),
        note: "an older state was put back: what happened after it was copied is not known"
            .to_owned(),
    };
    let (mut restored, mut last) = (Restored::default(), 0);
    loop {
        let trips = store.unsettled_trips(now, last)?;
        let Some(end) = trips.last().copied() else {
            break;
        };
        for trip in trips {
            let count = match rule(config, store, trip, &ruling, now)? {
                Ok(_) => &mut restored.doubted,
                Err(_) => &mut restored.left,
            };
            *count = count.saturating_add(1);
        }
        last = end;
    }
    restored.again = lost_days(config, store)?;
    store.in_force_again(newest_day(config)?)?;
    Ok(restored)
}

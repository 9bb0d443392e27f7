//! Stakes: what is open and in doubt at the end of a day, counted over all trips; never derived
//! from the day's movements, for only so can the control equation find a trip that was lost.

use std::collections::BTreeMap;

use crate::books::Counted;
use crate::domain::{BooksDate, Currency, Money, Status, StoreId, Timestamp};
use crate::outputs::{Stake, Summary};
use crate::payment_service::PaymentService;
use crate::settlement::History;
use crate::store::OwingTrip;

use super::RunError;
use super::pass::House;

/// Sums by store and currency; names doubts and trips at risk in the summary.
pub struct Counting<'a> {
    sums: BTreeMap<(StoreId, Currency), (i64, i64)>,
    summary: &'a mut Summary,
    at_risk_until: Timestamp,
}

/// Counts the end of `date` as the journal up to `up_to_seq` has it.
///
/// # Errors
/// The state cannot be read, or the journal breaks the law.
pub fn count<S: PaymentService>(
    house: &House<S>,
    date: BooksDate,
    up_to_seq: i64,
    at_risk_until: Timestamp,
    summary: &mut Summary,
) -> Result<Vec<Counted>, RunError> {
    let mut counting = Counting {
        sums: BTreeMap::new(),
        summary,
        at_risk_until,
    };
    house
        .store
        .each_owing_trip::<RunError>(date, &mut |trip| counting.add(trip))?;
    house
        .store
        .each_trip_after_day::<RunError>(date, up_to_seq, &mut |_, events| {
            // Steps follow each other in time, and so do their books dates.
            let by_then = events.partition_point(|event| event.books_date <= date);
            let Some((first, rest)) = events.get(..by_then).and_then(<[_]>::split_first) else {
                return Ok(());
            };
            let law = |illegal: crate::settlement::IllegalEvent| RunError::Law(illegal.to_string());
            let mut history = History::begin(first.at, &first.fact).map_err(law)?;
            for event in rest {
                history.apply(event.at, &event.fact).map_err(law)?;
            }
            counting.add(owing(&history))
        })?;
    Ok(counting.counted())
}

fn owing(history: &History) -> OwingTrip {
    let standing = history.standing();
    OwingTrip {
        key: history.trip().key.clone(),
        currency: standing.balances.currency,
        open: standing.balances.open,
        in_doubt: standing.balances.in_doubt,
        expires_at: history.trip().expires_at,
        act_by: standing.act_by,
        status: standing.status,
    }
}

impl Counting<'_> {
    fn add(&mut self, trip: OwingTrip) -> Result<(), RunError> {
        let sums = self
            .sums
            .entry((trip.key.store.clone(), trip.currency))
            .or_default();
        for (sum, part) in [(&mut sums.0, trip.open), (&mut sums.1, trip.in_doubt)] {
            let exact = sum.checked_add(part);
            let what = || crate::domain::MoneyError::OutOfRange("an open sum".to_owned());
            *sum = exact.ok_or_else(what)?;
        }
        let stake = |minor, note: &str| Stake {
            key: trip.key.clone(),
            amount: Money::of_minor(minor, trip.currency),
            deadline: trip.expires_at,
            note: note.to_owned(),
        };
        if trip.in_doubt > 0 {
            let note = "a capture may have happened";
            self.summary.add_doubt(stake(trip.in_doubt, note))?;
        }
        if trip.open > 0
            && trip
                .act_by
                .is_some_and(|act_by| act_by <= self.at_risk_until)
        {
            let note = if trip.status == Status::Refused {
                "refused"
            } else {
                "open"
            };
            self.summary.add_at_risk(stake(trip.open, note))?;
        }
        Ok(())
    }

    fn counted(self) -> Vec<Counted> {
        let row = |((store, currency), (open, in_doubt))| Counted {
            store,
            currency,
            open,
            in_doubt,
        };
        self.sums.into_iter().map(row).collect()
    }
}

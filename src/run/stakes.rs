//! Stakes: what is open, in doubt and owed at the end of a day, counted over all trips; never
//! derived from the day's movements, for only so can the equations find a trip that was lost.

use std::collections::BTreeMap;

use crate::books::{Ageing, Counted};
use crate::domain::{BooksDate, Currency, Event, Fact, Money, Status, StoreId, Timestamp};
use crate::outputs::{Stake, Summary};
use crate::payment_service::PaymentService;
use crate::settlement::History;
use crate::store::OwingTrip;

use super::RunError;
use super::pass::House;

/// What a store has open in one currency.
#[derive(Default)]
struct Sums {
    open: i64,
    in_doubt: i64,
    debt: i64,
}

/// Sums by store and currency; names doubts and trips at risk in the summary.
pub struct Counting<'a> {
    date: BooksDate,
    sums: BTreeMap<(StoreId, Currency), Sums>,
    ageing: Ageing,
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
        date,
        sums: BTreeMap::new(),
        ageing: Ageing::default(),
        summary,
        at_risk_until,
    };
    house
        .store
        .each_owing_trip::<RunError>(date, &mut |trip| counting.add(trip))?;
    house.store.each_debt_sum::<RunError>(date, &mut |sum| {
        counting.owe(&sum.store, sum.debt, sum.trips, sum.since)
    })?;
    house
        .store
        .each_trip_after_day::<RunError>(date, up_to_seq, &mut |_, events| {
            // Steps follow each other in time, and so do their books dates.
            let by_then = events.partition_point(|event| event.books_date <= date);
            let by_then = events.get(..by_then).unwrap_or_default();
            if by_then.is_empty() {
                return Ok(());
            }
            let history = History::replay(by_then)?;
            let store = &history.trip().key.store;
            let debt = history.balances().debt();
            if let Some(since) = debt_since(events.as_slice(), Some(date)).filter(|_| debt > 0) {
                let debt = Money::of_minor(debt, history.balances().currency);
                counting.owe(store, debt, 1, since)?;
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
        for (sum, part) in [
            (&mut sums.open, trip.open),
            (&mut sums.in_doubt, trip.in_doubt),
        ] {
            *sum = plus(*sum, part)?;
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

    fn owe(
        &mut self,
        store: &StoreId,
        debt: Money,
        trips: u64,
        since: BooksDate,
    ) -> Result<(), RunError> {
        let place = (store.clone(), debt.currency());
        let sums = self.sums.entry(place).or_default();
        sums.debt = plus(sums.debt, debt.minor())?;
        Ok(self.ageing.add(store, debt, trips, since, self.date)?)
    }

    fn counted(self) -> Vec<Counted> {
        self.summary.ageing(self.ageing);
        let row = |((store, currency), sums): ((StoreId, Currency), Sums)| Counted {
            store,
            currency,
            open: sums.open,
            in_doubt: sums.in_doubt,
            debt: sums.debt,
        };
        self.sums.into_iter().map(row).collect()
    }
}

/// The books date of the last loss above zero, of those by the end of `until`.
pub(super) fn debt_since(events: &[Event], until: Option<BooksDate>) -> Option<BooksDate> {
    let by_then = |event: &&Event| until.is_none_or(|until| event.books_date <= until);
    let lost =
        |event: &&Event| matches!(&event.fact, Fact::Lost { amount, .. } if amount.is_positive());
    let mut losses = events.iter().filter(by_then).filter(lost);
    losses.next_back().map(|event| event.books_date)
}

fn plus(sum: i64, part: i64) -> Result<i64, RunError> {
    let what = || crate::domain::MoneyError::OutOfRange("an open sum".to_owned());
    Ok(sum.checked_add(part).ok_or_else(what)?)
}

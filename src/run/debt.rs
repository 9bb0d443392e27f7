//! Debt: what stands open of the bad debt, what people do about it, and the small ones that are
//! given up by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::books::{Ageing, DebtSum};
use crate::config::Config;
use crate::domain::debt::NOBODY;
use crate::domain::{
    Balances, BooksDate, Currency, DebtAct, DebtAge, DebtRuling, Fact, LossReason, Money,
    ReversedInto, Standing, Status, StoreId, Timestamp,
};
use crate::payment_service::PaymentService;
use crate::settlement::{
    DebtDone, History, RulingRefused, recover_debt, refuse_same_debt_ruling, rule_debt,
};
use crate::store::{Append, IndebtedTrip, Store};

use super::RunError;
use super::books_date::books_date;
use super::draft::Draft;
use super::examine::append;
use super::pass::{House, Pass};
use super::rule::{Ruled, write};

/// A trip that somebody writes to is looked at again, so many times.
const ROUNDS: u32 = 3;

/// What a person wants done about a debt; an amount that is left out is the whole open debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebtWish {
    /// Money came; left out it is all that was written off, where nothing is open.
    Recover(Option<Money>),
    /// The rest is given up.
    WriteOff,
    /// The recovery, write-off or reversal of this step was none.
    TakeBack(u32),
    /// It should not have been booked.
    Reverse(Option<Money>, ReversedInto),
}

impl DebtWish {
    fn act(self, balances: &Balances) -> DebtAct {
        let open = Money::of_minor(balances.debt(), balances.currency);
        match self {
            Self::Recover(amount) => DebtAct::Recovered {
                amount: came(amount, balances),
            },
            Self::WriteOff => DebtAct::WrittenOff { amount: open },
            Self::TakeBack(step) => DebtAct::TakenBack { step },
            Self::Reverse(amount, into) => DebtAct::Reversed {
                amount: amount.unwrap_or(open),
                into,
            },
        }
    }
}

/// How much came.
fn came(amount: Option<Money>, balances: &Balances) -> Money {
    amount.unwrap_or_else(|| {
        let minor = match balances.debt() {
            0 => balances.written_off,
            open => open,
        };
        Money::of_minor(minor, balances.currency)
    })
}

/// Writes what `by` wants done, if the law allows it; gives where the trip stands then.
///
/// # Errors
/// The state cannot be read or written.
pub fn settle_debt(
    config: &Config,
    store: &Store,
    trip: i64,
    (wish, by, note): (DebtWish, &str, &str),
    now: Timestamp,
) -> Result<Result<Standing, RulingRefused>, RunError> {
    write(config, store, trip, now, &|history| {
        let ruling = DebtRuling {
            act: wish.act(history.balances()),
            by: by.to_owned(),
            note: note.to_owned(),
        };
        match ruling.act {
            DebtAct::Recovered { amount } => refuse_same_debt_ruling(history, &ruling)
                .and_then(|()| recover_debt(history, amount, (by, note), now)),
            DebtAct::WrittenOff { .. } | DebtAct::TakenBack { .. } | DebtAct::Reversed { .. } => {
                rule_debt(history, &ruling, now).map(|fact| vec![fact])
            }
        }
    })
}

/// Recoveries that rows of a list stand for already, by their trips and steps.
pub type Answered = BTreeSet<(i64, u32)>;

/// Writes that money came, as one row of a list tells it, unless it is in the journal: a recovery
/// of this amount (of any, if none is given) with this name and note that no row before this one
/// stands for. So a list that is given again books nothing twice, and a second payment of the same
/// amount, named the same, is not taken for the first.
///
/// # Errors
/// The state cannot be read or written.
pub fn recover_once(
    config: &Config,
    store: &Store,
    trip: i64,
    (amount, by, note): (Option<Money>, &str, &str),
    answered: &mut Answered,
    now: Timestamp,
) -> Result<Ruled, RunError> {
    let first = |history: &History, answered: &Answered| {
        let mut done = history.debt_done().iter();
        let same = |done: &&DebtDone| is_recovery(done, amount, by, note);
        let place = done.find(|done| same(done) && !answered.contains(&(trip, done.step)));
        place.map(|done| (trip, done.step))
    };
    // Asked for each time that the history is read: the same list may be given twice at once.
    let written = write(config, store, trip, now, &|history| {
        if first(history, answered).is_some() {
            return Err(Ruled::Before);
        }
        let amount = came(amount, history.balances());
        recover_debt(history, amount, (by, note), now).map_err(Ruled::Refused)
    })?;
    let ruled = match written {
        Ok(_) => Ruled::Taken,
        Err(ruled) => ruled,
    };
    if !matches!(ruled, Ruled::Refused(_)) {
        let stands = first(&History::replay(&store.events(trip)?)?, answered);
        answered.extend(stands);
    }
    Ok(ruled)
}

/// True for a recovery that stands, of this amount (of any, if none is given), with these words.
fn is_recovery(done: &DebtDone, amount: Option<Money>, by: &str, note: &str) -> bool {
    match done.ruling.act {
        DebtAct::Recovered { amount: before } => {
            let same = done.ruling.by == by && done.ruling.note == note;
            same && !done.taken_back && amount.is_none_or(|amount| amount == before)
        }
        DebtAct::WrittenOff { .. } | DebtAct::TakenBack { .. } | DebtAct::Reversed { .. } => false,
    }
}

/// One debt as a list tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DebtLine {
    /// `STORE/TRIP_ID`.
    pub trip: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// Where the trip stands.
    pub outcome: Status,
    /// Why it was booked.
    pub reason: LossReason,
    /// When.
    pub booked_on: BooksDate,
    /// Days since then.
    pub days: i64,
    /// The bucket of the days.
    pub age: DebtAge,
    /// What was booked and not reversed.
    pub bad_debt: String,
    /// What came of it later.
    pub recovered: String,
    /// What was given up of it.
    pub written_off: String,
    /// What stands open.
    pub open: String,
}

/// Open debts of a store, currency and age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DebtAgeLine {
    /// The store.
    pub store_id: StoreId,
    /// The currency.
    pub currency: Currency,
    /// The bucket.
    pub age: DebtAge,
    /// How many trips.
    pub trips: u64,
    /// The open debt.
    pub open: String,
}

/// The debts that stand, and how old they are.
#[derive(Debug, Serialize)]
pub struct DebtList {
    /// The version of this shape.
    pub schema: &'static str,
    /// The books date in force: ages count up to it.
    pub books_date: BooksDate,
    /// By store, currency and age.
    pub ageing: Vec<DebtAgeLine>,
    /// By store and trip.
    pub debts: Vec<DebtLine>,
}

/// The debts of one store or of all; with `settled` those too of which nothing is open any more.
///
/// # Errors
/// The state cannot be read.
pub fn list_debts(
    config: &Config,
    store: &Store,
    of_store: Option<&StoreId>,
    settled: bool,
    now: Timestamp,
) -> Result<DebtList, RunError> {
    let date = books_date(&config.company, now, store.closed_days()?.last_closed);
    let (mut ageing, mut debts) = (Ageing::default(), Vec::new());
    store.each_debt::<RunError>(settled, &mut |trip| {
        if of_store.is_some_and(|wanted| *wanted != trip.key.store) {
            return Ok(());
        }
        if trip.balances.debt() > 0 {
            let debt = Money::of_minor(trip.balances.debt(), trip.balances.currency);
            ageing.add(&trip.key.store, debt, 1, trip.since, date)?;
        }
        debts.push(line(&trip, date));
        Ok(())
    })?;
    let of_age =
        |(store, currency, age, sum): (&StoreId, Currency, DebtAge, DebtSum)| DebtAgeLine {
            store_id: store.clone(),
            currency,
            age,
            trips: sum.trips,
            open: Money::of_minor(sum.minor, currency).decimal_text(),
        };
    Ok(DebtList {
        schema: "tripsettle.debts/1",
        books_date: date,
        ageing: ageing.sums().map(of_age).collect(),
        debts,
    })
}

fn line(trip: &IndebtedTrip, date: BooksDate) -> DebtLine {
    let balances = &trip.balances;
    let text = |minor| Money::of_minor(minor, balances.currency).decimal_text();
    let days = date.days_since(trip.since);
    DebtLine {
        trip: trip.key.to_string(),
        currency: balances.currency,
        outcome: trip.status,
        reason: trip.reason,
        booked_on: trip.since,
        days,
        age: DebtAge::of_days(days),
        bad_debt: text(balances.bad_debt),
        recovered: text(balances.recovered),
        written_off: text(balances.written_off),
        open: text(balances.debt()),
    }
}

/// Writes off what the configuration calls too small to be asked for, on `date`. What a person took
/// back is left to people.
///
/// # Errors
/// The state cannot be read or written, or the journal breaks the law.
pub async fn write_off_small<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Pass,
    date: BooksDate,
) -> Result<(), RunError> {
    if house.config.debt.write_off_up_to.is_empty() {
        return Ok(());
    }
    for _ in 0..ROUNDS {
        let mut small = Vec::new();
        house.store.each_debt::<RunError>(false, &mut |trip| {
            small.extend(written_off(house, pass, &trip, date)?);
            Ok(())
        })?;
        if small.is_empty() {
            return Ok(());
        }
        append(house, small).await?;
    }
    Ok(())
}

fn written_off<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: &IndebtedTrip,
    date: BooksDate,
) -> Result<Option<Append>, RunError> {
    let (config, currency) = (&house.config.debt, trip.balances.currency);
    let days = date.days_since(trip.since);
    let limit = config.write_off_up_to.get(&currency);
    let limit = limit.filter(|limit| trip.balances.debt() <= limit.minor());
    let Some(limit) = limit.filter(|_| days >= config.write_off_after_days) else {
        return Ok(None);
    };
    let mut draft = Draft::after(trip.id, &house.store.events(trip.id)?)?;
    let history = draft.history();
    let amount = Money::of_minor(history.balances().debt(), currency);
    // Somebody wrote to it meanwhile: the next round knows better.
    let still = amount.is_positive() && amount.minor() <= limit.minor();
    if !still || !history.may_be_written_off_alone() {
        return Ok(None);
    }
    let note = format!("at most {limit}, and {days} days old");
    let fact = Fact::Debt {
        ruling: DebtRuling {
            act: DebtAct::WrittenOff { amount },
            by: NOBODY.to_owned(),
            note,
        },
    };
    draft.add(house.clock.now(), fact)?;
    Ok(Some(draft.append(date, Some(&pass.run))))
}

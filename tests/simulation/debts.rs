//! People who settle bad debts, and a ledger of debts that is read off the journal alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use tripsettle::domain::ReversedInto;
use tripsettle::run::debt::DebtWish;

use super::ledger::text_of;
use super::published::{Edition, amount};
use super::witness::{DebtEvent, Entry};
use super::world::World;

/// A debt as the journal's events make it.
#[derive(Debug, Default, Clone)]
pub struct Owed {
    pub currency: String,
    /// Booked, and not reversed.
    pub booked: i64,
    pub recovered: i64,
    pub written_off: i64,
    /// Recoveries and write-offs that stand: step, amount, and which.
    pub stands: BTreeMap<i64, (i64, bool)>,
    /// Reversals that stand.
    reversed: BTreeMap<i64, i64>,
    /// Ever reversed because it had been captured.
    captured: i64,
}

impl Owed {
    pub fn open(&self) -> i64 {
        self.booked - self.recovered - self.written_off
    }

    /// Booked, also if somebody said that it was never owed.
    fn lost(&self) -> i64 {
        self.booked + self.reversed.values().sum::<i64>()
    }

    /// Takes an event; gives what it did to the open debt.
    fn hear(&mut self, event: &Entry) -> i64 {
        let before = self.open();
        let minor = |value: &Value| value["amount"]["minor"].as_i64().unwrap();
        let act = &event.detail["ruling"]["act"];
        match (event.kind.as_str(), event.verdict.as_deref()) {
            ("lost", _) => self.booked += minor(&event.detail),
            ("found_captured", _) => {
                self.booked -= minor(&event.detail);
                self.captured += minor(&event.detail);
            }
            (_, Some("reversed")) => {
                self.booked -= minor(act);
                self.reversed.insert(event.step, minor(act));
                if act["into"] == "captured" {
                    self.captured += minor(act);
                }
            }
            (_, Some("recovered")) => {
                self.recovered += minor(act);
                self.stands.insert(event.step, (minor(act), true));
            }
            (_, Some("written_off")) => {
                self.written_off += minor(act);
                self.stands.insert(event.step, (minor(act), false));
            }
            (_, _) => {
                let step = act["step"].as_i64().unwrap();
                match self.stands.remove(&step) {
                    Some((minor, true)) => self.recovered -= minor,
                    Some((minor, false)) => self.written_off -= minor,
                    None => match self.reversed.remove(&step) {
                        Some(minor) => self.booked += minor,
                        None => panic!("step {step} is taken back and does not stand"),
                    },
                }
            }
        }
        self.open() - before
    }
}

/// Every debt by the trip's name, from the events up to a books date.
pub fn owed(events: &[DebtEvent], until: &str) -> BTreeMap<String, Owed> {
    let mut all: BTreeMap<String, Owed> = BTreeMap::new();
    for (name, currency, event) in events {
        if event.books_date.as_str() <= until {
            let one = all.entry(name.clone()).or_default();
            one.currency.clone_from(currency);
            one.hear(event);
        }
    }
    all
}

/// The open debts by store and currency.
pub fn sums(owed: &BTreeMap<String, Owed>) -> BTreeMap<(String, String), i64> {
    let mut sums = BTreeMap::new();
    for (name, debt) in owed {
        let store = name.split_once('/').unwrap().0.to_owned();
        *sums.entry((store, debt.currency.clone())).or_default() += debt.open();
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// The next morning: some debts are paid, given up, corrected; a report tells of others.
pub fn settle(world: &mut World) {
    let mut report = String::new();
    for (name, debt) in owed(&world.witness().debt_events(), "9999") {
        if world.debts.percent(85) {
            continue;
        }
        let (open, note) = (
            debt.open(),
            format!("number {}", world.debts.below(1_000_000)),
        );
        let account = world.service.counter.lock().unwrap().ledger.accounts[&name].clone();
        // A line that shows the money waits for a day to be closed: nobody asks her for it.
        let told = world.retailer.sales[&name].elsewhere.is_some();
        if account.elsewhere.is_some() && !told && debt.captured == 0 {
            continue;
        }
        let some = world.debts.between(1, open.max(1));
        let amount = Some(world.money(&debt.currency, some));
        let unpaid = account.taken() == 0 && account.elsewhere.is_none();
        let untouched = unpaid && !account.forgiven;
        let wish = match world.debts.below(12) {
            0..4 => DebtWish::Recover(amount),
            4 => DebtWish::Recover(None),
            5 => DebtWish::WriteOff,
            6 | 7 => {
                // Any that stands, not only the last.
                let steps: Vec<i64> = debt.stands.keys().copied().collect();
                if steps.is_empty() {
                    continue;
                }
                DebtWish::TakeBack(u32::try_from(world.debts.pick(&steps)).unwrap())
            }
            8 if untouched => DebtWish::Reverse(amount, ReversedInto::Cancelled),
            9 if untouched => DebtWish::Reverse(amount, ReversedInto::Captured),
            // She owed it after all.
            8 | 9 if unpaid && !debt.reversed.is_empty() => {
                let step = *debt.reversed.keys().last().unwrap();
                DebtWish::TakeBack(u32::try_from(step).unwrap())
            }
            // The money was taken by another hand, and nobody had told.
            10 if unpaid && debt.lost() > debt.recovered => {
                let taken = world.debts.between(1, debt.lost() - debt.recovered);
                change(world, &name, |account| account.elsewhere = Some(taken));
                let (trip, digits) = (name.split_once('/').unwrap().1, account.digits);
                let (paid, code) = (text_of(taken, digits), &debt.currency);
                writeln!(report, "{trip},,{paid},{code},,found-{trip}").unwrap();
                continue;
            }
            _ => DebtWish::Recover(Some(world.money(&debt.currency, open + 1))),
        };
        let taken = world.settle_debt(&name, wish, &note);
        // What was written off may still be paid.
        let most = open + debt.written_off;
        let above = matches!(wish, DebtWish::Recover(Some(paid)) if paid.minor() > most);
        assert!(!(taken && above), "{name}: {wish:?} of {most} was taken");
        match wish {
            DebtWish::Reverse(_, ReversedInto::Cancelled) if taken => {
                change(world, &name, |account| account.forgiven = true);
            }
            DebtWish::Reverse(_, ReversedInto::Captured) if taken => {
                change(world, &name, |account| account.elsewhere = Some(some));
            }
            DebtWish::TakeBack(step) if taken && debt.reversed.contains_key(&i64::from(step)) => {
                change(world, &name, |account| account.forgiven = false);
            }
            DebtWish::Reverse(..)
            | DebtWish::Recover(_)
            | DebtWish::WriteOff
            | DebtWish::TakeBack(_) => {}
        }
    }
    if !report.is_empty() {
        world.reports += 1;
        let file = world.path(&format!("reports/{:04}.csv", world.reports));
        let header = "shopping_trip_id,reconciliation_id,amount,currency,date,reference";
        std::fs::write(file, format!("{header}\n{report}")).unwrap();
    }
}

fn change(world: &World, name: &str, change: impl FnOnce(&mut super::ledger::Account)) {
    let mut counter = world.service.counter.lock().unwrap();
    change(counter.ledger.accounts.get_mut(name).unwrap());
}

/// That a day's ledger opens as the one before closed, and closes with what the journal says.
pub fn chains(
    before: &BTreeMap<(String, String), i64>,
    day: &Edition,
    owed: &BTreeMap<(String, String), i64>,
) -> Result<BTreeMap<(String, String), i64>, String> {
    let mut closing = BTreeMap::new();
    for row in &day.debt_days {
        let key = (row["store_id"].clone(), row["currency"].clone());
        let of = |column: &str| amount(row, column);
        if before.get(&key).copied().unwrap_or(0) != of("opening")? {
            return Err(format!("does not open as the day before closed: {row:?}"));
        }
        let gone = of("reversed")? + of("recovered")? + of("written_off")?;
        if of("opening")? + of("new")? - gone != of("closing")? {
            return Err(format!("does not add up: {row:?}"));
        }
        let mut balance = of("opening")?;
        let here =
            |debt: &&super::published::Row| debt["store_id"] == key.0 && debt["currency"] == key.1;
        for debt in day.debts.iter().filter(here) {
            let sign = if debt["kind"] == "new" { 1 } else { -1 };
            balance += sign * amount(debt, "amount")?;
            if balance < 0 || balance != amount(debt, "balance")? {
                return Err(format!("the balance should be {balance}: {debt:?}"));
            }
        }
        if balance != of("closing")? {
            return Err(format!("the entries end with {balance}: {row:?}"));
        }
        if balance != 0 {
            closing.insert(key, balance);
        }
    }
    let missing = before.keys().find(|key| {
        let told =
            |row: &super::published::Row| row["store_id"] == key.0 && row["currency"] == key.1;
        !day.debt_days.iter().any(told)
    });
    if let Some(key) = missing {
        return Err(format!("{}: nothing is told of {key:?}", day.date));
    }
    match closing == *owed {
        true => Ok(closing),
        false => Err(format!(
            "{}: {closing:?}, by the journal {owed:?}",
            day.date
        )),
    }
}

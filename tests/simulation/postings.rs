//! The postings of all nights, as an auditor reads them: from the published files alone, beside the
//! control equation, and beside the journal as SQL sees it.

use std::collections::{BTreeMap, BTreeSet};

use super::debts;
use super::published::{Edition, Row, amount, name};
use super::world::World;

/// By store and currency, in minor units.
type Sums = BTreeMap<(String, String), i64>;

/// Every posting stands in exactly one day, numbered without gaps, balanced; clearing is credited
/// with what the control equation says, and the receivables stand at what is owed; what is taken
/// back is the opposite of what was posted, and each trip's accounts are what the journal says.
/// Gives the kinds of entries that there are.
pub fn agree(world: &World, all: &[&Edition]) -> Result<BTreeSet<String>, String> {
    let post_sales = world.config().exports.rules.post_sales;
    let mut first: BTreeMap<&str, &Edition> = BTreeMap::new();
    for edition in all {
        let before = first.entry(&edition.date).or_insert(edition);
        if before.postings != edition.postings {
            return Err(format!(
                "{} e{} has other postings",
                edition.date, edition.number
            ));
        }
    }
    let (mut booked, mut receivables) = (BTreeMap::new(), Sums::new());
    for day in first.values() {
        let of_day = |why: String| format!("{}: {why}", day.date);
        numbered(day).map_err(of_day)?;
        balanced(day).map_err(of_day)?;
        corrected(day, &mut booked).map_err(of_day)?;
        let moved = moved(day, "Assets:Receivable:Shoppers")?;
        moved
            .into_iter()
            .for_each(|(key, minor)| *receivables.entry(key).or_default() += minor);
        receivables.retain(|_, minor| *minor != 0);
        let (clearing, closing) = told(day, post_sales)?;
        if self::moved(day, "Assets:Clearing:Card")? != clearing {
            return Err(of_day(
                "clearing is not what the control equation says".to_owned(),
            ));
        }
        if receivables != closing {
            return Err(of_day(format!(
                "the ledger closes with {closing:?}, not {receivables:?}"
            )));
        }
    }
    let rows: Vec<&Row> = first.values().flat_map(|day| &day.postings).collect();
    taken_back(&rows)?;
    let kinds = rows
        .iter()
        .map(|row| format!("posted: {}", row["kind"]))
        .collect();
    let Some((last, _)) = first.pop_last() else {
        return Ok(kinds);
    };
    of_trips(&rows, &debts::owed(&world.witness().debt_events(), last))?;
    let owed = world.witness().owed(last);
    if receivables != owed {
        return Err(format!(
            "the journal says {owed:?} is owed, the books say {receivables:?}"
        ));
    }
    Ok(kinds)
}

fn signed(row: &Row) -> Result<i64, String> {
    let side = |column: &str| match row[column].as_str() {
        "" => Ok(0),
        _ => amount(row, column),
    };
    Ok(side("debit")? - side("credit")?)
}

/// `JE-<date>-000001` and on, each in one piece.
fn numbered(day: &Edition) -> Result<(), String> {
    let mut number = 0;
    let mut last = String::new();
    for row in &day.postings {
        if row["entry_id"] != last {
            number += 1;
            last.clone_from(&row["entry_id"]);
        }
        let expected = format!("JE-{}-{number:06}", day.date.replace('-', ""));
        if last != expected || row["books_date"] != day.date {
            return Err(format!("{expected} is {row:?}"));
        }
    }
    Ok(())
}

fn balanced(day: &Edition) -> Result<(), String> {
    let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in &day.postings {
        *sums
            .entry((&row["entry_id"], &row["currency"]))
            .or_default() += signed(row)?;
    }
    match sums.iter().find(|(_, sum)| **sum != 0) {
        Some((entry, sum)) => Err(format!("{entry:?} is off by {sum}")),
        None => Ok(()),
    }
}

/// A correction names what was booked of the same trip before it, and none twice.
fn corrected(day: &Edition, booked: &mut BTreeMap<String, String>) -> Result<(), String> {
    let mut reversed = BTreeSet::new();
    for row in &day.postings {
        let kind = row["kind"].as_str();
        if ["bad_debt", "recovery", "write_off", "reversal"].contains(&kind) {
            booked.insert(row["entry_id"].clone(), name(row));
        }
        let corrects = &row["corrects"];
        let is_correction = ["reversal", "taken_back", "reversal_taken_back"].contains(&kind);
        if is_correction && corrects.is_empty() {
            return Err(format!("a reversal of nothing: {row:?}"));
        }
        if !corrects.is_empty() && booked.get(corrects) != Some(&name(row)) {
            return Err(format!("it corrects what was never booked: {row:?}"));
        }
        let again = !reversed.insert((row["entry_id"].clone(), row["line"].clone()));
        if again {
            return Err(format!("twice: {row:?}"));
        }
    }
    Ok(())
}

/// What the day did to the accounts that begin so.
fn moved(day: &Edition, account: &str) -> Result<Sums, String> {
    let mut sums = Sums::new();
    for row in day
        .postings
        .iter()
        .filter(|row| row["account"].starts_with(account))
    {
        let key = (row["store_id"].clone(), row["currency"].clone());
        *sums.entry(key).or_default() += signed(row)?;
    }
    sums.retain(|_, minor| *minor != 0);
    Ok(sums)
}

/// What is taken back has the accounts and amounts of what it names, on the other side.
fn taken_back(rows: &[&Row]) -> Result<(), String> {
    let mut entries: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for row in rows {
        let entry = entries.entry(&row["entry_id"]).or_default();
        *entry.entry(&row["account"]).or_default() += signed(row)?;
    }
    for row in rows.iter().filter(|row| row["kind"] == "taken_back") {
        let [back, booked] = ["entry_id", "corrects"].map(|column| &entries[row[column].as_str()]);
        let opposite: BTreeMap<&str, i64> =
            booked.iter().map(|(name, sum)| (*name, -sum)).collect();
        if *back != opposite {
            return Err(format!("{back:?} takes back {booked:?}: {row:?}"));
        }
    }
    Ok(())
}

/// What of each trip stands on the accounts of its debt is what the journal says of it, and a sale
/// that was cancelled leaves no tax behind.
fn of_trips(rows: &[&Row], owed: &BTreeMap<String, debts::Owed>) -> Result<(), String> {
    let mut trips: BTreeMap<String, BTreeMap<&str, i64>> = BTreeMap::new();
    for row in rows {
        let (kind, account) = (row["kind"].as_str(), row["account"].as_str());
        let part = match (account, kind) {
            ("Liabilities:Sales-Tax", "sale" | "cancellation" | "reversal_taken_back") => {
                "tax of the sale"
            }
            ("Assets:Clearing:Card", "sale" | "cancellation") => "the sale",
            ("Income:Sales", _) => "sold here",
            ("Assets:Clearing:Card" | "Assets:Receivable:Processor", _) => continue,
            // The sale stands again: of it and the debt nothing is left on clearing to see.
            ("Income:Sales-Cancelled", "reversal_taken_back") => {
                let trip = trips.entry(name(row)).or_default();
                *trip.entry("the sale").or_default() -= signed(row)?;
                continue;
            }
            ("Income:Sales-Cancelled", _) => continue,
            ("Assets:Receivable:Shoppers" | "Assets:Receivable:Shoppers-Tax", _) => "owed",
            ("Assets:Clearing:Recoveries", _) => "recovered",
            // What was lost, with the tax that was relieved of it.
            _ => "written off",
        };
        let trip = trips.entry(name(row)).or_default();
        if (part, kind) == ("tax of the sale", "reversal_taken_back") {
            *trip.entry("the sale").or_default() -= signed(row)?;
        }
        *trip.entry(part).or_default() += signed(row)?;
        *trip.entry(account).or_default() += signed(row)?;
    }
    for (name, stands) in &trips {
        let of = |part: &str| stands.get(part).copied().unwrap_or(0);
        let debt = owed.get(name).cloned().unwrap_or_default();
        let told = [debt.open(), debt.recovered, debt.written_off];
        let wrong = ["owed", "recovered", "written off"].map(of) != told;
        // Nothing may hide in two accounts that cancel out.
        let lost = ["Expenses:Bad-Debt", "Assets:Receivable:Allowance"].map(of);
        let lasts = debt.written_off == 0 && lost != [0, 0];
        let unpaid = debt.open() == 0 && of("Assets:Receivable:Shoppers-Tax") != 0;
        let taxed = of("sold here") != 0 && of("the sale") == 0;
        if wrong || lasts || unpaid || taxed && of("tax of the sale") != 0 {
            return Err(format!("{name}: {stands:?}, by the journal {debt:?}"));
        }
    }
    Ok(())
}

/// What clearing should have moved by, and what the bad-debt ledger closes with.
fn told(day: &Edition, post_sales: bool) -> Result<(Sums, Sums), String> {
    let (mut clearing, mut closing) = (Sums::new(), Sums::new());
    let parts = |name: &str| day.summary[name].as_array().cloned().unwrap_or_default();
    let went = ["captured", "bad_debt", "cancelled"].map(|term| (term, -1));
    let came = ["new", "amended"].map(|term| (term, i64::from(post_sales)));
    let control = [&went[..], &came[..]].concat();
    for (section, terms, sums) in [
        ("control", &control[..], &mut clearing),
        ("bad_debt", &[("closing", 1)], &mut closing),
    ] {
        for part in parts(section) {
            let word = |column: &str| part[column].as_str().unwrap_or("?").to_owned();
            let key = (word("store_id"), word("currency"));
            for (term, sign) in terms {
                let row: Row = ["currency", term]
                    .map(|column| (column.to_owned(), word(column)))
                    .into_iter()
                    .collect();
                *sums.entry(key.clone()).or_default() += sign * amount(&row, term)?;
            }
        }
        sums.retain(|_, minor| *minor != 0);
    }
    Ok((clearing, closing))
}

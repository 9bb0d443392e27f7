//! The postings of all nights, as an auditor reads them: from the published files alone, beside the
//! control equation, and beside the journal as SQL sees it.

use std::collections::{BTreeMap, BTreeSet};

use super::published::{Edition, Row, amount, editions, name};
use super::world::World;

/// By store and currency, in minor units.
type Sums = BTreeMap<(String, String), i64>;

/// Every posting stands in exactly one day, numbered without gaps, balanced; clearing is credited
/// with what the control equation says, and the receivables stand at what is owed. Gives the kinds
/// of entries that there are.
pub fn agree(world: &World) -> Result<BTreeSet<String>, String> {
    let all = editions(&world.path("out"), "");
    let mut first: BTreeMap<&str, &Edition> = BTreeMap::new();
    for edition in &all {
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
        let (clearing, closing) = told(day)?;
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
    let rows = first.values().flat_map(|day| &day.postings);
    let kinds = rows.map(|row| format!("posted: {}", row["kind"])).collect();
    let Some((last, _)) = first.pop_last() else {
        return Ok(kinds);
    };
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
        if ["bad_debt", "recovery", "write_off"].contains(&row["kind"].as_str()) {
            booked.insert(row["entry_id"].clone(), name(row));
        }
        let corrects = &row["corrects"];
        if ["reversal", "taken_back"].contains(&row["kind"].as_str()) && corrects.is_empty() {
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

/// What clearing should have moved by, and what the bad-debt ledger closes with.
fn told(day: &Edition) -> Result<(Sums, Sums), String> {
    let (mut clearing, mut closing) = (Sums::new(), Sums::new());
    let parts = |name: &str| day.summary[name].as_array().cloned().unwrap_or_default();
    for (section, terms, sums) in [
        (
            "control",
            &["captured", "bad_debt", "cancelled"][..],
            &mut clearing,
        ),
        ("bad_debt", &["closing"][..], &mut closing),
    ] {
        let sign = if section == "control" { -1 } else { 1 };
        for part in parts(section) {
            let word = |column: &str| part[column].as_str().unwrap_or("?").to_owned();
            let key = (word("store_id"), word("currency"));
            for term in terms {
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

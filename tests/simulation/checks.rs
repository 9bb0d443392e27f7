//! The checkers: journal and files against the payment service's own ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::debts::{chains, owed, sums};
use super::journal::{self, Known};
use super::ledger::{CANARIES, Ledger};
use super::plan::{HOUR, MINUTE, Plan};
use super::published::{self, Edition, Files, amount, fingerprints, name};
use super::retailer::{Elsewhere, Sale};
use super::witness::{Entry, Row, Witness};
use super::world::World;

/// What the checkers remember from night to night.
#[derive(Debug, Default)]
pub struct Memory {
    /// What is published, as it was when it was last looked at.
    pub files: Files,
    /// When runs began that nothing disturbed.
    pub good_runs: Vec<i64>,
    /// What the journal told of a trip when it had so many steps.
    pub read: BTreeMap<i64, (i64, Known)>,
    /// When a trip was first seen in the database.
    first_seen: BTreeMap<String, i64>,
    /// Trips whose token died, and that were looked at.
    mourned: BTreeSet<i64>,
    /// Trips that were ever seen in doubt.
    pub doubts: BTreeSet<String>,
}

const STATUSES: [&str; 8] = [
    "captured",
    "captured_partial",
    "cancelled",
    "written_off",
    "expired",
    "refused",
    "in_doubt",
    "open",
];

/// Everything that must hold whenever no process lives.
pub fn always(world: &World, memory: &mut Memory) -> Result<(), String> {
    let counter = world.service.counter.lock().unwrap();
    if let Some(broken) = counter.ledger.broken.first() {
        return Err(broken.clone());
    }
    let witness = world.witness();
    let rows = witness.trips();
    for row in &rows {
        let known = world.retailer.sales.get(&row.name);
        let sale = known.ok_or_else(|| format!("{}: nobody sold that", row.name))?;
        trip(row, sale, &counter.ledger).map_err(|why| format!("{why}: {row:?}"))?;
        let now = world.time.now();
        memory.first_seen.entry(row.name.clone()).or_insert(now);
        if row.in_doubt > 0 {
            memory.doubts.insert(row.name.clone());
        }
        let account = &counter.ledger.accounts[&row.name];
        if !account.captures.is_empty() && row.captured == 0 && row.in_doubt == 0 {
            return Err(format!("a capture that the books do not know: {row:?}"));
        }
        if memory
            .read
            .get(&row.id)
            .is_none_or(|(steps, _)| *steps != row.steps)
        {
            let events = witness.events(row.id);
            let known = journal::lawful(row, &events, world.plan.data_proves)?;
            memory.read.insert(row.id, (row.steps, known));
        }
        let doubt = memory.read[&row.id].1.doubt;
        if doubt != (row.in_doubt > 0) || doubt != (row.status == "in_doubt") {
            return Err(format!("a doubt appeared or vanished: {row:?}"));
        }
    }
    let lost = |wanted: &&Row| wanted.status == "expired";
    for row in rows.iter().filter(lost) {
        if world.plan.nothing_dies {
            return Err(format!("a token died: {row:?}"));
        }
        if memory.mourned.insert(row.id) {
            died(row, world, memory, &witness)?;
        }
    }
    Ok(())
}

/// One trip's row against the ledger.
fn trip(row: &Row, sale: &Sale, ledger: &Ledger) -> Result<(), String> {
    let parts = [
        row.captured,
        row.bad_debt,
        row.cancelled,
        row.in_doubt,
        row.open,
    ];
    let sum: i64 = parts.iter().sum();
    let wrong = |what: &str| Err(what.to_owned());
    if sum != row.cart_total || parts.iter().any(|part| *part < 0) {
        return wrong("the parts do not make up the cart");
    }
    if !STATUSES.contains(&row.status.as_str()) {
        return wrong("no status");
    }
    let account = &ledger.accounts[&row.name];
    let above = matches!(sale.elsewhere, Some(Elsewhere::Captured(minor)) if minor > sale.total)
        || account.elsewhere.is_some();
    if !sale.given.contains(&row.cart_total) && !above {
        return wrong("a cart total that no file gave");
    }
    let act_by = row
        .act_by
        .is_none_or(|act_by| act_by == sale.dies_at - 2 * HOUR);
    if row.started_at != sale.started_at || row.expires_at != sale.dies_at || !act_by {
        return wrong("its times are wrong");
    }
    if account.captures.len() > 1 {
        return wrong("captured twice");
    }
    let taken = account.taken();
    if taken > row.cart_total {
        return wrong("captured more than the cart");
    }
    let elsewhere = account.elsewhere.unwrap_or(0);
    if row.captured > 0 && row.captured != taken && row.captured != elsewhere {
        return wrong("booked as captured, but the ledger says otherwise");
    }
    if row.bad_debt > row.cart_total - taken {
        return wrong("bad debt that was captured");
    }
    if row.in_doubt > 0 && taken > 0 && row.in_doubt + row.open < taken {
        return wrong("a doubt about less than was captured");
    }
    if row.cancelled > 0 && !account.cancelled && !account.forgiven {
        return wrong("cancelled, but nobody did");
    }
    Ok(())
}

/// A token that is dead: nobody could have saved it, or somebody owned to it.
fn died(row: &Row, world: &World, memory: &Memory, witness: &Witness) -> Result<(), String> {
    let sale = &world.retailer.sales[&row.name];
    let events = witness.events(row.id);
    let reason = events.iter().rev().find(|event| event.kind == "lost");
    let reason = reason.map(|event| event.detail["reason"].to_string());
    let reason = reason.unwrap_or_default();
    if reason.contains("refused") || reason.contains("pending_at_expiry") {
        return Ok(());
    }
    // A person may have put it back too late, it was refused, or the service did not decide.
    let parked = events.iter().any(|event| {
        let reply = event.detail["reply"]["reply"].as_str();
        event.kind == "ruled" || reply == Some("refused") || reply == Some("pending")
    });
    let here = match was_refused(witness, sale) {
        true => memory.first_seen[&row.name],
        false => sale.available_at.unwrap_or(i64::MAX),
    };
    let from = here.max(sale.dies_at - 24 * HOUR);
    let until = sale.dies_at - HOUR;
    let saved = memory
        .good_runs
        .iter()
        .find(|at| (from..until).contains(at));
    match saved {
        Some(at) if !parked => Err(format!("a run at {at} could have saved {row:?}")),
        Some(_) | None => Ok(()),
    }
}

/// True when a row of the trip was refused, since a clock was wrong.
fn was_refused(witness: &Witness, sale: &Sale) -> bool {
    let id = format!("{},{},", sale.store, sale.id);
    let refused = |(raw, field): &(String, Option<String>)| {
        raw.contains(&id) && field.as_deref() == Some("started_at")
    };
    witness.rejected().iter().any(refused)
}

/// Published files never change and never go away; each edition that stands there was committed.
pub fn unchanged(world: &World, memory: &mut Memory) -> Result<(), String> {
    let now = fingerprints(&world.path("out"));
    for (path, hash) in &memory.files {
        match now.get(path) {
            Some(same) if same == hash => {}
            Some(_) => return Err(format!("{} was written again", path.display())),
            None => return Err(format!("{} is gone", path.display())),
        }
    }
    let closes = world.witness().closes();
    for (path, hash) in &now {
        let edition = path.parent().unwrap().display().to_string();
        let is_manifest = path.ends_with("manifest.json");
        match closes.get(&edition) {
            None => return Err(format!("{edition} stands there, but was never closed")),
            Some(sha256) if is_manifest && *sha256 != hex(hash) => {
                return Err(format!("{edition} has another manifest"));
            }
            Some(_) => {}
        }
    }
    memory.files = now;
    Ok(())
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// True for a trip that the next planned run cannot wait for, by the retailer's own reckoning.
pub fn is_due(plan: &Plan, sale: &Sale, at: i64) -> bool {
    let (act_by, next_run) = (sale.dies_at - 2 * HOUR, plan.next_run(at));
    let grown = sale.started_at + 60 * MINUTE <= at;
    act_by <= next_run + 20 * HOUR && (grown || act_by < next_run)
}

/// After a run that nothing disturbed no trip that was due is left open, unless the service itself
/// has not decided.
pub fn nothing_left_behind(world: &World, began: i64) -> Result<(), String> {
    let counter = world.service.counter.lock().unwrap();
    let witness = world.witness();
    let rows: BTreeMap<String, Row> = witness
        .trips()
        .into_iter()
        .map(|row| (row.name.clone(), row))
        .collect();
    for (name, sale) in &world.retailer.sales {
        let there = sale.available_at.is_some_and(|at| at <= began);
        let Some(row) = rows.get(name) else {
            if there && !was_refused(&witness, sale) {
                return Err(format!("{name} lay in the inbox and was not taken"));
            }
            continue;
        };
        let pending = counter.ledger.accounts[name].pending_asks > 0;
        let is_owed = there && row.status == "open" && is_due(&world.plan, sale, began);
        // PENDING came to an end in this very run, too late for its next round.
        let asked = |event: &Entry| event.detail["reply"]["reply"] == "pending";
        if is_owed && !pending && !witness.events(row.id).iter().rev().take(2).any(asked) {
            return Err(format!("due, and left behind by a good run: {row:?}"));
        }
    }
    Ok(())
}

/// True when another run right now could have money to move.
pub fn has_more_to_do(world: &World) -> bool {
    let now = world.time.now() + HOUR;
    world.witness().trips().iter().any(|row| {
        let sale = &world.retailer.sales[&row.name];
        match row.status.as_str() {
            "open" => is_due(&world.plan, sale, now),
            "written_off" => row.act_by.is_some(),
            "refused" => now >= row.expires_at,
            _ => false,
        }
    })
}

/// What all published days say together, against books and ledger.
pub fn files_agree(world: &World, memory: &Memory, all: &[&Edition]) -> Result<(), String> {
    let mut newest: BTreeMap<&str, &Edition> = BTreeMap::new();
    let mut money: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for edition in all {
        for row in &edition.rows {
            let sums = (
                amount(row, "captured_amount")?,
                amount(row, "bad_debt_amount")?,
            );
            let key = (edition.date.clone(), name(row));
            if edition.number > 1 && money.get(&key) != Some(&sums) {
                return Err(format!("e{} has other money: {row:?}", edition.number));
            }
            money.insert(key, sums);
        }
        newest.insert(&edition.date, edition);
    }
    let days: Vec<&Edition> = newest.into_values().collect();
    control(&days)?;
    let (events, mut debts) = (world.witness().debt_events(), BTreeMap::new());
    for day in &days {
        debts = chains(&debts, day, &sums(&owed(&events, &day.date)))?;
    }
    by_trip(world, memory, &days)
}

/// The control equation of every day, and each day opens as the one before closed.
fn control(days: &[&Edition]) -> Result<(), String> {
    let mut closing: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for day in days {
        let (mut captured, mut lost) = (BTreeMap::new(), BTreeMap::new());
        for row in &day.rows {
            let key = (row["store_id"].clone(), row["currency"].clone());
            *captured.entry(key.clone()).or_insert(0) += amount(row, "captured_amount")?;
            *lost.entry(key).or_insert(0) += amount(row, "bad_debt_amount")?;
        }
        let mut debts: BTreeMap<(String, String), i64> = BTreeMap::new();
        for row in &day.debts {
            // Recoveries and write-offs stay within the ledger.
            let sign = match row["kind"].as_str() {
                "new" => 1,
                "reversal" => -1,
                _ => 0,
            };
            let key = (row["store_id"].clone(), row["currency"].clone());
            *debts.entry(key).or_default() += sign * amount(row, "amount")?;
        }
        let parts = day.summary["control"]
            .as_array()
            .ok_or("no control equation")?;
        for part in parts {
            let word = |column: &str| part[column].as_str().unwrap_or("?").to_owned();
            let row: published::Row = [
                "currency",
                "opening_open",
                "opening_in_doubt",
                "new",
                "amended",
                "captured",
                "bad_debt",
                "cancelled",
                "closing_open",
                "closing_in_doubt",
            ]
            .iter()
            .map(|column| ((*column).to_owned(), word(column)))
            .collect();
            let of = |column: &str| amount(&row, column);
            let key = (word("store_id"), word("currency"));
            let wrong = |what: &str| Err(format!("{}: {what}: {part}", day.date));
            let opening = (of("opening_open")?, of("opening_in_doubt")?);
            if closing.get(&key).copied().unwrap_or_default() != opening {
                return wrong("it does not open as the day before closed");
            }
            let came = opening.0 + opening.1 + of("new")? + of("amended")?;
            let ended = (of("closing_open")?, of("closing_in_doubt")?);
            let went = of("captured")? + of("bad_debt")? + of("cancelled")?;
            if came != went + ended.0 + ended.1 {
                return wrong("the control equation does not hold");
            }
            let rows = |sums: &BTreeMap<_, i64>| sums.get(&key).copied().unwrap_or(0);
            if rows(&captured) != of("captured")? || rows(&lost) != of("bad_debt")? {
                return wrong("the rows add up to something else");
            }
            if rows(&debts) != of("bad_debt")? {
                return wrong("the bad-debt ledger adds up to something else");
            }
            closing.insert(key, ended);
        }
    }
    Ok(())
}

/// Every trip whose events all stand on closed days: the files say what books and ledger say.
fn by_trip(world: &World, memory: &Memory, days: &[&Edition]) -> Result<(), String> {
    let mut told: BTreeMap<String, (i64, i64, String, String)> = BTreeMap::new();
    for day in days {
        for row in &day.rows {
            let one = told.entry(name(row)).or_default();
            one.0 += amount(row, "captured_amount")?;
            one.1 += amount(row, "bad_debt_amount")?;
            one.2.clone_from(&row["outcome"]);
            one.3.clone_from(&row["adjust_calls"]);
        }
    }
    let witness = world.witness();
    let closed = witness.last_closed().unwrap_or_default();
    let counter = world.service.counter.lock().unwrap();
    let (mut files, mut ledger) = (BTreeMap::new(), BTreeMap::new());
    for row in witness
        .trips()
        .iter()
        .filter(|row| row.last_books_date <= closed)
    {
        let Some((captured, lost, outcome, adjusts)) = told.get(&row.name) else {
            return Err(format!("no file tells of {row:?}"));
        };
        if (*captured, *lost) != (row.captured, row.bad_debt) || *outcome != row.status {
            return Err(format!("told {captured}, {lost}, {outcome}: {row:?}"));
        }
        let sent = memory
            .read
            .get(&row.id)
            .map(|(_, known)| known.adjusts.to_string());
        if sent.as_ref() != Some(adjusts) {
            return Err(format!("told {adjusts} adjusts, it were {sent:?}: {row:?}"));
        }
        let account = &counter.ledger.accounts[&row.name];
        let known = row.in_doubt == 0;
        // A word from another hand that a clock in the past made a row of the future was rejected,
        // and the trip waits, refused, for a person.
        let told = |_: &i64| row.captured > 0 || witness.knows_of_elsewhere(&row.name);
        let really = if known {
            account.taken() + account.elsewhere.filter(told).unwrap_or(0)
        } else {
            0
        };
        *files.entry(account.currency).or_insert(0) += captured;
        *ledger.entry(account.currency).or_insert(0) += really;
    }
    if files != ledger {
        return Err(format!("the files say {files:?}, the ledger {ledger:?}"));
    }
    Ok(())
}

/// No byte of what must not be kept, anywhere.
pub fn no_canary(world: &World) -> Result<(), String> {
    let mut dirs = vec![world.dir.path().join("live")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = CANARIES.iter().find(|canary| {
                let canary = canary.as_bytes();
                let first = canary[0];
                let mut places = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
                places.any(|(at, _)| bytes[at..].starts_with(canary))
            });
            if let Some(canary) = found {
                return Err(format!("{canary} stands in {}", path.display()));
            }
        }
    }
    Ok(())
}

/// Phase two is over: everything that can be finished is.
pub fn all_is_finished(world: &World) -> Result<(), String> {
    let rows = world.witness().trips();
    let unfinished = ["open", "in_doubt", "refused"];
    for row in &rows {
        if unfinished.contains(&row.status.as_str()) {
            return Err(format!("never finished: {row:?}"));
        }
    }
    let taken: BTreeMap<_, _> = rows.iter().map(|row| (row.name.clone(), row)).collect();
    for name in world.retailer.sales.keys() {
        if !taken.contains_key(name) {
            return Err(format!("{name} was sold and is nowhere"));
        }
    }
    Ok(())
}

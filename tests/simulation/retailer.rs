//! The retailer: sells, writes trip files (late, twice, with contradictions), amends, and captures
//! or cancels by another hand; the card processor writes reports of what it saw.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};

use super::chance::Chance;
use super::ledger::{Account, Ledger, Name, digits_of, text_of};
use super::plan::{DAY, HOUR, MINUTE, Plan, STORES};

/// A trip as the retailer knows it.
#[derive(Debug, Clone)]
pub struct Sale {
    pub store: &'static str,
    pub id: String,
    pub currency: &'static str,
    pub digits: u32,
    pub started_at: i64,
    pub dies_at: i64,
    pub total: i64,
    /// Every amount that a file gave for it, in the order of the files.
    pub given: Vec<i64>,
    /// Since when a file with it lies in the inbox.
    pub available_at: Option<i64>,
    /// The feed says so from the first.
    pub elsewhere: Option<Elsewhere>,
    /// The processor was told to write its line, or nothing.
    reported: bool,
}

/// What happened by another hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    Captured(i64),
    Cancelled,
}

impl Sale {
    pub fn name(&self) -> Name {
        format!("{}/{}", self.store, self.id)
    }
}

/// A file that will lie in the inbox at some moment.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub at: i64,
    pub file: String,
    pub text: String,
    pub rows: Vec<(Name, i64)>,
    /// A word that must be true when it is given.
    pub word: Option<(Name, Elsewhere)>,
}

/// The retailer's other systems.
#[derive(Debug)]
pub struct Retailer {
    pub sales: BTreeMap<Name, Sale>,
    pub queue: Vec<Delivery>,
    chance: Chance,
    files: u32,
    trips: u32,
}

const HEADER: &str = "store_id,shopping_trip_id,started_at,amount,currency,status,\
                      captured_amount,entry,tax_amount\n";

fn time(ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(ms).unwrap();
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn row(sale: &Sale, total: i64, elsewhere: Option<Elsewhere>) -> String {
    let (status, captured) = match elsewhere {
        None => ("open", String::new()),
        Some(Elsewhere::Captured(minor)) => ("captured", text_of(minor, sale.digits)),
        Some(Elsewhere::Cancelled) => ("cancelled", String::new()),
    };
    let Sale {
        store,
        id,
        currency,
        digits,
        ..
    } = sale;
    let (began, amount) = (time(sale.started_at), text_of(total, *digits));
    // Seven percent upon the net, where the retailer tells it at all.
    let tax = match total % 2 {
        0 => String::new(),
        _ => text_of(total * 7 / 107, *digits),
    };
    format!("{store},{id},{began},{amount},{currency},{status},{captured},FINANCIAL,{tax}\n")
}

impl Retailer {
    pub fn new(chance: Chance) -> Self {
        Self {
            sales: BTreeMap::new(),
            queue: Vec::new(),
            chance,
            files: 0,
            trips: 0,
        }
    }

    /// One day's trips, with the files that tell of them.
    pub fn sell(&mut self, plan: &Plan, ledger: &mut Ledger, day: i64) {
        let count = self.chance.between(0, 2 * plan.trips_a_day);
        let mut sold: Vec<Sale> = (0..count).map(|_| self.trip(plan, ledger, day)).collect();
        sold.sort_by_key(|sale| sale.started_at);
        while !sold.is_empty() {
            let most = if plan.is_timely { 1 } else { 12 };
            let of_file = usize::try_from(self.chance.between(1, most)).unwrap();
            let of_file = of_file.min(sold.len());
            let rest = sold.split_off(of_file);
            self.file_of(plan, &sold);
            sold = rest;
        }
    }

    fn trip(&mut self, plan: &Plan, ledger: &mut Ledger, day: i64) -> Sale {
        let chance = &mut self.chance;
        let (store, currency, _) = chance.pick(&STORES);
        let digits = digits_of(currency).unwrap();
        let started_at = day + chance.between(0, DAY - 1);
        let dies_at = started_at + plan.lifetime_hours(store) * HOUR;
        let total = match chance.below(50) {
            0..3 => 0,
            3 => chance.between(1, 900_000_000_000),
            _ => chance.between(1, 20_000),
        };
        self.trips += 1;
        let id = format!("t{:04}", self.trips);
        let mut sale = Sale {
            store,
            id,
            currency,
            digits,
            started_at,
            dies_at,
            total,
            given: Vec::new(),
            available_at: None,
            elsewhere: None,
            reported: false,
        };
        let mut account = account(&sale);
        account.data_after = chance.pick(&[Some(0), Some(800), Some(4_000), Some(30 * HOUR), None]);
        if chance.percent(plan.odd_percent) {
            oddness(chance, &mut sale, &mut account);
        }
        ledger.accounts.insert(sale.name(), account);
        self.sales.insert(sale.name(), sale.clone());
        sale
    }

    fn name_file(&mut self) -> String {
        self.files += 1;
        format!("{:05}.csv", self.files)
    }

    /// A file of these trips; and now and then another one that repeats it or speaks against it.
    fn file_of(&mut self, plan: &Plan, sold: &[Sale]) {
        let last = sold.iter().map(|sale| sale.started_at).max().unwrap();
        let lateness = [10 * MINUTE, HOUR, 3 * HOUR, 20 * HOUR, 40 * HOUR];
        let late = match plan.is_timely {
            true => HOUR,
            false => self.chance.pick(&lateness),
        };
        let at = last + self.chance.between(MINUTE, late);
        let (mut text, mut rows) = (HEADER.to_owned(), Vec::new());
        for sale in sold {
            text.push_str(&row(sale, sale.total, sale.elsewhere));
            rows.push((sale.name(), sale.total));
            if self.chance.percent(3) {
                // The same trip with another amount, in the same file: the first one counts.
                text.push_str(&row(sale, sale.total + 1, None));
            }
            if self.chance.percent(3) {
                let code = sale.id.replace('t', "s");
                writeln!(
                    text,
                    "BER,{code},{},1.00,EUR,,,SCAN_CODE,",
                    time(sale.started_at)
                )
                .unwrap();
            }
            if self.chance.percent(3) {
                writeln!(text, "BER,bad,{},-1,EUR,open,,", time(sale.started_at)).unwrap();
            }
        }
        let file = self.name_file();
        let delivery = Delivery {
            at,
            file,
            text,
            rows,
            word: None,
        };
        if self.chance.percent(10) {
            let (at, file) = (at + self.chance.between(0, DAY), self.name_file());
            let again = delivery.clone();
            self.queue.push(Delivery { at, file, ..again });
        }
        self.queue.push(delivery);
        for sale in sold.iter().filter(|_| !plan.is_timely) {
            self.afterthoughts(sale, at);
        }
    }

    fn afterthoughts(&mut self, sale: &Sale, at: i64) {
        if sale.elsewhere.is_none() && self.chance.percent(8) {
            let total = match self.chance.below(5) {
                0 => 0,
                _ => self.chance.between(1, 20_000),
            };
            let (at, file) = (at + self.chance.between(0, 30 * HOUR), self.name_file());
            let text = format!("{HEADER}{}", row(sale, total, None));
            let rows = vec![(sale.name(), total)];
            let word = None;
            self.queue.push(Delivery {
                at,
                file,
                text,
                rows,
                word,
            });
        }
        if sale.elsewhere.is_none() && sale.total > 0 && self.chance.percent(4) {
            let what = match self.chance.below(3) {
                0 => Elsewhere::Cancelled,
                1 => Elsewhere::Captured(sale.total),
                _ => Elsewhere::Captured(self.chance.between(1, sale.total)),
            };
            let (at, file) = (at + self.chance.between(HOUR, 40 * HOUR), self.name_file());
            let text = format!("{HEADER}{}", row(sale, sale.total, Some(what)));
            let word = Some((sale.name(), what));
            self.queue.push(Delivery {
                at,
                file,
                text,
                rows: Vec::new(),
                word,
            });
        }
    }

    /// What is delivered up to this moment, in order.
    pub fn due(&mut self, until: i64) -> Vec<Delivery> {
        let (mut due, later) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition::<Vec<_>, _>(|delivery| delivery.at <= until);
        due.sort_by(|a, b| (a.at, &a.file).cmp(&(b.at, &b.file)));
        self.queue = later;
        due
    }

    /// Trips that no file could tell of, once more.
    pub fn again(&mut self, names: &[Name], at: i64) -> Option<Delivery> {
        let sales: Vec<Sale> = names.iter().map(|name| self.sales[name].clone()).collect();
        if sales.is_empty() {
            return None;
        }
        let file = self.name_file();
        // Bytes that were taken before are not looked at twice.
        let mut text = format!("purchase_id,{HEADER}");
        for sale in &sales {
            write!(text, "again-{at},{}", row(sale, sale.total, sale.elsewhere)).unwrap();
        }
        let rows = sales.iter().map(|sale| (sale.name(), sale.total)).collect();
        let word = None;
        Some(Delivery {
            at,
            file,
            text,
            rows,
            word,
        })
    }

    /// The processor's report of one day: true lines, missing ones, doubled and wrong ones.
    pub fn report(&mut self, ledger: &Ledger, all: bool) -> Option<String> {
        let mut lines = String::new();
        for (name, sale) in &mut self.sales {
            let account = &ledger.accounts[name];
            if account.captures.is_empty() || sale.reported {
                continue;
            }
            let fate = if all { 0 } else { self.chance.below(12) };
            // Later, perhaps.
            if fate == 1 {
                continue;
            }
            sale.reported = true;
            let (amount, code) = match fate {
                2 => (account.taken() + 1, sale.currency),
                3 => (account.taken(), "CHF"),
                _ => (account.taken(), sale.currency),
            };
            let digits = digits_of(code).unwrap_or(2);
            let line = format!(
                "{},,{},{code},,ref-{}\n",
                sale.id,
                text_of(amount, digits),
                sale.id
            );
            let by_id = format!("{}-{}", sale.store, sale.id);
            match fate {
                // Never.
                4 => {}
                5 => lines.push_str(&line.repeat(2)),
                6 => {
                    let (amount, id) = (text_of(amount, digits), &sale.id);
                    writeln!(lines, ",R-{by_id},{amount},{code},,ref-{id}").unwrap();
                }
                _ => lines.push_str(&line),
            }
        }
        (!lines.is_empty()).then(|| {
            format!("shopping_trip_id,reconciliation_id,amount,currency,date,reference\n{lines}")
        })
    }
}

fn account(sale: &Sale) -> Account {
    Account {
        currency: sale.currency,
        digits: sale.digits,
        dies_at: sale.dies_at,
        limit: i64::MAX,
        pending_asks: 0,
        refuses: None,
        data_after: Some(0),
        denies_data: false,
        plants: false,
        held: 0,
        told: 0,
        captures: Vec::new(),
        captured_at: 0,
        elsewhere: None,
        cancelled: false,
        cancelled_elsewhere: false,
        forgiven: false,
        calls: 0,
    }
}

/// Gives a trip a story of its own.
fn oddness(chance: &mut Chance, sale: &mut Sale, account: &mut Account) {
    account.plants = chance.percent(30);
    account.denies_data = chance.percent(20);
    if chance.percent(30) {
        account.held = chance.between(0, 20_000);
    }
    match chance.below(9) {
        0 => account.limit = 0,
        1 | 2 => account.limit = chance.between(0, 20_000),
        3 => account.pending_asks = u32::try_from(chance.between(1, 6)).unwrap(),
        4 => account.pending_asks = u32::MAX,
        5 => account.refuses = Some(chance.pick(&["adjust", "capture", "cancel"])),
        6 => {
            let minor = chance.between(1, sale.total.max(1) + 5);
            sale.elsewhere = Some(Elsewhere::Captured(minor));
            account.elsewhere = Some(minor);
        }
        7 => {
            sale.elsewhere = Some(Elsewhere::Cancelled);
            (account.cancelled, account.cancelled_elsewhere) = (true, true);
        }
        _ => {}
    }
}

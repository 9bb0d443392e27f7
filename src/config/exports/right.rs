//! What an export cannot work with: all that is refused before a night begins stands here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::DateTime;

use crate::domain::{
    BookRules, Cell, Chart, CsvTarget, ExportFormat, Exports, Field, Role, WriteOffMethod,
};

use super::super::layers::Place;
use super::super::processors::date_format;
use super::super::reader::Reader;

/// Roles that stand on the two sides of one entry: on one account it would say nothing.
const OPPOSITE: [(Role, &[Role]); 4] = [
    (
        Role::SalesClearing,
        &[
            Role::ProcessorReceivable,
            Role::ShopperReceivable,
            Role::ShopperReceivableTax,
            Role::Sales,
            Role::CancelledSales,
            Role::TaxPayable,
        ],
    ),
    (Role::ShopperReceivable, OF_A_DEBT),
    (Role::ShopperReceivableTax, OF_A_DEBT),
    (
        Role::RecoveryClearing,
        &[Role::BadDebtRecovered, Role::BadDebtAllowance],
    ),
];
/// What a debt is paid or given up with.
const OF_A_DEBT: &[Role] = &[
    Role::RecoveryClearing,
    Role::BadDebtExpense,
    Role::BadDebtAllowance,
    Role::TaxPayable,
];

/// Tells everything that its targets could not work with.
pub(super) fn check(reader: &Reader<'_>, exports: &Exports) {
    let has = |format| exports.formats.contains(&format);
    if has(ExportFormat::Xero) {
        xero(reader, exports);
    }
    if has(ExportFormat::Beancount) {
        beancount(reader, exports);
    }
    if has(ExportFormat::Csv) {
        csv(reader, &exports.csv);
    }
    // What nobody exports keeps no night from being settled.
    if !exports.formats.is_empty() {
        opposite(reader, "books", &exports.chart, exports.rules);
    }
    for (format, name, target) in [
        (ExportFormat::Qbo, "export.qbo", &exports.qbo.target),
        (ExportFormat::Xero, "export.xero", &exports.xero.target),
        (ExportFormat::Netsuite, "export.netsuite", &exports.netsuite),
        (ExportFormat::Csv, "export.csv", &exports.csv.target),
    ] {
        if has(format) {
            opposite(reader, name, &target.chart, exports.rules);
        }
    }
}

/// True for an account that something is posted to under these rules.
fn is_used(role: Role, rules: BookRules) -> bool {
    match role {
        Role::Sales => rules.post_sales,
        Role::BadDebtExpense | Role::BadDebtRecovered => rules.method == WriteOffMethod::Direct,
        Role::BadDebtAllowance => rules.method == WriteOffMethod::Allowance,
        Role::SalesClearing
        | Role::ProcessorReceivable
        | Role::ShopperReceivable
        | Role::ShopperReceivableTax
        | Role::RecoveryClearing
        | Role::TaxPayable
        | Role::CancelledSales => true,
    }
}

/// The most rows that a file of the target takes.
pub(super) fn most_rows(target: &str) -> u64 {
    match target {
        "xero" => 300,
        "netsuite" => 25_000,
        // Nobody has more in one file.
        _ => 10_000_000,
    }
}

/// A format of a date without a time of day, of which no spreadsheet makes a formula.
pub(super) fn date_alone(text: &str) -> Result<String, String> {
    let form = date_format(text)?;
    let (day, mut written) = (DateTime::UNIX_EPOCH.date_naive(), String::new());
    let wrote = write!(written, "{}", day.format(&form)).is_ok();
    match wrote && !is_formula(&written) {
        true => Ok(form),
        false => Err(format!(
            "`{text}` is not a date format such as %Y-%m-%d: a date without a time of day, and \
             no = + - @ in front, which a spreadsheet would run"
        )),
    }
}

/// True for what a spreadsheet runs.
pub(super) fn is_formula(text: &str) -> bool {
    text.starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ])
}

/// Xero knows one currency and no names.
fn xero(reader: &Reader<'_>, exports: &Exports) {
    if exports.xero.target.currencies.len() != 1 {
        let why = "the file has no column for a currency: name the organisation's own, \
                   e.g. currencies = [\"USD\"]";
        reader.wrong_key("export.xero.currencies", why);
    }
    if exports.xero.tax_rate.is_empty() {
        let why = "xero takes no line without a tax rate: write the display name of one, \
                   e.g. \"Tax Exempt\"";
        reader.wrong_key("export.xero.tax_rate", why);
    }
    for role in Role::ALL {
        let key = format!("export.xero.accounts.{role}");
        if is_used(*role, exports.rules) && !reader.layers.values.contains_key(&key) {
            let why = "is not set but output.formats has xero, which takes account codes only; \
                       e.g. \"610\"";
            reader.wrong_key(&key, why);
        }
    }
}

/// Beancount has five roots, and fewer letters than a store's id.
fn beancount(reader: &Reader<'_>, exports: &Exports) {
    for role in Role::ALL {
        let name = exports.chart.name(*role);
        let mut parts = name.split(':');
        let roots = ["Assets", "Liabilities", "Equity", "Income", "Expenses"];
        let rooted = parts.next().is_some_and(|root| roots.contains(&root));
        if !rooted || parts.next().is_none() {
            let why = "beancount wants Assets, Liabilities, Equity, Income or Expenses, a colon \
                       and a name, e.g. Assets:Clearing";
            reader.wrong_key(&format!("books.accounts.{role}"), why);
        }
    }
    for (section, placeholder) in ["store", "processor"].into_iter().zip(Chart::PLACEHOLDERS) {
        let mut roles = Role::ALL.iter();
        let Some(role) = roles.find(|role| exports.chart.name(**role).contains(placeholder)) else {
            continue;
        };
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for name in reader.layers.names(section) {
            let there = Chart::beancount_part(&name);
            if let Some(other) = seen.insert(there.clone(), name.clone()) {
                let why = format!(
                    "{placeholder} stands in it, and to beancount `{other}` and `{name}` are one \
                     account, {there}; leave {placeholder} out, or beancount"
                );
                reader.wrong_key(&format!("books.accounts.{role}"), &why);
            }
        }
    }
}

/// A row tells its account, its amount and its entry; and the file its currency.
fn csv(reader: &Reader<'_>, csv: &CsvTarget) {
    if reader.list("export.csv.columns").len() > csv.columns.len() {
        // What is wrong with one of them was told.
        return;
    }
    let has = |field| {
        let mut columns = csv.columns.iter();
        columns.any(|column| column.cell == Cell::Field(field))
    };
    let sums = has(Field::Amount) || has(Field::Debit) && has(Field::Credit);
    // A description begins with the entry's id.
    let names = has(Field::EntryId) || has(Field::Description);
    for (there, what) in [
        (names, "entry_id or description"),
        (has(Field::Account), "account"),
        (sums, "amount, or debit and credit"),
    ] {
        if !there {
            let why = format!("no column has {what}: nobody could book the rows");
            reader.wrong_key("export.csv.columns", &why);
        }
    }
    if !has(Field::Currency) && csv.target.currencies.len() != 1 {
        let why = "no column has the currency, so that 700 yen would be booked as 700 dollars: \
                   name the one currency of the file, e.g. currencies = [\"USD\"], or add a \
                   column with it";
        reader.wrong_key("export.csv.currencies", why);
    }
}

/// Accounts that must differ, where at least one of them is set in the section itself.
fn opposite(reader: &Reader<'_>, section: &str, chart: &Chart, rules: BookRules) {
    let key = |role: Role| format!("{section}.accounts.{role}");
    let is_set = |role: Role| {
        let value = reader.layers.values.get(&key(role));
        value.is_some_and(|(_, place)| *place != Place::Default)
    };
    for (role, others) in OPPOSITE {
        for other in others.iter().copied() {
            if !is_used(role, rules) || !is_used(other, rules) {
                continue;
            }
            let name = chart.name(role);
            let (told, also) = match (is_set(role), is_set(other)) {
                (_, true) => (other, role),
                (true, false) => (role, other),
                (false, false) => continue,
            };
            if name == chart.name(other) {
                let why = format!(
                    "`{name}` is {also} as well, and an entry with both sides on one account \
                     says nothing"
                );
                reader.wrong_key(&key(told), &why);
            }
        }
    }
}

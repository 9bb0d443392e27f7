//! `[books]`, `output.formats` and `[export.…]`: the accounts, and the files of postings.

mod right;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    BookRules, Chart, Currency, Dimensions, ExportFormat, Exports, QboTarget, Role, StoreId,
    Target, WriteOffMethod, XeroTarget,
};

use super::reader::Reader;

/// Formats that may call the accounts something else.
const TARGETS: [&str; 4] = ["qbo", "xero", "netsuite", "csv"];
/// The longest name of an account.
const NAME: usize = 200;

/// Keys without a default: the accounts that a target calls otherwise, and what the shape of the
/// generic file has else.
pub(super) fn keys_without_default() -> impl Iterator<Item = String> {
    let accounts = TARGETS.into_iter().flat_map(|target| {
        let key = move |role: &Role| format!("export.{target}.accounts.{role}");
        Role::ALL.iter().map(key)
    });
    accounts.chain(shapes::KEYS.iter().map(|leaf| format!("export.csv.{leaf}")))
}

pub(super) fn read(reader: &Reader<'_>) -> Exports {
    let rules = BookRules {
        method: reader.read("books.method", WriteOffMethod::Direct, |text| {
            WriteOffMethod::of(text)
                .ok_or_else(|| format!("`{text}` is neither direct nor allowance"))
        }),
        post_sales: reader.truth("books.post_sales"),
        tax_relief: reader.truth("books.tax_relief"),
    };
    let formats = formats(reader);
    let chart = chart(reader, "books.accounts", None);
    let of = |name: &str| target(reader, name, &chart);
    let exports = Exports {
        rules,
        declare: reader.truth("output.declare_accounts"),
        qbo: QboTarget {
            target: of("qbo"),
            customer: words(reader, "export.qbo.customer"),
        },
        xero: XeroTarget {
            target: of("xero"),
            tax_rate: words(reader, "export.xero.tax_rate"),
            tracking: words(reader, "export.xero.tracking"),
        },
        netsuite: of("netsuite"),
        csv: shapes::read(reader, of("csv")),
        stores: stores(reader),
        formats,
        chart,
    };
    right::check(reader, &exports);
    exports
}

fn formats(reader: &Reader<'_>) -> BTreeSet<ExportFormat> {
    let mut formats = BTreeSet::new();
    for name in reader.list("output.formats") {
        match ExportFormat::of(&name) {
            Some(format) => drop(formats.insert(format)),
            None => {
                let known: Vec<&str> = ExportFormat::ALL.iter().map(|it| it.as_str()).collect();
                let why = format!("`{name}` is not one of {}", known.join(", "));
                reader.wrong_key("output.formats", &why);
            }
        }
    }
    formats
}

/// The accounts of a section; what it leaves out is called as `usual` has it.
fn chart(reader: &Reader<'_>, section: &str, usual: Option<&Chart>) -> Chart {
    let mut names = BTreeMap::new();
    for role in Role::ALL {
        let own = reader.optional(&format!("{section}.{role}"), account);
        let usual = || usual.map(|chart| chart.name(*role).to_owned());
        names.extend(own.or_else(usual).map(|name| (*role, name)));
    }
    Chart::of(names)
}

fn target(reader: &Reader<'_>, name: &str, usual: &Chart) -> Target {
    let key = |leaf: &str| format!("export.{name}.{leaf}");
    let mut currencies = BTreeSet::new();
    for code in reader.list(&key("currencies")) {
        match Currency::of(&code) {
            Ok(currency) => drop(currencies.insert(currency)),
            Err(why) => reader.wrong_key(&key("currencies"), &why.to_string()),
        }
    }
    let usual_date = || "%Y-%m-%d".to_owned();
    let form = reader.optional(&key("date_format"), right::date_alone);
    Target {
        chart: chart(reader, &key("accounts"), Some(usual)),
        currencies,
        date_format: form.unwrap_or_else(usual_date),
        max_rows: reader.number(&key("max_rows"), 10, right::most_rows(name)),
        bom: reader.truth(&key("bom")),
    }
}

fn stores(reader: &Reader<'_>) -> BTreeMap<StoreId, Dimensions> {
    let mut stores = BTreeMap::new();
    for name in reader.layers.names("store") {
        let of = |leaf: &str| reader.optional(&format!("store.{name}.{leaf}"), plain);
        let dimensions = Dimensions {
            location: of("location"),
            class: of("class"),
            subsidiary: of("subsidiary"),
        };
        // A name that is none was told with the other keys of the store.
        if let Ok(id) = StoreId::of(&name)
            && dimensions != Dimensions::default()
        {
            stores.insert(id, dimensions);
        }
    }
    stores
}

/// Words that may be left empty.
fn words(reader: &Reader<'_>, key: &str) -> String {
    let or_empty = |text: &str| match text {
        "" => Ok(String::new()),
        text => plain(text),
    };
    reader.optional(key, or_empty).unwrap_or_default()
}

/// Text that does no harm in any file: to a spreadsheet, a ledger or a CSV reader.
fn plain(text: &str) -> Result<String, String> {
    let bad = |c: char| c.is_control() || matches!(c, '"' | ';' | '\\');
    let blank = text.trim() != text || text.is_empty();
    match right::is_formula(text) || blank || text.chars().any(bad) || text.chars().count() > NAME {
        true => Err(format!(
            "`{}` is not plain text: up to {NAME} characters, none of them a quote, a semicolon, \
             a backslash or a control character, and no = + - @ or blank in front",
            text.chars().take(40).collect::<String>()
        )),
        false => Ok(text.to_owned()),
    }
}

/// The name of an account.
fn account(text: &str) -> Result<String, String> {
    let name = plain(text)?;
    let bare = Chart::PLACEHOLDERS
        .iter()
        .fold(name.clone(), |name, it| name.replace(it, "x"));
    if bare.contains(['{', '}']) {
        let known = Chart::PLACEHOLDERS.join(", ");
        return Err(format!("`{text}`: braces stand for one of {known}"));
    }
    // What is in brackets is virtual to a ledger, or deferred.
    let odd = bare.contains("  ") || bare.starts_with(['(', '[', '<', '!', '*', '~']);
    let parts_are_named = bare.split(':').all(|part| !part.trim().is_empty());
    match odd || !parts_are_named {
        true => Err(format!(
            "`{text}` is no account for a ledger; write e.g. Assets:Clearing"
        )),
        false => Ok(name),
    }
}

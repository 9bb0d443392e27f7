//! Which files of postings are made, and what their targets expect.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::chart::{BookRules, Chart, Dimensions};
use super::currency::Currency;
use super::ids::StoreId;
use super::spelled;

/// A format of `output.formats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportFormat {
    /// `postings.journal`, for hledger and ledger.
    Journal,
    /// `postings.beancount`.
    Beancount,
    /// `postings.qbo.csv`, for QuickBooks Online.
    Qbo,
    /// `postings.xero.csv`, Xero's manual journals.
    Xero,
    /// `postings.netsuite.csv`.
    Netsuite,
    /// `postings.csv`, as configured.
    Csv,
    /// `night.xlsx`, for people.
    Xlsx,
    /// `*.review.csv`, for people.
    Review,
}

spelled!(ExportFormat {
    Journal = "journal",
    Beancount = "beancount",
    Qbo = "qbo",
    Xero = "xero",
    Netsuite = "netsuite",
    Csv = "csv",
    Xlsx = "xlsx",
    Review = "review",
});

/// What is common to all files of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What the target calls the accounts.
    pub chart: Chart,
    /// Entries in other currencies are left out; without any, all are written.
    pub currencies: BTreeSet<Currency>,
    /// strftime.
    pub date_format: String,
    /// Rows of a file below its header; what is more goes into the next one.
    pub max_rows: u64,
    /// A byte-order mark before the first byte.
    pub bom: bool,
}

/// QuickBooks Online.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QboTarget {
    /// The common part.
    pub target: Target,
    /// The customer on lines of receivables; empty where they are plain asset accounts.
    pub customer: String,
}

/// Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct XeroTarget {
    /// The common part.
    pub target: Target,
    /// The display name of the tax rate of every line.
    pub tax_rate: String,
    /// The tracking category that takes the location; empty for none.
    pub tracking: String,
}

/// What stands in a cell of `postings.csv`; its spelling is the word in `export.csv.columns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The entry's id.
    EntryId,
    /// The line's number within the entry, from 1.
    Line,
    /// The books date, in the target's form.
    Date,
    /// Year and month of the books date, `2026-11`.
    Month,
    /// The trip's business date, in the target's form.
    BusinessDate,
    /// The store.
    Store,
    /// What the store is called in the books.
    Location,
    /// The store's class or department.
    Class,
    /// The store's legal entity.
    Subsidiary,
    /// The trip.
    Trip,
    /// The card processor.
    Processor,
    /// What the entry is for.
    Kind,
    /// The entry that this one corrects.
    Corrects,
    /// All of that in words.
    Description,
    /// The account.
    Account,
    /// The amount if it is a debit.
    Debit,
    /// The amount if it is a credit.
    Credit,
    /// The amount with a sign.
    Amount,
    /// ISO 4217.
    Currency,
}

spelled!(Field {
    EntryId = "entry_id",
    Line = "line",
    Date = "date",
    Month = "month",
    BusinessDate = "business_date",
    Store = "store_id",
    Location = "location",
    Class = "class",
    Subsidiary = "subsidiary",
    Trip = "shopping_trip_id",
    Processor = "processor",
    Kind = "kind",
    Corrects = "corrects",
    Description = "description",
    Account = "account",
    Debit = "debit",
    Credit = "credit",
    Amount = "amount",
    Currency = "currency",
});

/// A cell of `postings.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// From the entry.
    Field(Field),
    /// The same in every row.
    Text(String),
}

/// A column of `postings.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its header.
    pub header: String,
    /// What stands in it.
    pub cell: Cell,
    /// Only on the first line of an entry; empty on the others.
    pub once: bool,
}

/// The generic file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvTarget {
    /// The common part.
    pub target: Target,
    /// The columns.
    pub columns: Vec<Column>,
    /// Between cells.
    pub delimiter: char,
    /// Lines end with CR LF, else with LF.
    pub crlf: bool,
    /// The side that is not used has a zero, else nothing.
    pub zeros: bool,
    /// In `amount` credits are positive, else debits.
    pub credit_positive: bool,
    /// Characters of a description.
    pub description_length: usize,
    /// Decimals that the target holds.
    pub max_decimals: u8,
}

/// Everything that postings and their files are made by, apart from the journal. The first edition
/// of a day keeps it, so that later ones are made the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exports {
    /// The files that are made.
    pub formats: BTreeSet<ExportFormat>,
    /// What is posted.
    pub rules: BookRules,
    /// The accounts of the plain-text ledgers.
    pub chart: Chart,
    /// Plain-text ledgers declare their accounts, so that each file stands by itself.
    pub declare: bool,
    /// QuickBooks Online.
    pub qbo: QboTarget,
    /// Xero.
    pub xero: XeroTarget,
    /// NetSuite.
    pub netsuite: Target,
    /// `postings.csv`.
    pub csv: CsvTarget,
    /// Stores that are called something in the books.
    pub stores: BTreeMap<StoreId, Dimensions>,
}

impl Exports {
    /// What a later edition is made by when the one before was made by `kept`: the same, and the
    /// formats that were switched on since as they are configured now.
    pub fn following(&self, kept: &Self) -> Self {
        let had = |format| kept.formats.contains(&format);
        let plain = had(ExportFormat::Journal) || had(ExportFormat::Beancount);
        let text = if plain { kept } else { self };
        let of = |format| if had(format) { kept } else { self };
        Self {
            formats: kept.formats.union(&self.formats).copied().collect(),
            rules: kept.rules,
            chart: text.chart.clone(),
            declare: text.declare,
            qbo: of(ExportFormat::Qbo).qbo.clone(),
            xero: of(ExportFormat::Xero).xero.clone(),
            netsuite: of(ExportFormat::Netsuite).netsuite.clone(),
            csv: of(ExportFormat::Csv).csv.clone(),
            stores: match kept.formats.is_empty() {
                true => self.stores.clone(),
                false => kept.stores.clone(),
            },
        }
    }

    /// What a store is called in the books.
    pub fn dimensions(&self, store: &StoreId) -> Dimensions {
        let own = self.stores.get(store).cloned().unwrap_or_default();
        Dimensions {
            location: own.location.or_else(|| Some(store.as_str().to_owned())),
            ..own
        }
    }
}

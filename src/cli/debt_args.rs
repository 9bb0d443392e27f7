//! What can be typed after `debt`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::domain::StoreId;

/// The commands of the bad-debt ledger.
#[derive(Debug, Subcommand)]
pub enum DebtCommand {
    /// Print the open bad debts by store and trip, and how old they are.
    List(DebtListArgs),
    /// Book money that came later, also for what was written off.
    Recover(RecoverArgs),
    /// Give up what is still open.
    WriteOff(WriteOffArgs),
    /// Take back a debt that should not have been booked, or what was done about one.
    Reverse(ReverseArgs),
}

/// `debt list`.
#[derive(Debug, Args)]
pub struct DebtListArgs {
    /// Only this store.
    #[arg(long, value_name = "STORE", value_parser = store)]
    pub store: Option<StoreId>,
    /// Those too of which nothing is open any more.
    #[arg(long)]
    pub settled: bool,
}

/// Who decides, and why.
#[derive(Debug, Args)]
pub struct Author {
    /// Who decides.
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}

/// `debt recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// STORE/TRIP_ID, or the trip id alone when it is unique.
    #[arg(required_unless_present = "file")]
    pub trip: Option<String>,
    /// How much came [default: the whole open debt, or where nothing is open what was written off].
    #[arg(long, value_name = "AMOUNT")]
    pub amount: Option<String>,
    /// Many payments: a CSV file with the columns trip and, as needed, amount,by,note. Rows that
    /// are refused stop no other; a file that is given again books nothing twice, and rows that
    /// are the same are as many payments. A file with a row out of shape books nothing.
    #[arg(long, value_name = "CSV", conflicts_with_all = ["trip", "amount"])]
    pub file: Option<PathBuf>,
    /// Who decides; with --file, for every row that names nobody.
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    pub by: Option<String>,
    /// Why, best the reference of the payment; with --file, for every row that says nothing.
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    pub note: Option<String>,
}

/// `debt write-off`.
#[derive(Debug, Args)]
pub struct WriteOffArgs {
    /// STORE/TRIP_ID, or the trip id alone when it is unique.
    pub trip: String,
    /// Who and why.
    #[command(flatten)]
    pub author: Author,
}

/// `debt reverse`.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false, args = ["into", "step"])]
pub struct ReverseArgs {
    /// STORE/TRIP_ID, or the trip id alone when it is unique.
    pub trip: String,
    /// The debt should not have been booked: what it was instead.
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub into: Option<IntoArg>,
    /// The recovery, write-off or reversal to take back, by its step in `tripsettle show`.
    #[arg(long, value_name = "N")]
    pub step: Option<u32>,
    /// With --as: how much of it [default: the whole open debt].
    #[arg(long, value_name = "AMOUNT", conflicts_with = "step")]
    pub amount: Option<String>,
    /// Who and why.
    #[command(flatten)]
    pub author: Author,
}

/// What a debt was instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum IntoArg {
    /// The money had been captured.
    Captured,
    /// The shopper never owed it.
    Cancelled,
}

fn store(text: &str) -> Result<StoreId, String> {
    StoreId::of(text).map_err(|error| error.to_string())
}

//! What can be typed: one definition gives parsing and help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::domain::{BooksDate, Head};

use super::debt_args::DebtCommand;

/// Settles Just Walk Out shopping trips before their payment tokens die, and closes the books.
#[derive(Debug, Parser)]
#[command(name = "tripsettle", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Configuration file [default: $TRIPSETTLE_CONFIG, ./tripsettle.toml,
    /// /etc/tripsettle/tripsettle.toml, built-in defaults].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON object on standard output instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing when all is well (for cron).
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The exit codes, as the help shows them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    clean
  10   attention: breaks, refusals or rejected rows
  11   captures in doubt stand
  12   trips expired in this run, or are at risk before the next planned run
  65   state damaged, missing, older or newer
  69   payment service unavailable
  70   control equation does not hold
  74   disk or I/O
  75   another run holds the lock
  77   AWS credentials missing, broken or refused
  78   bad configuration
  1    internal; 2 usage; 130/143 stopped by signal";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the state; needed by hand only after a loss.
    Init(InitArgs),
    /// Take trip files into the journal.
    Import(ImportArgs),
    /// Settle what is due, then close every ended day that is still open.
    Run(RunArgs),
    /// Settle what is due, and nothing else; nearly free when idle.
    Settle(WaitArgs),
    /// Pull missing evidence of closed days again and publish them again; moves no money.
    Backfill(BackfillArgs),
    /// Print what a run would do now; sends nothing.
    Plan,
    /// Print where everything stands.
    Status(StatusArgs),
    /// Tell one trip's history in plain words.
    Show(ShowArgs),
    /// End a doubt or a parking by a person's word.
    Rule(RuleArgs),
    /// The bad-debt ledger: what stands open, and what is done about it.
    #[command(subcommand)]
    Debt(DebtCommand),
    /// Try configuration, database, clock, credentials, service and mail; moves no money.
    Check,
    /// Copy the state into a new file, safely beside a run.
    Backup(BackupArgs),
    /// Prove that state and published files are what was once written; reads only, beside a run.
    Verify(VerifyArgs),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Serve a local payment service that behaves like the real one.
    Sandbox(SandboxArgs),
    /// Play a whole night against the sandbox.
    Demo(DemoArgs),
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// An older copy of the state was put back: every open trip that began before this moment is in
    /// doubt, so that nothing is captured twice.
    #[arg(long, conflicts_with = "after_loss")]
    pub after_restore: bool,
    /// The state was lost: every trip imported from now on that began before this moment is in
    /// doubt, so that nothing is captured twice.
    #[arg(long)]
    pub after_loss: bool,
}

/// `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// CSV (*.csv) or JSON Lines (*.jsonl, *.ndjson) files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// How long to wait for another run.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Wait so long for another run to end, e.g. 90s, 30m, 2h [default: not at all].
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait_lock: Option<Duration>,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// End this day, the one in progress, now (month end).
    #[arg(long, value_name = "DATE", value_parser = books_date)]
    pub close: Option<BooksDate>,
    /// The lock.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `backfill`.
#[derive(Debug, Args)]
pub struct BackfillArgs {
    /// First books date.
    #[arg(long, value_name = "DATE", value_parser = books_date)]
    pub from: BooksDate,
    /// Last books date, inclusive.
    #[arg(long, value_name = "DATE", value_parser = books_date)]
    pub to: BooksDate,
    /// The lock.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// How many past runs to list.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub runs: u32,
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// STORE/TRIP_ID, or the trip id alone when it is unique.
    pub trip: String,
}

/// `rule`.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// STORE/TRIP_ID, or the trip id alone when it is unique.
    #[arg(required_unless_present = "file")]
    pub trip: Option<String>,
    /// The ruling.
    #[arg(value_enum, required_unless_present = "file")]
    pub verdict: Option<VerdictArg>,
    /// Many rulings: a CSV file with the columns trip,verdict and, as needed, amount,by,note. Rows
    /// that are refused stop no other; a file that is given again rules nothing twice.
    #[arg(long, value_name = "CSV", conflicts_with_all = ["trip", "verdict", "amount"])]
    pub file: Option<PathBuf>,
    /// With `captured`: how much was captured [default: the intended amount].
    #[arg(long, value_name = "AMOUNT")]
    pub amount: Option<String>,
    /// Who rules; with --file, for every row that names nobody.
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    pub by: Option<String>,
    /// Why; with --file, for every row that says nothing.
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    pub note: Option<String>,
}

/// `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A file that does not exist yet, or a folder: then the file is named after the moment.
    #[arg(value_name = "FILE|DIR")]
    pub to: PathBuf,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A head of the journal that was kept elsewhere, as mails and summaries tell it; also several.
    #[arg(long = "head", value_name = "SEQ:HASH")]
    pub heads: Vec<Head>,
}

/// The rulings that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum VerdictArg {
    /// The capture happened.
    Captured,
    /// The capture did not happen: one new attempt is allowed before expiry.
    NotCaptured,
    /// A refused trip is put back.
    Retry,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the commented default file, which is the manual.
    Generate,
    /// Print the configuration in force, without secrets.
    Show,
}

/// `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Address to serve on.
    #[arg(long, default_value = "127.0.0.1:8046")]
    pub listen: std::net::SocketAddr,
    /// Granted calls per second [default: no limit].
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// Milliseconds that each answer takes.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub latency_ms: u64,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for everything the demo makes.
    #[arg(long, default_value = "./tripsettle-demo", value_name = "DIR")]
    pub dir: PathBuf,
}

fn books_date(text: &str) -> Result<BooksDate, String> {
    BooksDate::parse(text).map_err(|error| error.to_string())
}

/// Reads `90`, `90s`, `30m`, `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as 90s, 30m or 2h");
    let (digits, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number
        .checked_mul(factor)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_minutes_or_hours() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1800),
            ("2h", 7200),
            ("0", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "m", "1d", "-1s", "1.5h", "99999999999999999999"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}

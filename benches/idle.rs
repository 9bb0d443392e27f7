//! What a pass costs when there is nothing to do, however much was ever settled; see README.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use rusqlite::{Connection, OpenFlags};
use tripsettle::domain::Timestamp;
use tripsettle::store::Store;

use shared::machine::{House, PROGRAM, Sandbox, Trip};
use shared::ratios::Ratios;

mod shared {
    pub mod bare;
    pub mod machine;
    pub mod ratios;
}

/// Calls in flight.
const LANES: usize = 64;
/// Trips that are open while the due ones are chosen.
const OPEN: usize = 500;

/// What an idle pass costs.
#[derive(Debug, Parser)]
struct Args {
    /// Trips that were settled before.
    #[arg(long, default_value_t = 100_000)]
    settled: usize,
    /// Pairs of each.
    #[arg(long, default_value_t = 21)]
    rounds: usize,
    /// Fails when an idle pass ÷ `sqlite3 FILE 'select 1'`, in thousandths, is higher.
    #[arg(long, default_value_t = 3_000)]
    idle_at_most: u128,
    /// Fails when `--version` ÷ `true`, in thousandths, is higher.
    #[arg(long, default_value_t = 3_000)]
    version_at_most: u128,
    /// Fails when choosing the due trips ÷ a scan of all trips, in thousandths, is higher.
    #[arg(long, default_value_t = 10)]
    choose_at_most: u128,
    /// The program to measure, if not the one that was built with this.
    #[arg(long, default_value = PROGRAM, value_name = "PATH")]
    program: PathBuf,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let program = args.program.canonicalize()?;
    let sandbox = Sandbox::start(&program)?;
    let house = House::new(&program, &sandbox.url, LANES)?;
    house.feed(&Trip::many("trip", args.settled))?;
    house.run()?;
    house.settled(args.settled)?;
    println!("{} trips settled", args.settled);

    let database = house.state().join("tripsettle.db");
    let mut select = Command::new("sqlite3");
    select.arg(&database).arg("select 1");
    let mut version = Command::new(&program);
    version.arg("--version");
    let (mut idle, mut start) = (Ratios::default(), Ratios::default());
    let before = stamps(&house.state())?;
    for _ in 0..args.rounds {
        idle.add(house.settle()?, timed(&mut select)?);
        start.add(timed(&mut version)?, timed(&mut Command::new("true"))?);
    }
    ensure!(
        stamps(&house.state())? == before,
        "an idle pass wrote to the state"
    );
    sandbox.heard(args.settled)?;
    let enough = idle.told_at_most("idle settle / sqlite3 select 1", args.idle_at_most);
    let enough = start.told_at_most("--version / true", args.version_at_most) && enough;

    house.feed(&Trip::many("open", OPEN))?;
    house.import()?;
    let store = Store::open(&house.state())?;
    let readonly = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let scanned = Connection::open_with_flags(&database, readonly)?;
    let mut choose = Ratios::default();
    for _ in 0..args.rounds {
        choose.add(chosen(&store)?, scan(&scanned)?);
    }
    let enough = choose.told_at_most("due trips / scan of all", args.choose_at_most) && enough;
    Ok(ExitCode::from(u8::from(!enough)))
}

fn timed(command: &mut Command) -> Result<Duration> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let name = quiet.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let status = quiet
        .status()
        .with_context(|| format!("{name} is needed"))?;
    let took = started.elapsed();
    ensure!(status.success(), "{name}: {status}");
    Ok(took)
}

/// Names, lengths and times of everything in the state.
fn stamps(state: &Path) -> Result<Vec<(PathBuf, u64, std::time::SystemTime)>> {
    let mut all = Vec::new();
    for file in fs::read_dir(state)? {
        let (path, meta) = file.and_then(|file| Ok((file.path(), file.metadata()?)))?;
        all.push((path, meta.len(), meta.modified()?));
    }
    all.sort();
    Ok(all)
}

fn chosen(store: &Store) -> Result<Duration> {
    let started = Instant::now();
    let page = store.open_trips(Timestamp::of_ms(i64::MAX), None, OPEN)?;
    let took = started.elapsed();
    ensure!(page.len() == OPEN, "{} open trips", page.len());
    Ok(took)
}

fn scan(database: &Connection) -> Result<Duration> {
    let started = Instant::now();
    let sql = "SELECT count(*) FROM trip NOT INDEXED WHERE status = 'open'";
    let open: i64 = database.query_row(sql, (), |row| row.get(0))?;
    let took = started.elapsed();
    ensure!(usize::try_from(open)? == OPEN, "{open} open trips");
    Ok(took)
}

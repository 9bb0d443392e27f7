//! How soon a night that was killed goes on: from the start of the next run to its first call,
//! beside `sqlite3` that opens the same state and selects what is open; see README.md.

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use shared::machine::{House, PROGRAM, Sandbox, Trip};
use shared::ratios::Ratios;

mod shared {
    pub mod bare;
    pub mod machine;
    pub mod ratios;
}

/// Calls in flight.
const LANES: usize = 64;
/// How often the log's length is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How often the service looks whether it is called.
const CALLED: Duration = Duration::from_micros(100);
/// What the next run needs to know before its first call, as `sweep_open_trips.sql` has it.
const OPEN: &str = "SELECT id, store_id, trip_id, started_at, expires_at, act_by, status, \
                    cart_total, currency FROM trip WHERE act_by IS NOT NULL ORDER BY act_by, id";

/// How soon a killed night goes on.
#[derive(Debug, Parser)]
struct Args {
    /// Trips of the night.
    #[arg(long, default_value_t = 100_000)]
    trips: usize,
    /// The night is killed when SQLite's log is so long, in MiB.
    #[arg(long, default_value_t = 100)]
    log_mib: u64,
    /// Pairs of a resumed run and a select.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Fails when the median ratio, in thousandths, is higher.
    #[arg(long, default_value_t = 1_500)]
    at_most: u128,
    /// The program to measure, if not the one that was built with this.
    #[arg(long, default_value = PROGRAM, value_name = "PATH")]
    program: PathBuf,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    ensure!(args.rounds > 0, "no rounds");
    let sandbox = Sandbox::start(&args.program)?;
    let house = House::new(&args.program, &sandbox.url, LANES)?;
    house.feed(&Trip::many("trip", args.trips))?;
    house.import()?;
    let state = house.state();
    let reader = reader(&state)?;
    let long = kill_when(house.start("run", &sandbox.url)?, &state, args.log_mib)?;
    drop(reader);
    println!("{} trips, killed with a log of {long} MiB", args.trips);

    let kept = tempfile::tempdir_in(state.parent().context("the state lies in a folder")?)?;
    copy(&state, kept.path())?;
    let mut ratios = Ratios::default();
    for round in 1..=args.rounds {
        copy(kept.path(), &state)?;
        let resumed = to_first_call(&house)?;
        copy(kept.path(), &state)?;
        let selected = select(&state.join("tripsettle.db"))?;
        println!("round {round}: {}", ratios.add(resumed, selected));
    }
    let enough = ratios.told_at_most("to the first call / sqlite3 select", args.at_most);
    Ok(ExitCode::from(u8::from(!enough)))
}

/// Somebody who reads while the night goes on: SQLite's log cannot begin anew, and grows.
fn reader(state: &Path) -> Result<Connection> {
    let reader = Connection::open(state.join("tripsettle.db"))?;
    // The log stays as the killed night leaves it.
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    reader.execute_batch("BEGIN; SELECT count(*) FROM meta;")?;
    Ok(reader)
}

/// Kills the night, and gives how long the log is, in MiB.
fn kill_when(mut night: Child, state: &Path, mib: u64) -> Result<u64> {
    let log = state.join("tripsettle.db-wal");
    let long = || fs::metadata(&log).map_or(0, |meta| meta.len() >> 20);
    while long() < mib {
        let ended = night.try_wait()?;
        ensure!(
            ended.is_none(),
            "the night ended with a log of {} MiB: more --trips make it longer",
            long()
        );
        std::thread::sleep(LOOK);
    }
    night.kill()?;
    night.wait()?;
    Ok(long())
}

/// What lies in `from` lies in `to` afterwards, and nothing else.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::remove_dir_all(to)?;
    fs::create_dir(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

/// From the start of `settle` to the first byte of its first call, which nobody answers.
fn to_first_call(house: &House) -> Result<Duration> {
    let service = TcpListener::bind("127.0.0.1:0")?;
    service.set_nonblocking(true)?;
    let url = format!("http://{}", service.local_addr()?);
    let started = Instant::now();
    let mut settle = house.start("settle", &url)?;
    let mut call = loop {
        match service.accept() {
            Ok((call, _)) => break call,
            Err(why) if why.kind() == ErrorKind::WouldBlock => {}
            Err(why) => return Err(why.into()),
        }
        let ended = settle.try_wait()?;
        ensure!(ended.is_none(), "settle called nobody: {ended:?}");
        std::thread::sleep(CALLED);
    };
    call.set_nonblocking(false)?;
    call.read_exact(&mut [0])?;
    let took = started.elapsed();
    settle.kill()?;
    settle.wait()?;
    Ok(took)
}

fn select(database: &Path) -> Result<Duration> {
    let mut sqlite3 = Command::new("sqlite3");
    // The last one to close would copy the whole log home: that is no part of opening.
    sqlite3.args(["-cmd", ".dbconfig no_ckpt_on_close on"]);
    sqlite3.arg(database).arg(OPEN);
    sqlite3.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let status = sqlite3.status().context("sqlite3 is needed")?;
    let took = started.elapsed();
    ensure!(status.success(), "sqlite3: {status}");
    Ok(took)
}

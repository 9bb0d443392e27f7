//! What it costs that nothing is ever taken back: rows on disk with many calls in flight beside one
//! commit a row, and a night that forces them to disk beside one that does not; see README.md.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use tokio::task::JoinSet;
use tripsettle::domain::{BooksDate, Call, Fact, Timestamp};
use tripsettle::settlement::History;
use tripsettle::store::{Append, Store};

use shared::machine::{House, PROGRAM, Sandbox, Trip};
use shared::ratios::Ratios;

mod shared {
    pub mod bare;
    pub mod machine;
    pub mod ratios;
}

/// What durability costs.
#[derive(Debug, Parser)]
struct Args {
    /// Rows written with many in flight.
    #[arg(long, default_value_t = 20_000)]
    rows: usize,
    /// Rows written one by one, each with a commit of its own.
    #[arg(long, default_value_t = 1_000)]
    one_by_one: usize,
    /// Trips of a night.
    #[arg(long, default_value_t = 10_000)]
    trips: usize,
    /// Calls in flight in a night.
    #[arg(long, default_value_t = 64)]
    lanes: usize,
    /// Writers in flight.
    #[arg(long, default_value_t = 256)]
    in_flight: usize,
    /// Rounds of everything.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Fails when the median of group commit ÷ one commit a row, in thousandths, is lower.
    #[arg(long, default_value_t = 0)]
    rows_at_least: u128,
    /// Fails when the median of the night with FULL ÷ with OFF, in thousandths, is lower.
    #[arg(long, default_value_t = 0)]
    night_at_least: u128,
    /// The program to measure, if not the one that was built with this.
    #[arg(long, default_value = PROGRAM, value_name = "PATH")]
    program: PathBuf,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    ensure!(args.rounds > 0 && args.one_by_one > 0, "nothing to measure");
    ensure!(args.in_flight > 0, "nobody writes");
    let (mut rows, mut nights) = (Ratios::default(), Ratios::default());
    for round in 1..=args.rounds {
        let (alone, grouped) = journal(&args)?;
        // The time of as many rows, one by one.
        let alone = alone * u32::try_from(args.rows)? / u32::try_from(args.one_by_one)?;
        let gain = rows.add(alone, grouped);
        // Each side is first in every second round.
        let full_first = round % 2 == 0;
        let (first, second) = (night(&args, full_first)?, night(&args, !full_first)?);
        let kept = match full_first {
            true => nights.add(second, first),
            false => nights.add(first, second),
        };
        println!("round {round}: group commit {gain}, night {kept}");
    }
    let enough = rows.told("group commit / one commit a row", args.rows_at_least);
    let enough = nights.told("night with FULL / with OFF", args.night_at_least) && enough;
    Ok(ExitCode::from(u8::from(!enough)))
}

fn night(args: &Args, is_forced: bool) -> Result<Duration> {
    let sandbox = Sandbox::start(&args.program)?;
    let mut house = House::new(&args.program, &sandbox.url, args.lanes)?;
    if !is_forced {
        house = house.unforced()?;
    }
    house.feed(&Trip::many("trip", args.trips))?;
    let took = house.run()?.took;
    house.settled(args.trips)?;
    Ok(took)
}

/// Writes an intent for each trip: first one by one, then all others with many in flight.
fn journal(args: &Args) -> Result<(Duration, Duration)> {
    let house = House::new(&args.program, "http://127.0.0.1:1", args.lanes)?;
    house.feed(&Trip::many("trip", args.rows + args.one_by_one))?;
    house.import()?;
    let store = Arc::new(Store::open(&house.state())?);
    let mut appends = intents(&store)?;
    ensure!(
        appends.len() == args.rows + args.one_by_one,
        "some trips are not open"
    );
    let many = appends.split_off(args.one_by_one);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build()?;
    let commits = store.commits();
    let started = Instant::now();
    runtime.block_on(async {
        for append in appends {
            store.append(append).await?;
        }
        anyhow::Ok(())
    })?;
    let alone = started.elapsed();
    let each = store.commits() - commits;
    ensure!(
        each == u64::try_from(args.one_by_one)?,
        "{each} commits one by one"
    );
    let started = Instant::now();
    runtime.block_on(write(&store, many, args.in_flight))?;
    Ok((alone, started.elapsed()))
}

async fn write(store: &Arc<Store>, appends: Vec<Append>, in_flight: usize) -> Result<()> {
    let mut writers = JoinSet::new();
    let share = appends.len().div_ceil(in_flight).max(1);
    for part in appends.chunks(share) {
        let (part, store) = (part.to_vec(), store.clone());
        writers.spawn(async move {
            for append in part {
                store.append(append).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    Ok(())
}

/// The first intent of every open trip.
fn intents(store: &Store) -> Result<Vec<Append>> {
    let (mut all, mut after) = (Vec::new(), None);
    let at = Timestamp::parse("2026-11-24T02:30:00Z")?;
    loop {
        let page = store.open_trips(Timestamp::of_ms(i64::MAX), after, 2_000)?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = Some((last.act_by, last.id));
        let events = store.events_of_each(page.iter().map(|trip| trip.id))?;
        for (trip, events) in page.iter().zip(events) {
            let mut history = History::replay(&events.context("no events")?)?;
            let expected_steps = history.steps();
            let call = Call::Adjust {
                total: trip.cart_total,
            };
            let fact = Fact::Intent { call };
            if history.apply(at, &fact).is_err() {
                bail!("{} cannot be asked about", trip.key);
            }
            all.push(Append {
                trip: trip.id,
                expected_steps,
                facts: vec![(at, fact)],
                standing: history.standing(),
                books_date: BooksDate::parse("2026-11-24")?,
                run: None,
                line: None,
            });
        }
    }
}

//! How fast a night is: `tripsettle run`, durable and whole, against a bare client that makes the
//! same calls to the same sandbox in the same minute. What it prints is a ratio; see README.md.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;

use shared::bare;
use shared::machine::{BUILD, House, PROGRAM, Sandbox, Trip};
use shared::ratios::Ratios;

mod shared {
    pub mod bare;
    pub mod machine;
    pub mod ratios;
}

/// Calls that a trip takes: adjust, capture, read.
const CALLS: usize = 3;

/// How fast a night is, beside a bare client.
#[derive(Debug, Parser)]
struct Args {
    /// Trips of a night.
    #[arg(long, default_value_t = 10_000)]
    trips: usize,
    /// Pairs of a night and a bare client.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Calls in flight, on both sides.
    #[arg(long, default_value_t = 64)]
    lanes: usize,
    /// Milliseconds that the service takes for an answer.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Fails when the median ratio, in thousandths, is lower.
    #[arg(long, default_value_t = 500)]
    at_least: u128,
    /// The Python with what `benches/peer/requirements.txt` names: the peer script plays, too.
    #[arg(long, value_name = "PATH")]
    peer: Option<PathBuf>,
    /// Fails when the median ratio to the peer script, in thousandths, is lower.
    #[arg(long, default_value_t = 0)]
    at_least_to_peer: u128,
    /// Where the retailer's files lie, if not in the build's own folder.
    #[arg(long, default_value = BUILD, value_name = "PATH")]
    dir: PathBuf,
    /// The program to measure, if not the one that was built with this.
    #[arg(long, default_value = PROGRAM, value_name = "PATH")]
    program: PathBuf,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    ensure!(args.rounds > 0 && args.trips > 0, "no rounds, or no trips");
    tripsettle::payment_service::install_tls();
    println!("round  tripsettle   bare client  ratio   peer script  ratio");
    let (mut to_bare, mut to_peer) = (Ratios::default(), Ratios::default());
    for round in 1..=args.rounds {
        let times = play(&args)?;
        let night = per_second(&args, times.night);
        let bare = per_second(&args, times.bare);
        let ratio = to_bare.add(times.bare, times.night);
        print!("{round:>5} {night:>9}/s {bare:>11}/s  {ratio}");
        if let Some(peer) = times.peer {
            let ratio = to_peer.add(peer, times.night);
            print!(" {:>11}/s  {ratio}", per_second(&args, peer));
        }
        println!();
    }
    let (trips, calls) = (args.trips, args.trips * CALLS);
    println!("{trips} trips, {calls} calls; medians, least and most:");
    let enough = to_bare.told("night / bare client", args.at_least);
    let enough = to_peer.told("night / peer script", args.at_least_to_peer) && enough;
    Ok(ExitCode::from(u8::from(!enough)))
}

/// How long each side of a round took.
struct Times {
    night: Duration,
    bare: Duration,
    peer: Option<Duration>,
}

/// The night, the bare client and the peer, with the same sandbox, which counts the calls.
fn play(args: &Args) -> Result<Times> {
    let sandbox = Sandbox::start_slow(&args.program, args.latency_ms)?;
    let house = House::in_dir(&args.dir, &args.program, &sandbox.url, args.lanes)?;
    house.feed(&Trip::many("trip", args.trips))?;
    let night = house.run()?.took;
    house.settled(args.trips)?;
    sandbox.heard(args.trips)?;
    let bare = bare::night(&sandbox.url, Trip::many("bare", args.trips), args.lanes)?;
    sandbox.heard(args.trips * 2)?;
    let Some(python) = &args.peer else {
        let peer = None;
        return Ok(Times { night, bare, peer });
    };
    let house = House::in_dir(&args.dir, &args.program, &sandbox.url, args.lanes)?;
    house.feed(&Trip::many("peer", args.trips))?;
    let peer = Some(house.run_peer(python)?.took);
    house.settled(args.trips)?;
    sandbox.heard(args.trips * 3)?;
    Ok(Times { night, bare, peer })
}

fn per_second(args: &Args, took: Duration) -> u128 {
    let calls = u128::try_from(args.trips * CALLS).unwrap_or(u128::MAX);
    calls * 1_000_000 / took.as_micros().max(1)
}

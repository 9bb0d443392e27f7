//! How fast a night is: `tripsettle run`, durable and whole, against a bare client that makes the
//! same calls to the same sandbox in the same minute. What it prints is a ratio; see README.md.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;

use shared::bare;
use shared::machine::{House, PROGRAM, Sandbox, Trip};

mod shared {
    pub mod bare;
    pub mod machine;
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
    /// Fails when the median ratio, in thousandths, is lower.
    #[arg(long, default_value_t = 500)]
    at_least: u128,
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
    println!("round  tripsettle   bare client  ratio");
    let mut ratios = Vec::new();
    for round in 1..=args.rounds {
        let (night, bare) = pair(&args)?;
        let ratio = bare.as_micros() * 1000 / night.as_micros().max(1);
        let (a, b) = (per_second(&args, night), per_second(&args, bare));
        println!("{round:>5} {a:>7}/s {b:>13}/s  {}", decimal(ratio));
        ratios.push(ratio);
    }
    ratios.sort_unstable();
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    let median = ratios[ratios.len() / 2];
    let (trips, calls) = (args.trips, args.trips * CALLS);
    let (median_text, least, most) = (decimal(median), decimal(least), decimal(most));
    println!("ratio {median_text} (median; {least} to {most}): {trips} trips, {calls} calls");
    let enough = median >= args.at_least;
    if !enough {
        println!("that is below {}", decimal(args.at_least));
    }
    Ok(ExitCode::from(u8::from(!enough)))
}

/// The night, then the bare client, with the same sandbox; the sandbox counts the calls.
fn pair(args: &Args) -> Result<(Duration, Duration)> {
    let sandbox = Sandbox::start(&args.program)?;
    let house = House::new(&args.program, &sandbox.url, args.lanes)?;
    house.feed(&Trip::many("trip", args.trips))?;
    let night = house.run()?.took;
    house.settled(args.trips)?;
    sandbox.heard(args.trips)?;
    let bare = bare::night(&sandbox.url, Trip::many("bare", args.trips), args.lanes)?;
    sandbox.heard(args.trips * 2)?;
    Ok((night, bare))
}

fn per_second(args: &Args, took: Duration) -> u128 {
    let calls = u128::try_from(args.trips * CALLS).unwrap_or(u128::MAX);
    calls * 1_000_000 / took.as_micros().max(1)
}

fn decimal(thousandths: u128) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

//! How much memory a night takes, and how little it grows with the trips; see README.md.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

use shared::machine::{House, PROGRAM, Sandbox, Trip};

mod shared {
    pub mod bare;
    pub mod machine;
}

/// The peak memory of a large night beside that of a small one.
#[derive(Debug, Parser)]
struct Args {
    /// Trips of the small night.
    #[arg(long, default_value_t = 10_000)]
    small: usize,
    /// Trips of the large night.
    #[arg(long, default_value_t = 100_000)]
    large: usize,
    /// Calls in flight.
    #[arg(long, default_value_t = 64)]
    lanes: usize,
    /// Fails when the ratio, in thousandths, is higher.
    #[arg(long, default_value_t = 1_500)]
    at_most: u64,
    /// Fails when the large night held more, in KiB.
    #[arg(long, default_value_t = 64 * 1024)]
    at_most_kib: u64,
    /// The program to measure, if not the one that was built with this.
    #[arg(long, default_value = PROGRAM, value_name = "PATH")]
    program: PathBuf,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let (small, large) = (peak(&args, args.small)?, peak(&args, args.large)?);
    ensure!(small > 0, "nobody could say how much memory a process held");
    let ratio = large * 1000 / small;
    let (whole, rest) = (ratio / 1000, ratio % 1000);
    println!(
        "ratio {whole}.{rest:03}: {} and {} trips",
        args.large, args.small
    );
    let failed = ratio > args.at_most || large > args.at_most_kib;
    Ok(ExitCode::from(u8::from(failed)))
}

fn peak(args: &Args, trips: usize) -> Result<u64> {
    let sandbox = Sandbox::start(&args.program)?;
    let house = House::new(&args.program, &sandbox.url, args.lanes)?;
    house.feed(&Trip::many("trip", trips))?;
    let peak = house.run()?.peak;
    house.settled(trips)?;
    println!("{trips:>7} trips: {peak} KiB at most");
    Ok(peak)
}

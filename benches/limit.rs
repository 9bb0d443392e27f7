//! How well a night uses the calls that the service grants, and how seldom it has to be refused:
//! `tripsettle run` against a sandbox with a limit, which may be cut in the middle; see README.md.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tripsettle::sandbox::{CallCounts, Sandbox, SandboxConfig};

use shared::machine::{Ended, House, PROGRAM, Trip};

mod shared {
    pub mod bare;
    pub mod machine;
}

/// Calls that a trip takes: adjust, capture, read.
const CALLS: u64 = 3;
/// What the service grants at once, and the program asks for at once.
const BURST: u32 = 10;
/// How often the sandbox is asked for what it heard.
const LOOK: Duration = Duration::from_millis(5);

/// How much of what is granted a night uses.
#[derive(Debug, Parser)]
struct Args {
    /// Trips of the night.
    #[arg(long, default_value_t = 4_000)]
    trips: u64,
    /// Calls a second that are granted, and configured.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// After half of the calls only so many a second are granted.
    #[arg(long)]
    cut_to: Option<u32>,
    /// Milliseconds that every answer takes.
    #[arg(long, default_value_t = 80)]
    latency_ms: u64,
    /// Calls in flight.
    #[arg(long, default_value_t = 64)]
    lanes: usize,
    /// Fails when less of the granted calls is used, in thousandths.
    #[arg(long, default_value_t = 970)]
    at_least: u64,
    /// Fails when more of the calls is answered 429, in thousandths.
    #[arg(long, default_value_t = 30)]
    refused_at_most: u64,
    /// The program to measure, if not the one that was built with this.
    #[arg(long, default_value = PROGRAM, value_name = "PATH")]
    program: PathBuf,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// When the calls went, as the sandbox heard them.
struct Heard {
    first: Instant,
    cut: Option<Instant>,
    last: Instant,
    counts: CallCounts,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let heard = night(&args)?;
    let (sent, refused) = (all(heard.counts), heard.counts.throttled);
    let used = sent - refused;
    ensure!(used >= args.trips * CALLS, "only {used} calls were granted");
    let whole = heard.last - heard.first;
    let granted = granted(&args, &heard);
    let share = used * 1_000_000 / granted.max(1);
    let refused_share = refused * 1_000_000 / sent.max(1);
    println!(
        "{} trips, {used} calls granted of {granted} in {}.{:03} s",
        args.trips,
        whole.as_secs(),
        whole.subsec_millis()
    );
    println!("of the granted calls used: {}", per_cent(share));
    println!("of the calls answered 429: {}", per_cent(refused_share));
    let well = share >= args.at_least * 1_000 && refused_share <= args.refused_at_most * 1_000;
    Ok(ExitCode::from(u8::from(!well)))
}

/// What the service would have granted between the first call and the last, in calls.
fn granted(args: &Args, heard: &Heard) -> u64 {
    let calls = |span: Duration, rate: u32| {
        let calls = span.as_micros() * u128::from(rate) / 1_000_000;
        u64::try_from(calls).unwrap_or(u64::MAX)
    };
    let until = heard.cut.unwrap_or(heard.last);
    let before = calls(until - heard.first, args.rate);
    let after = args
        .cut_to
        .map_or(0, |rate| calls(heard.last - until, rate));
    u64::from(BURST) + before + after
}

fn night(args: &Args) -> Result<Heard> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build()?;
    let config = SandboxConfig {
        requests_per_second: Some(args.rate),
        burst: BURST,
        latency_ms: args.latency_ms,
        auto_trips: true,
        ..SandboxConfig::default()
    };
    let anywhere = "127.0.0.1:0".parse()?;
    let sandbox = runtime.block_on(Sandbox::start(anywhere, config))?;
    let trips = usize::try_from(args.trips)?;
    let house = House::new(&args.program, &sandbox.url(), args.lanes)?;
    house.feed(&Trip::many("trip", trips))?;
    let heard = std::thread::scope(|scope| {
        let running = scope.spawn(|| house.run_at(args.rate, BURST));
        let heard = watch(args, &sandbox, || running.is_finished());
        let _: Ended = running.join().expect("the night does not panic")?;
        heard
    })?;
    house.settled(trips)?;
    runtime.block_on(sandbox.stop());
    Ok(heard)
}

/// Looks at what the sandbox hears until the night is over; cuts the limit in the middle.
fn watch(args: &Args, sandbox: &Sandbox, is_over: impl Fn() -> bool) -> Result<Heard> {
    let mut counts = CallCounts::default();
    let (mut first, mut cut, mut last) = (None, None, None);
    while !is_over() {
        std::thread::sleep(LOOK);
        let now = Instant::now();
        let heard = sandbox.calls();
        if heard != counts {
            first.get_or_insert(now);
            last = Some(now);
            counts = heard;
        }
        if let (Some(rate), None) = (args.cut_to, cut)
            && all(counts) >= args.trips * CALLS / 2
        {
            sandbox.set_rate(Some(rate), BURST);
            cut = Some(now);
        }
    }
    Ok(Heard {
        first: first.context("no call came")?,
        cut,
        last: last.context("no call came")?,
        counts,
    })
}

fn all(counts: CallCounts) -> u64 {
    counts.adjust + counts.capture + counts.cancel + counts.transactional_data
}

fn per_cent(millionths: u64) -> String {
    format!("{}.{:02} %", millionths / 10_000, millionths / 100 % 100)
}

//! A retailer's machine and a sandbox, each a process of its own, as on any other night.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{SecondsFormat, TimeDelta, Utc};
use tempfile::TempDir;

use super::bare;

/// The program as it was built with the benchmark.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tripsettle");
/// The build's own folder for whatever is made while measuring.
pub const BUILD: &str = env!("CARGO_TARGET_TMPDIR");
/// The keys and the region that the sandbox lets in.
pub const KEYS: (&str, &str) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
/// See [`KEYS`].
pub const REGION: &str = "us-east-1";
/// How often a process is asked for the most memory that it has held so far.
const LOOK: Duration = Duration::from_millis(5);

/// One trip: its id, and its cart total in cents.
#[derive(Debug, Clone)]
pub struct Trip {
    pub id: String,
    pub cents: usize,
}

impl Trip {
    /// `count` trips of which the first word of every id is `word`.
    pub fn many(word: &str, count: usize) -> Vec<Self> {
        let trip = |at| Self {
            id: format!("{word}-{at:07}"),
            cents: 500 + at % 9_000,
        };
        (0..count).map(trip).collect()
    }

    /// The cart total as both a feed and the payment service write it.
    pub fn amount(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

/// `tripsettle sandbox` on a free port, without a limit; ended when it is dropped.
pub struct Sandbox {
    child: Child,
    pub url: String,
    // Kept open: the sandbox would otherwise speak to nobody.
    _says: BufReader<ChildStdout>,
}

impl Sandbox {
    pub fn start(program: &Path) -> Result<Self> {
        Self::start_slow(program, 0)
    }

    /// The same, with every answer taking so long.
    pub fn start_slow(program: &Path, latency_ms: u64) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["sandbox", "--listen", "127.0.0.1:0"]);
        command.args(["--latency-ms", &latency_ms.to_string()]);
        command.env_clear().stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut says = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut line = String::new();
        says.read_line(&mut line)?;
        let url = line.split([' ', ';']).find(|word| word.starts_with("http"));
        let url = url.with_context(|| format!("no address in `{line}`"))?;
        let url = url.to_owned();
        Ok(Self {
            child,
            url,
            _says: says,
        })
    }

    /// The sandbox is the witness: so many adjusts, captures and reads came, and nothing else.
    pub fn heard(&self, each: usize) -> Result<()> {
        let heard = bare::get(&format!("{}/sandbox/calls", self.url))?;
        let heard: serde_json::Value = serde_json::from_str(&heard)?;
        for (name, calls) in heard.as_object().context("counts are an object")? {
            let wanted = match name.as_str() {
                "adjust" | "capture" | "transactional_data" => each,
                _ => 0,
            };
            ensure!(*calls == wanted, "{name}: {calls} calls, not {wanted}");
        }
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a command ended.
pub struct Ended {
    pub took: Duration,
    /// The most memory it ever held, in KiB.
    pub peak: u64,
}

/// A retailer's machine: state, inbox and output on disk, everything else as it comes.
pub struct House {
    program: PathBuf,
    dir: TempDir,
    url: String,
    lanes: usize,
    unforced: Option<PathBuf>,
}

impl House {
    /// In the build's own folder: a real disk, where a folder for temporary files may be none.
    pub fn new(program: &Path, url: &str, lanes: usize) -> Result<Self> {
        Self::in_dir(Path::new(BUILD), program, url, lanes)
    }

    /// In a folder below `dir`.
    pub fn in_dir(dir: &Path, program: &Path, url: &str, lanes: usize) -> Result<Self> {
        // Commands run in another folder.
        let program = program.canonicalize()?;
        let dir = tempfile::tempdir_in(dir)?;
        let url = url.to_owned();
        Ok(Self {
            program,
            dir,
            url,
            lanes,
            unforced: None,
        })
    }

    /// The same with synchronous OFF: what is forced to disk is not.
    pub fn unforced(mut self) -> Result<Self> {
        let (source, library) = (
            concat!(env!("CARGO_MANIFEST_DIR"), "/benches/shared/unforced.c"),
            self.path("unforced.so"),
        );
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source);
        let compiled = cc.status().context("a C compiler, `cc`, is needed")?;
        ensure!(compiled.success(), "{source} cannot be compiled");
        self.unforced = Some(library);
        Ok(self)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Drops a file with these trips into the inbox. They are thirty hours old: all due tonight.
    pub fn feed(&self, trips: &[Trip]) -> Result<()> {
        let started = Utc::now() - TimeDelta::hours(30);
        let started = started.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut csv = "store_id,shopping_trip_id,started_at,amount,currency\n".to_owned();
        for trip in trips {
            writeln!(csv, "S1,{},{started},{},USD", trip.id, trip.amount())?;
        }
        fs::create_dir_all(self.path("inbox"))?;
        Ok(fs::write(self.path("inbox/night.csv"), csv)?)
    }

    /// `tripsettle run`, from its start to its end, logging a line per call into a file; no rate
    /// limit is in its way.
    pub fn run(&self) -> Result<Ended> {
        self.run_at(100_000, 1_000_000)
    }

    /// The same with so many calls a second, and `burst` at once.
    pub fn run_at(&self, calls_a_second: u32, burst: u32) -> Result<Ended> {
        self.timed(self.paced("run", calls_a_second, burst))
    }

    /// Starts a command, without a limit and saying nothing; `url` is the service that it asks.
    pub fn start(&self, command: &str, url: &str) -> Result<Child> {
        let mut command = self.paced(command, 100_000, 1_000_000);
        command.env("TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT", url);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.spawn()?)
    }

    fn paced(&self, word: &str, calls_a_second: u32, burst: u32) -> Command {
        let mut command = self.at_home(&self.program);
        command.arg(word);
        for (key, value) in [
            ("REQUESTS_PER_SECOND", calls_a_second.to_string()),
            ("BURST", burst.to_string()),
            ("MAX_IN_FLIGHT", self.lanes.to_string()),
            // The border of a batch is for a service in trouble, which this one is not.
            ("BATCH_SIZE", "2000".to_owned()),
        ] {
            command.env(format!("TRIPSETTLE_PAYMENT_SERVICE__{key}"), value);
        }
        command
    }

    /// `tripsettle import` of the file that [`House::feed`] wrote.
    pub fn import(&self) -> Result<Ended> {
        let mut command = self.at_home(&self.program);
        command.args(["import", "inbox/night.csv"]);
        self.timed(command)
    }

    /// `tripsettle settle`, waited for without looking at its memory.
    pub fn settle(&self) -> Result<Duration> {
        let mut command = self.at_home(&self.program);
        command.arg("settle");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let status = command.status()?;
        let took = started.elapsed();
        ensure!(status.success(), "settle ended with {status}");
        Ok(took)
    }

    /// Where the state lies.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The script of `benches/peer/` on the file that [`House::feed`] wrote, with a state and an
    /// output of its own.
    pub fn run_peer(&self, python: &Path) -> Result<Ended> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer/settle.py");
        let mut command = self.at_home(python);
        command.args([script, "inbox/night.csv", "peer.db", "out/peer/e1"]);
        command.args(["--lanes", &self.lanes.to_string()]);
        self.timed(command)
    }

    /// A program in this folder, with these keys and this endpoint and nothing else.
    fn at_home(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env_clear();
        command.env("AWS_ACCESS_KEY_ID", KEYS.0);
        command.env("AWS_SECRET_ACCESS_KEY", KEYS.1);
        command.env("AWS_REGION", REGION);
        command.env("TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT", &self.url);
        if let Some(library) = &self.unforced {
            command.env("LD_PRELOAD", library);
            command.env("UNFORCED", self.path("unforced"));
        }
        command.stdin(Stdio::null());
        command
    }

    fn timed(&self, mut command: Command) -> Result<Ended> {
        let log = File::create(self.path("log"))?;
        command.stdout(log.try_clone()?);
        let started = Instant::now();
        let mut child = command.stderr(log).spawn()?;
        let mut peak = 0;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            peak = high_water(child.id()).unwrap_or(0).max(peak);
            std::thread::sleep(LOOK);
        };
        let took = started.elapsed();
        if !status.success() {
            bail!("the night ended with {status}: {}", self.last_words()?);
        }
        let is_unforced = self.path("unforced").exists();
        ensure!(
            is_unforced == self.unforced.is_some(),
            "the library that forces nothing was not used"
        );
        Ok(Ended { took, peak })
    }

    fn last_words(&self) -> Result<String> {
        let log = fs::read_to_string(self.path("log"))?;
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        Ok(lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// Every trip was captured, its transactional data is here, and it stands in the books.
    pub fn settled(&self, trips: usize) -> Result<()> {
        let mut settled = 0;
        for day in fs::read_dir(self.path("out"))? {
            settled += captured(&day?.path().join("e1/reconciliation.csv"))?;
        }
        ensure!(settled == trips, "{settled} of {trips} trips were settled");
        Ok(())
    }
}

fn captured(file: &Path) -> Result<usize> {
    let mut reader = csv::Reader::from_path(file)?;
    let columns = reader.headers()?.clone();
    let column = |name| columns.iter().position(|column| column == name);
    let outcome = column("outcome").context("no column `outcome`")?;
    let state = column("capture_state").context("no column `capture_state`")?;
    let mut captured = 0;
    for row in reader.records() {
        let row = row?;
        let done = row.get(outcome) == Some("captured") && row.get(state) == Some("evidenced");
        captured += usize::from(done);
    }
    Ok(captured)
}

/// The kernel's own mark of the most memory that a process has held, in KiB.
fn high_water(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

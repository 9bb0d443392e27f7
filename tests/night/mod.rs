//! What the nights share: a folder, a sandbox, the real program, and readers of what it published.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tripsettle::sandbox::{Sandbox, SandboxConfig};

pub mod stories;
pub mod witness;

/// The processor `acme`, which puts its reports into the folder `reports`; more columns may follow.
pub const ACME: &str = r#"
[processor.acme]
reports_dir = "reports"
[processor.acme.columns]
store_id = "store"
trip_id = "trip"
amount = "amount"
currency = "currency"
"#;

/// One row of a published CSV, by column.
pub type Row = BTreeMap<String, String>;

/// A retailer's machine beside a payment service.
pub struct Night {
    pub dir: TempDir,
    pub sandbox: Sandbox,
    pub began: DateTime<Utc>,
    env: BTreeMap<String, String>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none when a signal killed it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Night {
    /// A machine that is configured by environment variables alone.
    pub fn begin() -> Self {
        Self::begin_with(SandboxConfig::default())
    }

    pub fn begin_with(config: SandboxConfig) -> Self {
        let keys = (config.access_key.clone(), config.secret_key.clone());
        let region = config.region.clone();
        let sandbox = start(([127, 0, 0, 1], 0).into(), config);
        let dir = tempfile::tempdir().unwrap();
        let began = Utc::now();
        let mut night = Self {
            dir,
            sandbox,
            began,
            env: BTreeMap::new(),
        };
        // A run as planned: it began a minute ago by the schedule, 150 minutes after the cut-off,
        // so that no midnight comes in between.
        let cutoff = began - TimeDelta::minutes(150);
        let planned = began - TimeDelta::minutes(1);
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", keys.0),
            ("AWS_SECRET_ACCESS_KEY", keys.1),
            ("AWS_REGION", region),
            ("TRIPSETTLE_LOG", "warn".to_owned()),
            ("TRIPSETTLE_STATE_DIR", night.text_of("state")),
            ("TRIPSETTLE_OUTPUT_DIR", night.text_of("out")),
            ("TRIPSETTLE_INBOX_DIR", night.text_of("inbox")),
            ("TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT", night.sandbox.url()),
            (
                "TRIPSETTLE_PAYMENT_SERVICE__REQUESTS_PER_SECOND",
                "200".to_owned(),
            ),
            ("TRIPSETTLE_PAYMENT_SERVICE__BURST", "50".to_owned()),
            ("TRIPSETTLE_PAYMENT_SERVICE__MAX_IN_FLIGHT", "4".to_owned()),
            (
                "TRIPSETTLE_PAYMENT_SERVICE__TIMEOUT_SECONDS",
                "3".to_owned(),
            ),
            (
                "TRIPSETTLE_CALENDAR__CUTOFF",
                cutoff.format("%H:%M").to_string(),
            ),
            (
                "TRIPSETTLE_SWEEP__SCHEDULE",
                planned.format("0 %-M %-H * * *").to_string(),
            ),
        ] {
            night.set(name, &value);
        }
        // What is planted in a proof is planted in the program that it looks at.
        if let Ok(bug) = std::env::var("TRIPSETTLE_PLANTED") {
            night.set("TRIPSETTLE_PLANTED", &bug);
        }
        night
    }

    /// The same machine with an empty disk, beside another service.
    pub fn beside(&self, config: SandboxConfig) -> Self {
        let sandbox = start(([127, 0, 0, 1], 0).into(), config);
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (
            self.dir.path().to_str().unwrap(),
            dir.path().to_str().unwrap(),
        );
        let moved = |value: &String| {
            value
                .replace(old, new)
                .replace(&self.sandbox.url(), &sandbox.url())
        };
        let env = self
            .env
            .iter()
            .map(|(name, value)| (name.clone(), moved(value)))
            .collect();
        Self {
            dir,
            sandbox,
            began: self.began,
            env,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text_of(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Sets an environment variable for every later command.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// Takes an environment variable away again; gives what it was.
    pub fn unset(&mut self, name: &str) -> Option<String> {
        self.env.remove(name)
    }

    /// Adds a configuration file, for what no environment variable can say; they still win.
    pub fn configure_by_file(&mut self, text: &str) {
        let file = self.path("tripsettle.toml");
        fs::write(&file, text).unwrap();
        self.set("TRIPSETTLE_CONFIG", file.to_str().unwrap());
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.env_clear().envs(&self.env);
        command.current_dir(self.dir.path()).args(args);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn tripsettle(&self, args: &[&str]) -> Ended {
        let output = self.command(args).output().unwrap();
        Ended {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that must end with this exit code.
    pub fn expect(&self, code: i32, args: &[&str]) -> Ended {
        let ended = self.tripsettle(args);
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:#?}");
        ended
    }

    /// Starts a command and does not wait; what it says goes nowhere.
    pub fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Every published edition, `DATE/eN`, in order.
    pub fn editions(&self) -> Vec<String> {
        let mut editions = Vec::new();
        for day in names(&self.path("out")) {
            let inside = names(&self.path("out").join(&day)).into_iter();
            editions.extend(inside.map(|edition| format!("{day}/{edition}")));
        }
        editions
    }

    /// The newest edition of every books date, oldest day first.
    pub fn newest_editions(&self) -> Vec<PathBuf> {
        let mut newest: BTreeMap<String, u32> = BTreeMap::new();
        for edition in self.editions() {
            let (day, number) = edition.split_once("/e").unwrap();
            let known = newest.entry(day.to_owned()).or_default();
            *known = number.parse().unwrap_or(0).max(*known);
        }
        let path = |(day, edition)| self.path("out").join(day).join(format!("e{edition}"));
        newest.into_iter().map(path).collect()
    }

    /// The rows of one file in the newest editions of all days.
    pub fn published(&self, file: &str) -> Vec<Row> {
        let editions = self.newest_editions().into_iter();
        editions.flat_map(|dir| rows(&dir.join(file))).collect()
    }

    /// `summary.json` of the newest editions of all days.
    pub fn summaries(&self) -> Vec<serde_json::Value> {
        let read = |dir: PathBuf| fs::read(dir.join("summary.json")).unwrap();
        let editions = self.newest_editions().into_iter();
        editions
            .map(|dir| serde_json::from_slice(&read(dir)).unwrap())
            .collect()
    }
}

/// A sandbox at this address; its time and its thread are its own.
pub fn start(addr: std::net::SocketAddr, config: SandboxConfig) -> Sandbox {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let started = Sandbox::start(addr, config);
    runtime.unwrap().block_on(started).unwrap()
}

/// The rows of a CSV file.
pub fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// What is in a folder and not hidden, in order; nothing when there is no folder.
pub fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// The program: the one that belongs to the tests, or the one that `TRIPSETTLE_UNDER_TEST` names.
fn program() -> std::ffi::OsString {
    let named = std::env::var_os("TRIPSETTLE_UNDER_TEST");
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_tripsettle").into())
}

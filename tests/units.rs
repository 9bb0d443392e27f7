//! The command lines of systemd/ are ones that tripsettle understands.
//!
//! What systemd itself has to say about the units is asked by `systemd/check.sh`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use tripsettle::cli::args::{Cli, Command};

/// What stands in `systemd/NAME` from the program's name to the end of the line, one per use.
fn command_lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(name);
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let starts = ["=/usr/bin/tripsettle ", "|| tripsettle ", "*   tripsettle "];
    let found = lines.filter_map(|line| {
        starts
            .iter()
            .find_map(|start| Some(line.split_once(start)?.1.to_owned()))
    });
    found.collect()
}

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(["tripsettle"].into_iter().chain(line.split_whitespace()))
}

#[test]
fn the_units_and_the_crontab_start_what_they_say() {
    let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
    for (file, runs, settles) in [
        ("tripsettle.service", vec![minutes(30)], vec![]),
        ("tripsettle-settle.service", vec![], vec![None]),
        ("crontab.example", vec![minutes(30)], vec![minutes(50)]),
    ] {
        let (mut found_runs, mut found_settles) = (Vec::new(), Vec::new());
        for line in command_lines(file) {
            let typed = parse(&line).unwrap();
            assert!(typed.quiet, "{file}: {line}");
            match typed.command {
                Command::Run(run) => found_runs.push(run.wait.wait_lock),
                Command::Settle(wait) => found_settles.push(wait.wait_lock),
                other => panic!("{file}: starts {other:?}"),
            }
        }
        assert_eq!((found_runs, found_settles), (runs, settles), "{file}");
    }
}

#[test]
fn a_misspelt_flag_is_seen() {
    assert!(parse("run --wait-lok 30m --quiet").is_err());
}

/// cron turns a bare `%` into a new line.
#[test]
fn the_crontab_escapes_percent_signs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/crontab.example");
    let text = fs::read_to_string(path).unwrap();
    let jobs: Vec<_> = text
        .lines()
        .filter(|line| line.contains(" * * * "))
        .collect();
    assert_eq!(jobs.iter().filter(|job| !job.starts_with('#')).count(), 2);
    for job in jobs.iter().filter(|job| !job.starts_with('#')) {
        assert!(!job.replace("\\%", "").contains('%'), "{job}");
    }
}

//! The command lines of systemd/ are ones that tripsettle understands.
//!
//! What systemd itself has to say about the units is asked by `systemd/check.sh`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use tripsettle::cli::args::{Cli, Command, EXIT_CODES};

fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// What stands in `systemd/NAME` from the program's name to the end of the line, one per use.
fn command_lines(name: &str) -> Vec<String> {
    let text = text(name);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let starts = [
        "=/usr/bin/tripsettle ",
        "NIGHT=tripsettle ",
        "*   tripsettle ",
    ];
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
    // Longer than an hourly pass may hold the lock, and over before the next night.
    let night = minutes(12 * 60);
    for (file, runs, settles) in [
        ("tripsettle.service", vec![night], vec![]),
        ("tripsettle-settle.service", vec![], vec![None]),
        ("crontab.example", vec![night], vec![minutes(50)]),
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
    let jobs = jobs();
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        assert!(!job.replace("\\%", "").contains('%'), "{job}");
    }
}

/// The jobs of the crontab, without their times.
fn jobs() -> Vec<String> {
    let text = text("crontab.example");
    let jobs = text.lines().filter(|line| !line.starts_with('#'));
    let jobs = jobs.filter_map(|line| line.split_once(" * * * *"));
    jobs.map(|(_, job)| job.trim().to_owned()).collect()
}

/// The numbers after `KEY=` in a unit; names of signals are left out.
fn codes(unit: &str, key: &str) -> BTreeSet<u8> {
    let line = unit.lines().find_map(|line| line.strip_prefix(key));
    let words = line.unwrap().split_whitespace();
    words.filter_map(|word| word.parse().ok()).collect()
}

/// Every exit code of the help ends the unit, well or not, but the one that may pass by itself.
#[test]
fn the_night_is_started_again_only_where_that_can_help() {
    let unit = text("tripsettle.service");
    let is_not_digit = |c: char| !c.is_ascii_digit();
    let mut again: BTreeSet<u8> = EXIT_CODES
        .split(is_not_digit)
        .filter_map(|word| word.parse().ok())
        .filter(|code| *code != 0)
        .collect();
    for code in codes(&unit, "SuccessExitStatus=").union(&codes(&unit, "RestartPreventExitStatus="))
    {
        assert!(again.remove(code), "{code} is no exit code");
    }
    assert_eq!(again, BTreeSet::from([69]));
    assert!(unit.contains("\nRestart=on-failure\n"));
    // It ends: so many starts take less time than the limit looks back.
    assert_eq!(codes(&unit, "StartLimitBurst="), BTreeSet::from([5]));
    assert!(
        unit.contains("\nRestartSec=15min\n") && unit.contains("\nStartLimitIntervalSec=20h\n")
    );
}

/// The nightly line, with a clock, a bed and a program of ours. The last code is given for ever.
#[test]
fn cron_starts_the_night_again_only_where_that_can_help() {
    const OURS: &str = "date() { echo $HOUR; }; sleep() { :; }
        tripsettle() { echo started; code=${ENDS%% *}; ENDS=${ENDS#* }; return $code; }";
    let text = text("crontab.example");
    let night = text.lines().find_map(|line| line.strip_prefix("NIGHT="));
    let script = format!("{OURS}\n{}", jobs()[0].replace("\\%", "%"));
    let rows = [
        ("02", "0", 1),
        ("02", "10", 1),
        ("02", "75", 1),
        ("02", "69 69 0", 3),
        ("02", "69", 5),
        ("03", "0", 0),
    ];
    for (hour, ends, starts) in rows {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).env("NIGHT", night.unwrap());
        let said = shell.env("HOUR", hour).env("ENDS", ends).output().unwrap();
        assert!(said.stderr.is_empty(), "{said:?}");
        let started = "started\n".repeat(starts);
        assert_eq!(
            String::from_utf8(said.stdout).unwrap(),
            started,
            "{hour}: {ends}"
        );
    }
}

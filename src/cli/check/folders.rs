//! The folders that a run needs: state, published files, inbox and reports. Nothing is left there.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::config::Config;
use crate::domain::Timestamp;
use crate::processor;
use crate::run::{inbox, render};
use crate::store::Store;

use super::super::print::many;
use super::{Failure, Tried, state};

/// So much is written to each folder: a full disk still makes names and empty files.
const PROBE: usize = 1 << 16;
/// So many of the last published days are opened.
const DAYS: usize = 31;

/// Tries each folder.
pub(super) fn try_folders(config: &Config, now: Timestamp) -> Vec<Tried> {
    let mut tried = Vec::new();
    let mut tell = |what, found| tried.push(Tried { what, found });
    tell("state", try_state(config, now));
    tell("output_dir", try_output(config));
    tell("inbox_dir", try_inbox(&config.inbox_dir));
    for processor in config.processors.values() {
        if let Some(dir) = &processor.reports_dir {
            tell("reports_dir", try_reports(dir));
        }
    }
    tried
}

fn try_state(config: &Config, now: Timestamp) -> Result<String, Failure> {
    let dir = config.state_dir.display();
    let word = match Store::exists(&config.state_dir)? {
        true => {
            // First: of a full disk SQLite says less.
            try_to_write(&config.state_dir, Ok(()))?;
            let store = Store::open(&config.state_dir)?;
            store.quick_check()?;
            state::in_force(config, store)?;
            "is sound"
        }
        false => {
            state::open(config, now)?;
            "was created"
        }
    };
    Ok(format!("{dir} {word}"))
}

fn try_output(config: &Config) -> Result<String, Failure> {
    let dir = &config.output_dir;
    try_to_write(dir, render::make_output_dir(config))?;
    let dir = dir.display();
    Ok(match render::try_to_read(config, DAYS)? {
        0 => format!("{dir} can be written"),
        1 => format!("{dir} can be written, and its newest edition be read"),
        days => format!("{dir} can be written, and the editions of its last {days} days be read"),
    })
}

fn try_inbox(dir: &Path) -> Result<String, Failure> {
    let unread = |why| failed(dir, "read", &why);
    let is_new = !dir.try_exists().map_err(unread)?;
    try_to_write(dir, fs::create_dir_all(dir))?;
    let place = dir.display();
    if is_new {
        let what = "did not exist, and was made; is inbox_dir right?";
        return Ok(format!("WARNING: {place} {what}"));
    }
    Ok(match inbox::overlooked(dir).map_err(unread)? {
        Some(what) => format!("WARNING: {what}"),
        None => format!("{place} can be written"),
    })
}

/// Writes to a file without a name, which is gone when it is closed, also by a kill; a folder that
/// is not there yet is `made`.
fn try_to_write(dir: &Path, made: io::Result<()>) -> Result<(), Failure> {
    let tried = made.and_then(|()| {
        let mut file = tempfile::tempfile_in(dir)?;
        file.write_all(&vec![0; PROBE])?;
        file.sync_all()
    });
    tried.map_err(|why| failed(dir, "written", &why))
}

fn try_reports(dir: &Path) -> Result<String, Failure> {
    let found = processor::report_files(dir).map_err(|why| failed(dir, "read", &why))?;
    Ok(format!(
        "{} holds {}",
        dir.display(),
        many(found.len(), "report")
    ))
}

fn failed(dir: &Path, what: &str, why: &io::Error) -> Failure {
    let message = format!("{} cannot be {what}: {why}", dir.display());
    Failure { code: 74, message }
}

//! `backup`: a copy of the state, beside whatever runs.

use serde_json::json;

use crate::config::Config;
use crate::domain::Timestamp;

use super::args::BackupArgs;
use super::exit::Failure;
use super::print::Output;
use super::state;

/// `backup`.
pub fn backup(
    config: &Config,
    args: &BackupArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    let mut to = args.to.clone();
    if to.is_dir() {
        to.push(now.utc().format("tripsettle-%Y%m%dT%H%M%SZ.db").to_string());
    }
    if to.exists() {
        let why = format!("{} exists already; a backup never overwrites", to.display());
        return Err(Failure::usage(why));
    }
    let head = state::open_to_read(config)?.backup(&to, now)?;
    let file = to.display().to_string();
    let json =
        json!({ "schema": "tripsettle.backup/1", "file": file, "journal": head.to_string() });
    if output.json || !output.quiet {
        output.either(&json, &format!("{file}: journal {head}\n"));
    }
    Ok(0)
}

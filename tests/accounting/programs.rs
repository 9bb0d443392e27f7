//! The programs of the accountants, where they are installed.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program on the PATH. `ACCOUNTING=required` makes a missing one a failure:
/// `tests/accounting/run` installs them all and sets it.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file());
    let required = std::env::var_os("ACCOUNTING").is_some();
    assert!(found.is_some() || !required, "{name} is not installed");
    if found.is_none() {
        eprintln!("{name} is not installed: only our own reader has looked");
    }
    found
}

/// What a program said of a file, and whether it was content.
pub fn ask(program: &Path, args: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

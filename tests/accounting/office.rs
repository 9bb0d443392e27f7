//! LibreOffice, without a screen: what a spreadsheet makes of what was published.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that LibreOffice makes of one, by name. Its settings are a folder of its own, so that
/// nobody's are touched.
pub fn converted(soffice: &Path, from: &Path, to: &str) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let settings = format!(
        "-env:UserInstallation=file://{}/settings",
        dir.path().display()
    );
    let ran = Command::new(soffice)
        .args([&settings, "--headless", "--norestore"])
        // UTF-8, comma, quotes: without it the character set would be guessed.
        .args([
            "--infilter=CSV:44,34,76,1,,0,false,false",
            "--convert-to",
            to,
            "--outdir",
        ])
        .args([&out, from])
        .env("HOME", dir.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}: {ran:?}", from.display());
    let files: Vec<PathBuf> = fs::read_dir(&out)
        .unwrap_or_else(|why| panic!("{}: {why}: {ran:?}", from.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    files.into_iter().map(named).collect()
}

/// Every sheet as a CSV, with cells as they are shown.
pub const SHEETS: &str =
    "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1";
/// A flat document, in which formulas can be found.
pub const FLAT: &str = "fods";

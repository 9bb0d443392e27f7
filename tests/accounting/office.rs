//! LibreOffice, without a screen: what a spreadsheet makes of what was published.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that LibreOffice makes of one, by name.
pub fn converted(soffice: &Path, from: &Path, to: &str) -> BTreeMap<String, String> {
    let files = opened(soffice, PLAINLY, &[from.to_owned()], to);
    let text = |(name, bytes)| (name, String::from_utf8(bytes).unwrap());
    files.into_iter().map(text).collect()
}

/// The files that LibreOffice makes of some, by name; `how` is how it reads a CSV. Its settings are
/// a folder of its own, so that nobody's are touched.
pub fn opened(soffice: &Path, how: &str, from: &[PathBuf], to: &str) -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let settings = format!(
        "-env:UserInstallation=file://{}/settings",
        dir.path().display()
    );
    let ran = Command::new(soffice)
        .args([&settings, "--headless", "--norestore", how])
        .args(["--convert-to", to, "--outdir"])
        .arg(&out)
        .args(from)
        .env("HOME", dir.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{from:?}: {ran:?}");
    let files: Vec<PathBuf> = fs::read_dir(&out)
        .unwrap_or_else(|why| panic!("{from:?}: {why}: {ran:?}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    };
    files.into_iter().map(named).collect()
}

/// UTF-8, comma, quotes: without it the character set would be guessed.
pub const PLAINLY: &str = "--infilter=CSV:44,34,76,1,,0,false,false";
/// The same, and it looks for dates, times, truths and powers of ten.
pub const EAGERLY: &str = "--infilter=CSV:44,34,76,1,,0,false,true";
/// Every sheet as a CSV, with cells as they are shown.
pub const SHEETS: &str =
    "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1";
/// A flat document, in which formulas can be found.
pub const FLAT: &str = "fods";
/// A workbook, in which cells have types.
pub const BOOK: &str = "xlsx";

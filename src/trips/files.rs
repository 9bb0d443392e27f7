//! The inbox: which files are there, their hash, and where a taken one goes.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::disk::sync_dir;
use crate::domain::cards::hide_card_numbers;

use super::format_of;

/// The trip files of an inbox in byte order of name. Names that begin with `.` or end in `.tmp` or
/// `.part` are being written by somebody; a folder that does not exist is an empty inbox.
///
/// # Errors
/// The folder cannot be read.
pub fn inbox_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in entries(dir)? {
        if !is_hidden(&entry) && why_not(&entry)?.is_none() {
            files.push(entry.path());
        }
    }
    files.sort_by(|a, b| {
        a.as_os_str()
            .as_encoded_bytes()
            .cmp(b.as_os_str().as_encoded_bytes())
    });
    Ok(files)
}

/// What lies in an inbox, is not taken, and is not hidden by whoever put it there: `NAME (why)`,
/// in order of name.
///
/// # Errors
/// The folder cannot be read.
pub fn overlooked(dir: &Path) -> io::Result<Vec<String>> {
    let mut others = Vec::new();
    for entry in entries(dir)? {
        let name = entry.file_name();
        let is_unfinished = [&b".tmp"[..], b".part"]
            .iter()
            .any(|ending| name.as_encoded_bytes().ends_with(ending));
        if is_hidden(&entry) || is_unfinished || name == "taken" {
            continue;
        }
        if let Some(why) = why_not(&entry)? {
            let name = name.to_string_lossy();
            others.push(format!("{} ({why})", hide_card_numbers(&name)));
        }
    }
    others.sort();
    Ok(others)
}

fn entries(dir: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries.collect(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(why),
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// Why it is no trip file.
fn why_not(entry: &DirEntry) -> io::Result<Option<&'static str>> {
    let kind = entry.file_type()?;
    Ok(if kind.is_dir() {
        Some("a folder")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else if !kind.is_file() {
        Some("no file")
    } else if format_of(&entry.path()).is_none() {
        Some("its name does not end in .csv, .jsonl or .ndjson")
    } else {
        None
    })
}

/// How a file looks to whoever wants to know whether it is still being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Look {
    /// Looks at the file.
    ///
    /// # Errors
    /// It is not there, or may not be looked at.
    pub fn at(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        Ok(Self {
            inode: file.ino(),
            bytes: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
        })
    }
}

/// Moves a taken file into `taken/` beside it; a name that is there already gets a number.
///
/// # Errors
/// The folder cannot be made, or the file cannot be moved.
pub fn move_to_taken(path: &Path) -> io::Result<PathBuf> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    let taken = dir.join("taken");
    fs::create_dir_all(&taken)?;
    // A cut that takes the folder's name, but not that the file left, would take the file.
    sync_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut place = taken.join(&*name);
    let mut number = 1_u32;
    // A rename replaces what is there: an empty file of our own, for the name is ours only once
    // it could be made. (A hard link would not replace, but is refused for others' files.)
    while let Err(why) = File::create_new(&place) {
        if why.kind() != io::ErrorKind::AlreadyExists {
            return Err(why);
        }
        let there = fs::symlink_metadata(&place)?;
        if there.is_file() && there.len() == 0 {
            // Left by a run that was killed before its rename.
            break;
        }
        number = number.saturating_add(1);
        place = taken.join(numbered(&name, number));
    }
    if let Err(why) = fs::rename(path, &place) {
        fs::remove_file(&place)?;
        return Err(why);
    }
    sync_dir(&taken)?;
    sync_dir(dir)?;
    Ok(place)
}

fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{number}.{extension}"),
        None => format!("{name}-{number}"),
    }
}

/// SHA-256 of a file's bytes, in hex.
///
/// # Errors
/// The file cannot be read.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut part = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut part)?;
        let Some(bytes) = part.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hash.update(bytes);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

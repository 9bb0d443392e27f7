//! What stands published, read back for those who verify it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::domain::BooksDate;

use super::super::manifest::hex;
use super::edition_dir;
use super::error::{PublishError, unread};

/// Every edition published `from` a day on, by what stands in the output folder alone.
///
/// # Errors
/// I/O; an output folder that is not there holds none.
pub fn editions(
    output_dir: &Path,
    from: Option<BooksDate>,
) -> Result<Vec<(BooksDate, u32)>, PublishError> {
    let mut found = Vec::new();
    for day in names(output_dir)? {
        let Ok(date) = BooksDate::parse(&day) else {
            continue;
        };
        if from.is_some_and(|from| date < from) {
            continue;
        }
        let numbers = names(&output_dir.join(&day))?.into_iter();
        let number = |name: String| name.strip_prefix('e').and_then(|text| text.parse().ok());
        found.extend(numbers.filter_map(number).map(|number| (date, number)));
    }
    found.sort();
    Ok(found)
}

fn names(dir: &Path) -> Result<Vec<String>, PublishError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(why) => return Err(unread(dir)(why)),
    };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries
        .map(|entry| entry.map(name).map_err(unread(dir)))
        .collect()
}

/// Opens every file of the newest edition of the last `days` days that stand published; gives how
/// many days that were.
///
/// # Errors
/// A folder or a file cannot be read.
pub fn try_to_read(output_dir: &Path, days: usize) -> Result<usize, PublishError> {
    let newest: BTreeMap<BooksDate, u32> = editions(output_dir, None)?.into_iter().collect();
    let last = newest.iter().rev().take(days);
    for (date, edition) in last.clone() {
        let dir = edition_dir(output_dir, *date, *edition);
        for name in names(&dir)? {
            let path = dir.join(name);
            File::open(&path).map_err(unread(&path))?;
        }
    }
    Ok(last.count())
}

/// SHA-256 and length of a file, read in pieces.
///
/// # Errors
/// I/O.
pub fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let (mut bytes, mut piece) = (0_u64, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        let (read, _) = piece.split_at(read);
        hash.update(read);
        bytes = bytes.saturating_add(u64::try_from(read.len()).unwrap_or(u64::MAX));
    }
    Ok((hex(&hash.finalize()), bytes))
}

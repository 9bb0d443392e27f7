//! Verify, the published side: editions against their closes, files against their manifests.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use crate::config::Config;
use crate::domain::{BooksDate, Head};
use crate::outputs::publish::{edition_dir, editions, hash_file, published_manifest};
use crate::outputs::{FileEntry, MANIFEST, Manifest, POSTINGS, SUMMARY_JSON, sha256_hex, tally};
use crate::store::{CloseRow, Store};

use super::RunError;
use super::verify::{Damage, Verified, against};

/// Holds every published edition against what was closed.
pub(super) fn files(
    config: &Config,
    store: &Store,
    closes: &[CloseRow],
    found: &mut Verified,
) -> Result<(), RunError> {
    let hashes: BTreeSet<&str> = closes
        .iter()
        .map(|close| close.manifest_sha256.as_str())
        .collect();
    for close in closes {
        let place = format!("close of {} e{}", close.books_date, close.edition);
        let follows = close.previous_sha256.as_deref();
        if follows.is_some_and(|previous| !hashes.contains(previous)) {
            found.fault(Damage::Deleted, place, "the close that it follows is gone");
        }
        let last = store.head(close.last_seq)?;
        if last.seq < close.last_seq {
            let (from, to) = (last.seq.saturating_add(1), close.last_seq);
            let what = format!(
                "the events {from} to {to} are gone; {} has them",
                close.books_date
            );
            found.older(format!("journal seq {from}"), what);
        }
        if close.published {
            edition(config, store, close, found)?;
        }
    }
    let known: BTreeSet<(BooksDate, u32)> = closes
        .iter()
        .map(|close| (close.books_date, close.edition))
        .collect();
    let (lost, restored) = (store.lost_days_through()?, store.published_through()?);
    for (date, number) in editions(&config.output_dir, None)? {
        let through = |last: Option<BooksDate>| last.is_some_and(|last| date <= last);
        if through(lost) || known.contains(&(date, number)) {
            continue;
        }
        let place = edition_dir(&config.output_dir, date, number);
        if through(restored) {
            let what = "a state published it that is lost, and its day is closed again: void it";
            found.fault(Damage::Added, place.display(), what);
        } else {
            let what = "it was published, and the state does not know of it: the state is older";
            found.older(place.display(), what);
        }
    }
    Ok(())
}

fn edition(
    config: &Config,
    store: &Store,
    close: &CloseRow,
    found: &mut Verified,
) -> Result<(), RunError> {
    let (date, number) = (close.books_date, close.edition);
    let dir = edition_dir(&config.output_dir, date, number);
    let place = dir.join(MANIFEST).display().to_string();
    let Some(bytes) = published_manifest(&config.output_dir, date, number)? else {
        let what = match dir.try_exists() {
            Ok(false) => "the edition is gone",
            Ok(true) | Err(_) => "the edition has no manifest any more",
        };
        found.fault(Damage::Deleted, place, what);
        return Ok(());
    };
    if sha256_hex(&bytes) != close.manifest_sha256 {
        let what = "it is not the manifest with which the day was closed";
        found.fault(Damage::Altered, &place, what);
    }
    let manifest = match Manifest::parse(&bytes) {
        Ok(manifest) => manifest,
        Err(why) => {
            found.fault(Damage::Altered, place, why);
            return Ok(());
        }
    };
    if manifest.previous_manifest_sha256 != close.previous_sha256 {
        let what = "it follows another manifest than its close does";
        found.fault(Damage::Altered, &place, what);
    }
    for entry in &manifest.files {
        file(&dir, entry, found)?;
    }
    added(&dir, &manifest, found)?;
    told(&dir, store, found)
}

fn file(dir: &Path, entry: &FileEntry, found: &mut Verified) -> Result<(), RunError> {
    let path = dir.join(&entry.name);
    let failed = |why: std::io::Error| RunError::File {
        path: path.clone(),
        why,
    };
    found.files = found.files.saturating_add(1);
    let (sha256, bytes) = match hash_file(&path) {
        Ok(both) => both,
        Err(why) if why.kind() == ErrorKind::NotFound => {
            found.fault(Damage::Deleted, path.display(), "the file is gone");
            return Ok(());
        }
        Err(why) => return Err(failed(why)),
    };
    if sha256 != entry.sha256 {
        let what = format!("{bytes} bytes, {} were published, or others", entry.bytes);
        let damage = if bytes < entry.bytes {
            Damage::Truncated
        } else {
            Damage::Altered
        };
        found.fault(damage, path.display(), what);
        return Ok(());
    }
    // Postings are in the shape of their target, the workbook is no text: their hash is the proof.
    // A review file has no totals, so that only its rows are counted.
    let is_ours = entry.name.ends_with(".csv") && !entry.name.starts_with(POSTINGS);
    if let Some(rows) = entry.rows.filter(|_| is_ours) {
        let read = BufReader::new(File::open(&path).map_err(failed)?);
        match tally(read, &entry.totals) {
            Ok((counted, sums)) if counted == rows && sums == entry.totals => {}
            Ok((counted, _)) => {
                let what = format!("its {counted} rows do not add up to what the manifest says");
                found.fault(Damage::Altered, path.display(), what);
            }
            Err(why) => found.fault(Damage::Altered, path.display(), why),
        }
    }
    Ok(())
}

fn added(dir: &Path, manifest: &Manifest, found: &mut Verified) -> Result<(), RunError> {
    let failed = |why| RunError::File {
        path: dir.to_owned(),
        why,
    };
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let known = manifest.files.iter().any(|file| name == file.name.as_str());
        if !known && name != MANIFEST {
            let what = "it is no part of the edition";
            found.fault(Damage::Added, dir.join(name).display(), what);
        }
    }
    Ok(())
}

/// Holds the journal against the head that the edition's summary tells.
fn told(dir: &Path, store: &Store, found: &mut Verified) -> Result<(), RunError> {
    let path = dir.join(SUMMARY_JSON);
    // What is missing or unreadable was told above; an edition from before there was a chain has
    // no head.
    let summary: serde_json::Value =
        match fs::read(&path).map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(summary)) => summary,
            Ok(Err(_)) | Err(_) => return Ok(()),
        };
    let journal = &summary["journal"];
    let (seq, hash) = (&journal["last_seq"], journal["hash"].as_str().unwrap_or(""));
    match format!("{seq}:{hash}").parse::<Head>() {
        Ok(head) => Ok(against(store, head, &path.display().to_string(), found)?),
        Err(_) => Ok(()),
    }
}

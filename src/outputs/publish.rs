//! Publishing: finished files are put in place atomically, and never anything else.
//!
//! The road of an edition: [`Staging::begin`] makes a hidden folder in the output folder, files
//! are written and hashed there, [`Staging::finish`] writes the manifest and forces all of it to
//! disk, the close is committed, and [`publish`] renames the folder into place. A crash between
//! the last two leaves a committed close and a staged folder: calling [`publish`] again ends it.

mod error;
mod reading;
mod shelf;

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::disk::{make_dir, sync_dir, sync_road};
use crate::domain::BooksDate;
use crate::planted::{self, Bug};

pub use error::PublishError;
pub use reading::{editions, hash_file, try_to_read};
pub use shelf::StagedShelf;

use super::manifest::hex;
use super::{FileEntry, FileTotals, MANIFEST, Manifest, sha256_hex};
use error::{failed, unread};

/// Permissions of published files and folders; set explicitly, whatever the umask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Of files.
    pub file: u32,
    /// Of folders.
    pub dir: u32,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            file: 0o640,
            dir: 0o750,
        }
    }
}

/// The folder of a published edition: `<output_dir>/<books date>/e<edition>`.
pub fn edition_dir(output_dir: &Path, date: BooksDate, edition: u32) -> PathBuf {
    output_dir
        .join(date.to_string())
        .join(format!("e{edition}"))
}

fn staging_dir(output_dir: &Path, date: BooksDate, edition: u32) -> PathBuf {
    output_dir.join(format!(".staging-{date}-e{edition}"))
}

/// An edition under way.
#[derive(Debug)]
pub struct Staging {
    dir: PathBuf,
    date: BooksDate,
    edition: u32,
    modes: Modes,
}

impl Staging {
    /// An empty staging folder; one left from before is removed first.
    ///
    /// # Errors
    /// I/O.
    pub fn begin(
        output_dir: &Path,
        date: BooksDate,
        edition: u32,
        modes: Modes,
    ) -> Result<Self, PublishError> {
        make_output_dir(output_dir, modes).map_err(failed(output_dir))?;
        discard(output_dir, date, edition)?;
        let dir = match planted::is(Bug::WrittenInPlace) {
            true => edition_dir(output_dir, date, edition),
            false => staging_dir(output_dir, date, edition),
        };
        make_dir(&dir, modes.dir).map_err(failed(&dir))?;
        Ok(Self {
            dir,
            date,
            edition,
            modes,
        })
    }

    /// The folder, for what is kept only while a file is made.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A new file of the edition, hashed while it is written.
    ///
    /// # Errors
    /// I/O, also when the name was taken before.
    pub fn file(&self, name: &str) -> Result<StagedFile, PublishError> {
        let path = self.dir.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(self.modes.file);
        let file = options.open(&path).map_err(failed(&path))?;
        let permissions = Permissions::from_mode(self.modes.file);
        file.set_permissions(permissions).map_err(failed(&path))?;
        Ok(StagedFile {
            name: name.to_owned(),
            path,
            to: BufWriter::with_capacity(1 << 16, file),
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    /// A file of the edition that is complete already.
    ///
    /// # Errors
    /// I/O.
    pub fn put(&self, name: &'static str, bytes: &[u8]) -> Result<FileEntry, PublishError> {
        let mut file = self.file(name)?;
        let path = file.path.clone();
        file.write_all(bytes).map_err(failed(&path))?;
        file.finish(None)
    }

    /// Opens a file of the edition that was finished, to read it.
    ///
    /// # Errors
    /// I/O.
    pub fn read(&self, name: &'static str) -> Result<File, PublishError> {
        let path = self.dir.join(name);
        File::open(&path).map_err(unread(&path))
    }

    /// Writes the manifest and forces the whole edition to disk. After this the close may be
    /// committed with the manifest's bytes and their hash.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(
        self,
        previous: Option<String>,
        files: Vec<FileEntry>,
    ) -> Result<StagedEdition, PublishError> {
        let manifest = Manifest::of(self.date, self.edition, previous, files);
        let bytes = manifest.to_bytes()?;
        let sha256 = self.put(MANIFEST, &bytes)?.sha256;
        sync_dir(&self.dir).map_err(failed(&self.dir))?;
        Ok(StagedEdition {
            manifest,
            bytes,
            sha256,
        })
    }
}

/// A staged edition, ready to be committed.
#[derive(Debug, Clone)]
pub struct StagedEdition {
    /// The manifest.
    pub manifest: Manifest,
    /// The bytes of `manifest.json`.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: String,
}

/// A file of a staged edition.
#[derive(Debug)]
pub struct StagedFile {
    name: String,
    path: PathBuf,
    to: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl StagedFile {
    /// Forces the file to disk and gives its entry for the manifest; `totals` if it is a table.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(mut self, totals: Option<&FileTotals>) -> Result<FileEntry, PublishError> {
        self.to.flush().map_err(failed(&self.path))?;
        self.to.get_ref().sync_all().map_err(failed(&self.path))?;
        let sha256 = hex(&self.hash.finalize());
        let of = |totals: &FileTotals| {
            FileEntry::of_table(&self.name, sha256.clone(), self.bytes, totals)
        };
        Ok(match totals {
            Some(totals) => of(totals),
            None => FileEntry {
                rows: None,
                ..of(&FileTotals::default())
            },
        })
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        let (done, _) = bytes.split_at(written.min(bytes.len()));
        self.hash.update(done);
        let written_64 = u64::try_from(written).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(written_64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Puts the staged edition with this manifest in place, and gives its folder. Doing so again
/// changes nothing.
///
/// # Errors
/// I/O; [`PublishError::OtherBytes`] when something else stands there, which is never overwritten;
/// [`PublishError::NotStaged`] when the edition is neither there nor staged.
pub fn publish(
    output_dir: &Path,
    date: BooksDate,
    edition: u32,
    manifest_sha256: &str,
    modes: Modes,
) -> Result<PathBuf, PublishError> {
    let mut target = edition_dir(output_dir, date, edition);
    let is_it = |manifest: &Vec<u8>| sha256_hex(manifest) == manifest_sha256;
    let day = output_dir.join(date.to_string());
    if published_manifest(output_dir, date, edition)?.is_some_and(|bytes| is_it(&bytes)) {
        discard(output_dir, date, edition)?;
        // A run that was killed may have renamed it, and no more.
        named(output_dir, &day)?;
        return Ok(target);
    }
    if planted::is(Bug::EditionOverwritten) {
        target = edition_dir(output_dir, date, 1);
        fs::remove_dir_all(&target).unwrap_or_default();
    }
    if fs::symlink_metadata(&target).is_ok() {
        return Err(PublishError::OtherBytes(target));
    }
    let staged = staging_dir(output_dir, date, edition);
    if !staged_manifest(output_dir, date, edition)?.is_some_and(|bytes| is_it(&bytes)) {
        return Err(PublishError::NotStaged(staged));
    }
    make_dir(&day, modes.dir).map_err(failed(&day))?;
    fs::rename(&staged, &target).map_err(failed(&target))?;
    named(output_dir, &day)?;
    Ok(target)
}

/// Forces the names of a day's editions to disk.
fn named(output_dir: &Path, day: &Path) -> Result<(), PublishError> {
    sync_dir(day).map_err(failed(day))?;
    sync_road(output_dir).map_err(failed(output_dir))
}

/// The bytes of the staged edition's manifest, if it is complete.
///
/// # Errors
/// I/O.
pub fn staged_manifest(
    output_dir: &Path,
    date: BooksDate,
    edition: u32,
) -> Result<Option<Vec<u8>>, PublishError> {
    read_if_there(&staging_dir(output_dir, date, edition).join(MANIFEST))
}

/// The bytes of the published edition's manifest, if there is one.
///
/// # Errors
/// I/O.
pub fn published_manifest(
    output_dir: &Path,
    date: BooksDate,
    edition: u32,
) -> Result<Option<Vec<u8>>, PublishError> {
    read_if_there(&edition_dir(output_dir, date, edition).join(MANIFEST))
}

/// Removes a staged edition, if there is one.
///
/// # Errors
/// I/O.
pub fn discard(output_dir: &Path, date: BooksDate, edition: u32) -> Result<(), PublishError> {
    let dir = staging_dir(output_dir, date, edition);
    match fs::remove_dir_all(&dir) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(failed(&dir)(why)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, PublishError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(unread(path)(why)),
    }
}

/// Makes the folder of all editions; one that is there stays as it is.
///
/// # Errors
/// It cannot be made.
pub fn make_output_dir(output_dir: &Path, modes: Modes) -> io::Result<()> {
    make_dir(output_dir, modes.dir)
}

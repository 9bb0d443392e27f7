//! A shelf of staged files: as many as the postings need.

use super::super::postings::Shelf;
use super::super::table::FileTotals;
use super::{FileEntry, PublishError, StagedFile, Staging};

/// Takes the files of postings into a staged edition.
#[derive(Debug)]
pub struct StagedShelf<'a> {
    staging: &'a Staging,
    entries: Vec<FileEntry>,
}

impl<'a> StagedShelf<'a> {
    /// An empty shelf.
    pub fn of(staging: &'a Staging) -> Self {
        Self {
            staging,
            entries: Vec::new(),
        }
    }

    /// What was put on it, for the manifest.
    pub fn entries(self) -> Vec<FileEntry> {
        self.entries
    }
}

impl Shelf for StagedShelf<'_> {
    type File = StagedFile;
    type Error = PublishError;

    fn open(&mut self, name: &str) -> Result<StagedFile, PublishError> {
        self.staging.file(name)
    }

    fn close(&mut self, file: StagedFile, totals: &FileTotals) -> Result<(), PublishError> {
        self.entries.push(file.finish(Some(totals))?);
        Ok(())
    }
}

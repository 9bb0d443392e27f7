//! The inbox: its files are taken and moved away; what lies there and is not taken is named.

use std::io;
use std::path::{Path, PathBuf};

use crate::payment_service::PaymentService;
use crate::planted::{self, Bug};
use crate::trips;

use super::RunError;
use super::import::{Imported, Importer};
use super::pass::{House, Pass};

/// Overlooked things that are named; the rest is counted.
const NAMED: usize = 10;

/// Takes every file of the inbox, in byte order of name; a taken file moves to `taken/` after
/// commit. A file that cannot be read as a whole, or that is being written, stays; the first one
/// that cannot be opened or moved is given beside what was taken.
///
/// # Errors
/// The inbox or the state cannot be read or written.
pub fn inbox(importer: &Importer<'_>) -> Result<(Vec<Imported>, Option<RunError>), RunError> {
    let (mut all, mut first) = (Vec::new(), None);
    for mut path in files(&importer.config.inbox_dir)? {
        if planted::is(Bug::InboxMovedFirst) {
            path = moved(&path)?;
        }
        // One file that cannot be opened or moved does not keep the others waiting.
        let done = match importer.file(&path) {
            Ok(imported) => {
                let stays = imported.unreadable.is_some() || imported.changed;
                all.push(imported);
                if stays { Ok(path) } else { moved(&path) }
            }
            Err(error @ RunError::File { .. }) => Err(error),
            Err(error) => return Err(error),
        };
        if let Err(error) = done {
            first.get_or_insert(error);
        }
    }
    Ok((all, first))
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, RunError> {
    trips::inbox_files(dir).map_err(|why| RunError::File {
        path: dir.to_owned(),
        why,
    })
}

fn moved(path: &Path) -> Result<PathBuf, RunError> {
    trips::move_to_taken(path).map_err(|why| RunError::NotMoved {
        path: path.to_owned(),
        why,
    })
}

/// The inbox as a part of a pass: what was taken is counted, an idle one leaves no trace.
///
/// # Errors
/// The inbox or the state cannot be read or written.
pub async fn take_inbox<S: PaymentService>(house: &House<S>, pass: &Pass) -> Result<(), RunError> {
    let dir = &house.config.inbox_dir;
    // What cannot be looked into is told as an error.
    if let Ok(Some(what)) = overlooked(dir) {
        tracing::warn!("{what}");
        if dir.exists() {
            pass.tally().warnings.push(what);
        }
    }
    if files(dir)?.is_empty() {
        return Ok(());
    }
    pass.begin(house).await?;
    let (config, now) = (house.config.clone(), house.clock.now());
    let run = Some(pass.run.clone());
    let (imported, trouble) = inbox(&Importer {
        config,
        store: &house.store,
        now,
        run,
    })?;
    let mut tally = pass.tally();
    for file in imported {
        for row in file.told() {
            tracing::warn!("{row}");
        }
        for (word, count) in file.counts.by_word() {
            tally.count_feed(word, count);
        }
        if file.changed {
            let why = "it changed while it was read, and is left for the next run";
            tally.unreadable_files.push(format!("{}: {why}", file.file));
        }
        if file.counts.early > 0 {
            let what = "has rows of the future: where our clock was behind, set it right and give \
                        the file again";
            tally.warnings.push(format!("{}: it {what}", file.file));
        }
        if let Some(why) = file.unreadable {
            tally.unreadable_files.push(format!("{}: {why}", file.file));
        }
    }
    trouble.map_or(Ok(()), Err)
}

/// What somebody may believe to be taken from this inbox and is not, in a sentence; none if there
/// is nothing like that.
///
/// # Errors
/// The folder cannot be read.
pub fn overlooked(dir: &Path) -> io::Result<Option<String>> {
    let place = dir.display();
    if !dir.try_exists()? {
        let what = "does not exist, so that no trip file is looked for; is inbox_dir right?";
        return Ok(Some(format!("{place} {what}")));
    }
    let others = trips::overlooked(dir)?;
    let (count, mut names) = (others.len(), others);
    names.truncate(NAMED);
    let more = match count.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let named = names.join(", ");
    Ok((count > 0).then(|| format!("{place} holds what is not taken: {named}{more}")))
}

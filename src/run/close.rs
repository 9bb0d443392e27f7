//! Day close: examine, render, prove, commit, put in place; and again for what a crash left.

use std::sync::Arc;

use crate::domain::BooksDate;
use crate::outputs::publish::{self, PublishError, StagedEdition, discard, published_manifest};
use crate::outputs::{
    BREAKS, CHANGES, ChangesWriter, FileEntry, Manifest, RECONCILIATION, SUMMARY_JSON, SUMMARY_TEXT,
};
use crate::payment_service::PaymentService;
use crate::store::{Close, CloseRow, StoreError};

use super::RunError;
use super::books_date::{days_to_close, last_ended};
use super::debt::write_off_small;
use super::examine::examine;
use super::expected::warn_of_missing;
use super::pass::{House, Pass};
use super::postings;
use super::render::{Rendered, keep_at_risk_until, modes, render};
use super::report::Closed;

/// A day that changes while it is being closed is rendered again, so many times.
const ROUNDS: u32 = 5;

/// The last day to close: the last one that has ended, or the day in progress if a person says so.
///
/// # Errors
/// The day that was named has not begun.
pub fn through<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    close_now: Option<BooksDate>,
) -> Result<BooksDate, RunError> {
    let ended = last_ended(&house.config.company, pass.started_at);
    match close_now {
        None => Ok(ended),
        Some(named) if named <= ended.next() => Ok(named.max(ended)),
        Some(named) => Err(RunError::Usage(format!(
            "{named} has not begun; the day in progress is {}",
            ended.next()
        ))),
    }
}

/// Closes every day up to `through` that is still open, oldest first.
///
/// # Errors
/// The state or the files cannot be read or written, or a day does not balance.
pub async fn close_days<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
    through: BooksDate,
    closed: &mut Vec<Closed>,
) -> Result<(), RunError> {
    let days = house.store.closed_days()?;
    let open = days_to_close(days.first_event, days.last_closed, through);
    let Some(first) = open.first().copied() else {
        return Ok(());
    };
    if open.len() > 1 {
        // A clock that is ahead would close days that have not begun, for ever.
        if let Some(newest) = house.store.newest_trip()? {
            house.compare_clocks(pass, &newest).await?;
        }
    }
    for date in open {
        if house.halt.is_stopping() {
            return Ok(());
        }
        house.watcher.says(&format!("closing {date}"));
        // What is found is booked on the pass's own date; days that were missed only close.
        if date >= pass.books_date {
            examine(house, pass, first, date).await?;
            write_off_small(house, pass, date).await?;
        }
        closed.push(close_day(house, pass, date)?);
        warn_of_missing(house, pass, date)?;
    }
    Ok(())
}

fn close_day<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    date: BooksDate,
) -> Result<Closed, RunError> {
    for _ in 0..ROUNDS {
        let (last_seq, feed_mark) = (house.store.last_seq()?, house.store.feed_mark(date)?);
        keep_at_risk_until(house, date)?;
        let rendered = render(house, date, 1, last_seq);
        let unbalanced = matches!(rendered, Err(RunError::NotBalanced { .. }));
        if unbalanced && house.store.last_seq()? != last_seq {
            // Somebody wrote while we counted: that is no imbalance yet.
            continue;
        }
        let rendered = rendered?;
        let previous = house
            .store
            .close_before(date)?
            .map(|row| row.manifest_sha256);
        let totals = rendered.totals.clone();
        let (edition, closed) = stage(house, rendered, date, 1, previous.clone(), None)?;
        let close = Close {
            books_date: date,
            edition: 1,
            last_seq,
            feed_mark,
            manifest_sha256: edition.sha256.clone(),
            previous_sha256: previous,
            run: pass.run.clone(),
            at: house.clock.now(),
            totals,
        };
        postings::keep(house, date, 1)?;
        match house.store.commit_close(close) {
            Ok(()) => {
                put(house, date, 1, &edition.sha256)?;
                return Ok(closed);
            }
            Err(StoreError::Conflict { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(RunError::Restless(date))
}

/// Makes the next edition of a closed day; none when it would say the same as the last one.
///
/// # Errors
/// The state or the files cannot be read or written, or the last edition is not in place.
pub fn next_edition<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    last: &CloseRow,
) -> Result<Option<Closed>, RunError> {
    let (date, next) = (last.books_date, last.edition.saturating_add(1));
    let output_dir = &house.config.output_dir;
    let missing = || {
        let dir = publish::edition_dir(output_dir, date, last.edition);
        let sha256 = &last.manifest_sha256;
        let why = format!("no edition can follow one that is gone (its manifest was {sha256})");
        RunError::File {
            path: dir,
            why: std::io::Error::other(why),
        }
    };
    let bytes = published_manifest(output_dir, date, last.edition)?.ok_or_else(missing)?;
    let before = Manifest::parse(&bytes)?;
    let last_seq = house.store.last_seq()?;
    let mut rendered = render(house, date, next, last_seq)?;
    // The journal has grown, but what it says of the day may be what it said then.
    let head = rendered.summary.journal(house.store.head(last.last_seq)?);
    if before.says_the_same(&as_of(&rendered, last.edition)?) {
        drop(rendered);
        discard(output_dir, date, next)?;
        return Ok(None);
    }
    rendered.summary.journal(head);
    let previous = Some(last.manifest_sha256.clone());
    let (edition, closed) = stage(
        house,
        rendered,
        date,
        next,
        previous.clone(),
        Some(last.edition),
    )?;
    postings::keep(house, date, next)?;
    house.store.commit_close(Close {
        books_date: date,
        edition: next,
        last_seq,
        feed_mark: house.store.feed_mark(date)?,
        manifest_sha256: edition.sha256.clone(),
        previous_sha256: previous,
        run: pass.run.clone(),
        at: house.clock.now(),
        totals: Vec::new(),
    })?;
    put(house, date, next, &edition.sha256)?;
    Ok(Some(closed))
}

/// The files as an edition of this number would hold them: the summaries name it.
fn as_of(rendered: &Rendered, edition: u32) -> Result<Vec<FileEntry>, RunError> {
    let mut files = rendered.tables.clone();
    files.push(FileEntry::of_bytes(
        SUMMARY_JSON,
        &rendered.summary.to_json(edition)?,
    ));
    files.push(FileEntry::of_bytes(
        SUMMARY_TEXT,
        rendered.summary.to_text(edition)?.as_bytes(),
    ));
    Ok(files)
}

/// Adds summaries, changes and manifest to the rendered tables; all of it is on disk then.
pub(super) fn stage<S: PaymentService>(
    house: &House<S>,
    rendered: Rendered,
    date: BooksDate,
    edition: u32,
    previous: Option<String>,
    since: Option<u32>,
) -> Result<(StagedEdition, Closed), RunError> {
    let text = rendered.summary.to_text(edition)?;
    let output_dir = &house.config.output_dir;
    let closed = Closed {
        books_date: date,
        edition,
        verdict: rendered.summary.verdict(edition),
        path: publish::edition_dir(output_dir, date, edition)
            .display()
            .to_string(),
        attention: rendered.attention(),
        breaks: rendered.breaks.clone(),
        rejected: rendered.rejected,
        summary: text.clone(),
        is_found: false,
    };
    let staging = rendered.staging;
    let mut files = rendered.tables;
    files.push(staging.put(SUMMARY_JSON, &rendered.summary.to_json(edition)?)?);
    files.push(staging.put(SUMMARY_TEXT, text.as_bytes())?);
    if let Some(since) = since {
        let dir = publish::edition_dir(output_dir, date, since);
        let old = |name: &str| {
            let path = dir.join(name);
            std::fs::File::open(&path).map_err(|why| RunError::File { path, why })
        };
        let mut file = staging.file(CHANGES)?;
        let mut changes = ChangesWriter::new(&mut file)?;
        changes.reconciliation(old(RECONCILIATION)?, staging.read(RECONCILIATION)?)?;
        changes.breaks(old(BREAKS)?, staging.read(BREAKS)?)?;
        let totals = changes.finish()?;
        files.push(file.finish(Some(&totals))?);
    }
    Ok((staging.finish(previous, files)?, closed))
}

/// Puts a staged edition in place. It counts as published once the run that tells of it has
/// written down its end ([`super::outbox::keep`]): one killed before that leaves its edition to the
/// next, which finds the files in place, and tells of them.
pub(super) fn put<S: PaymentService>(
    house: &House<S>,
    date: BooksDate,
    edition: u32,
    manifest_sha256: &str,
) -> Result<(), RunError> {
    let (config, modes) = (&house.config, modes(&house.config));
    publish::publish(&config.output_dir, date, edition, manifest_sha256, modes)?;
    Ok(())
}

/// Puts in place what was closed by a run that did not live to do it, or to tell of it. If what it
/// staged is gone the edition is made again: it is a function of the journal up to the same place.
///
/// # Errors
/// The state or the files cannot be read or written.
pub fn put_in_place<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    closed: &mut Vec<Closed>,
) -> Result<(), RunError> {
    for row in house.store.unpublished_closes()? {
        let (date, edition) = (row.books_date, row.edition);
        let is_put = put(house, date, edition, &row.manifest_sha256);
        let is_gone = matches!(is_put, Err(RunError::Publish(PublishError::NotStaged(_))));
        if !is_gone {
            is_put?;
        }
        match stage_again(house, &row) {
            Ok(told) => closed.push(told),
            Err(why) if is_gone => return Err(why),
            // Its files are in place: that it cannot be told of keeps no other day open.
            Err(why) => {
                let word = format!("{date} e{edition} is in place, and cannot be summed up: {why}");
                pass.tally().warnings.push(word);
            }
        }
        if is_gone {
            put(house, date, edition, &row.manifest_sha256)?;
        }
        discard(&house.config.output_dir, date, edition)?;
    }
    Ok(())
}

fn stage_again<S: PaymentService>(house: &House<S>, row: &CloseRow) -> Result<Closed, RunError> {
    let (date, edition) = (row.books_date, row.edition);
    let rendered = render(house, date, edition, row.last_seq)?;
    let since = (edition > 1).then(|| edition.saturating_sub(1));
    let previous = row.previous_sha256.clone();
    let (_, told) = stage(house, rendered, date, edition, previous, since)?;
    Ok(Closed {
        is_found: true,
        ..told
    })
}

//! Backfill: late evidence for closed days; pulls, matches and publishes, and sends no call that
//! moves money.

use std::sync::Arc;

use crate::domain::BooksDate;
use crate::payment_service::PaymentService;

use super::RunError;
use super::close::{next_edition, put_in_place};
use super::examine::examine;
use super::pass::{House, Pass};
use super::remake::remake;
use super::report::Closed;
use super::{pull, reports};

/// Pulls the missing evidence of these days again, takes new processors' reports, matches again
/// and publishes what changed, after whatever of these days is gone from the output folder. A day
/// that was never closed is skipped with a word.
///
/// # Errors
/// The state or the files cannot be read or written.
pub async fn backfill<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
    from: BooksDate,
    to: BooksDate,
    closed: &mut Vec<Closed>,
) -> Result<(), RunError> {
    pass.begin(house).await?;
    // An edition that nobody was told of says what changed since the one before it.
    remake(house, pass, from, to)?;
    put_in_place(house, pass, closed)?;
    reports::take_reports(house, pass).await?;
    if house.halt.is_stopping() {
        // What is found on half of the lines would stay found.
        return pass.damage().map_or(Ok(()), Err);
    }
    house.store.pull_again(from, to, house.clock.now())?;
    pull::pull(house, pass).await?;
    examine(house, pass, from.min(pass.books_date), pass.books_date).await?;
    let mut date = from;
    while date <= to && !house.halt.is_stopping() {
        again(house, pass, date, closed)?;
        date = date.next();
    }
    pass.damage().map_or(Ok(()), Err)
}

fn again<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    date: BooksDate,
    closed: &mut Vec<Closed>,
) -> Result<(), RunError> {
    match house.store.closes(date)?.last() {
        Some(last) => closed.extend(next_edition(house, pass, last)?),
        None => {
            let word = format!("{date} was never closed: skipped (`run` closes days)");
            house.watcher.says(&word);
            pass.tally().warnings.push(word);
        }
    }
    Ok(())
}

//! Remake: editions that are gone from the output folder are made again, to the byte.

use crate::domain::BooksDate;
use crate::outputs::publish::{discard, edition_dir};
use crate::payment_service::PaymentService;

use super::RunError;
use super::close::{put, stage};
use super::pass::{House, Pass};
use super::render::render;

/// Puts back what was published `from` one day `to` another and is gone, folder and all. An edition
/// is a function of the journal up to its place, so that the version that published it makes it as
/// it was; one that comes out otherwise is told, and not put in place.
///
/// # Errors
/// The state or the files cannot be read or written.
pub fn remake<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    from: BooksDate,
    to: BooksDate,
) -> Result<(), RunError> {
    let output_dir = &house.config.output_dir;
    for row in house.store.all_closes()? {
        let (date, edition) = (row.books_date, row.edition);
        let place = edition_dir(output_dir, date, edition);
        let is_gone = matches!(place.try_exists(), Ok(false));
        if !is_gone || !row.published || date < from || date > to {
            continue;
        }
        let rendered = render(house, date, edition, row.last_seq)?;
        let since = (edition > 1).then(|| edition.saturating_sub(1));
        let previous = row.previous_sha256.clone();
        let (made, _) = stage(house, rendered, date, edition, previous, since)?;
        let word = if made.sha256 == row.manifest_sha256 {
            put(house, date, edition, &row.manifest_sha256)?;
            format!("{} was gone: made again, to the byte", place.display())
        } else {
            discard(output_dir, date, edition)?;
            format!(
                "{} is gone, and what is made of the day now is not what was published: put the \
                 folder back from a copy, or make it with the version that published it",
                place.display()
            )
        };
        house.watcher.says(&word);
        pass.tally().warnings.push(word);
    }
    Ok(())
}

//! The run: two tables of contents, the settle pass and the day close; every step is a room's.

pub mod backfill;
pub mod batches;
pub mod books_date;
pub mod calling;
pub mod close;
pub mod debt;
pub mod draft;
pub mod examine;
pub mod expected;
mod for_people;
pub mod import;
pub mod inbox;
pub mod lanes;
pub mod outbox;
pub mod pass;
pub mod postings;
pub mod proof;
pub mod pull;
pub mod queue;
mod remake;
pub mod render;
pub mod render_breaks;
pub mod report;
pub mod reports;
pub mod restore;
pub mod rule;
pub mod schedule;
pub mod stakes;
pub mod stop;
pub mod story;
pub mod tally;
pub mod verify;
mod verify_files;

use std::path::PathBuf;
use std::sync::Arc;

use crate::books::{BooksError, Imbalance};
use crate::domain::{BooksDate, Event, MoneyError, RunId, Standing};
use crate::outputs::OutputError;
use crate::outputs::publish::PublishError;
use crate::payment_service::PaymentService;
use crate::settlement::History;
use crate::store::StoreError;

use pass::{House, Pass};
use report::{Closed, RunReport};

pub use crate::sweep::{CountAndMoney, Plan, Schedule, ScheduleError};

/// What ends a run before its end; a finding about data is never one.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An amount that cannot be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A day that cannot be added up.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// A file that cannot be rendered.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// An edition that cannot be put in place.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The control equation does not hold.
    #[error(
        "nothing was published for {date}: {}; please keep the state and report this",
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    NotBalanced {
        /// The day.
        date: BooksDate,
        /// What is off, and by how much.
        wrong: Vec<Imbalance>,
    },
    /// The journal breaks the law.
    #[error("the journal is damaged: {0}")]
    Law(String),
    /// A file of the inbox, a report, or a published file that is read.
    #[error("{} cannot be read: {why}; mend it and run again, nothing is lost", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A file of the inbox that was taken and stays there.
    #[error(
        "{} was taken, but cannot be moved to taken/: {why}; see to disk and permissions of the \
         inbox and run again, nothing is taken twice",
        path.display()
    )]
    NotMoved {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// Days were asked for that there cannot be.
    #[error("{0}")]
    Usage(String),
    /// The day changed each time it was being closed.
    #[error("{0} changed each time it was being closed; run again when the import is done")]
    Restless(BooksDate),
    /// A lane ended by a defect.
    #[error("a lane ended by a defect: {0}; nothing is lost, please report it")]
    Lane(String),
}

impl RunError {
    /// True when only one trip is concerned, so that the others can go on.
    pub fn is_of_one_trip(&self) -> bool {
        matches!(
            self,
            Self::Law(_) | Self::Store(StoreError::Refused(_) | StoreError::Unreadable { .. })
        )
    }

    /// The exit code of a run that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Store(error) => error.exit_code(),
            Self::Publish(PublishError::Io { .. } | PublishError::OtherBytes(_))
            | Self::Output(OutputError::Io { .. })
            | Self::File { .. }
            | Self::NotMoved { .. } => 74,
            Self::NotBalanced { .. } | Self::Books(BooksError::Unbalanced { .. }) => 70,
            Self::Law(_)
            | Self::Books(BooksError::NothingToReverse(_) | BooksError::MoreThanOwed(..)) => 65,
            Self::Usage(_) => 2,
            Self::Restless(_) => 75,
            Self::Publish(PublishError::Manifest(_) | PublishError::NotStaged(_))
            | Self::Output(_)
            | Self::Books(BooksError::Money(..))
            | Self::Money(_)
            | Self::Lane(_) => 1,
        }
    }
}

/// Where a trip stands after these events.
///
/// # Errors
/// The journal breaks the law.
pub fn standing_of(events: &[Event]) -> Result<Standing, RunError> {
    Ok(History::replay(events)?.standing())
}

/// Sweep, settle, pull: idempotent, nearly free when there is nothing to do.
///
/// # Errors
/// The state, or a file, cannot be read or written. What the service does is no error: it stops
/// the pass through [`stop::Halt`].
pub async fn settle_pass<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
) -> Result<(), RunError> {
    let imported = inbox::take_inbox(house, pass).await;
    let plan = batches::sweep(
        &house.config,
        &house.store,
        pass.next_run,
        house.clock.now(),
    )?;
    if plan.due > 0 {
        house.heed_long_pause()?;
    }
    batches::settle(house, pass, &plan).await?;
    pull::pull(house, pass).await?;
    if let Some(left) = pass.left_in_silence() {
        pass.tally().warnings.push(left);
    }
    if let Some(last) = pass.heard_nothing() {
        let why = format!("not one call was answered clearly, the last: {last}");
        house.halt.stop(stop::Why::Unavailable(why));
    }
    imported?;
    pass.damage().map_or(Ok(()), Err)
}

/// `run`: reports, settle pass, then the close of every ended day that is still open.
///
/// # Errors
/// The report of a run that could not even be written down, or a day to close that has not begun,
/// for which no run begins.
pub async fn run<S: PaymentService>(
    house: &Arc<House<S>>,
    run: RunId,
    close_now: Option<BooksDate>,
) -> Result<RunReport, RunError> {
    let pass = Arc::new(Pass::new(house, run, "run")?);
    let through = close::through(house, &pass, close_now)?;
    let mut closed = Vec::new();
    let done = night(house, &pass, through, &mut closed).await;
    report::finish(house, &pass, closed, done).await
}

async fn night<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
    through: BooksDate,
    closed: &mut Vec<Closed>,
) -> Result<(), RunError> {
    pass.begin(house).await?;
    // Tokens die while a disk is mended: trouble with files is told after the settle pass.
    let placed = close::put_in_place(house, pass, closed);
    let reported = reports::take_reports(house, pass).await;
    settle_pass(house, pass).await?;
    placed?;
    reported?;
    if house.halt.is_stopping() {
        return Ok(());
    }
    close::close_days(house, pass, through, closed).await
}

/// `settle`: the pass alone. Idle, it writes nothing at all.
///
/// # Errors
/// As [`run`].
pub async fn settle<S: PaymentService>(
    house: &Arc<House<S>>,
    run: RunId,
) -> Result<RunReport, RunError> {
    let pass = Arc::new(Pass::new(house, run, "settle")?);
    let done = settle_pass(house, &pass).await;
    report::finish(house, &pass, Vec::new(), done).await
}

/// `backfill`: pulls the missing evidence of closed days again, matches again, publishes again.
/// Moves no money.
///
/// # Errors
/// As [`run`]; days in the wrong order begin no run either.
pub async fn backfill<S: PaymentService>(
    house: &Arc<House<S>>,
    run: RunId,
    from: BooksDate,
    to: BooksDate,
) -> Result<RunReport, RunError> {
    if from > to {
        let why = format!("--from {from} lies after --to {to}");
        return Err(RunError::Usage(why));
    }
    let pass = Arc::new(Pass::new(house, run, "backfill")?);
    let mut closed = Vec::new();
    let done = backfill::backfill(house, &pass, from, to, &mut closed).await;
    report::finish(house, &pass, closed, done).await
}

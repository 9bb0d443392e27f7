//! Render: one books date as the journal up to a place has it, into the files of an edition.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::books::{Control, Ledger, check};
use crate::config::Config;
use crate::domain::{
    Balances, BooksDate, BreakKind, DayTotal, Event, Severity, Standing, Timestamp,
};
use crate::outputs::publish::{self, Modes, Staging};
use crate::outputs::{
    BAD_DEBT, BAD_DEBT_SUMMARY, BadDebtSummaryWriter, BadDebtWriter, FileEntry, RECONCILIATION,
    REJECTED, ReconciliationRow, ReconciliationWriter, RejectedWriter, Summary, TripDay,
};
use crate::payment_service::PaymentService;
use crate::reconcile::{known_breaks, match_status};
use crate::settlement::History;

use super::RunError;
use super::for_people;
use super::pass::House;
use super::postings::{self, Postings};
use super::render_breaks::write_breaks;
use super::stakes;

/// A rendered day: the tables are staged, the summary is still to be written.
pub struct Rendered {
    /// The staging folder.
    pub staging: Staging,
    /// The tables.
    pub tables: Vec<FileEntry>,
    /// What the summaries tell.
    pub summary: Summary,
    /// What the day adds up to.
    pub totals: Vec<DayTotal>,
    /// Rejected rows of the feed.
    pub rejected: u64,
    /// Open breaks by kind.
    pub breaks: BTreeMap<BreakKind, u64>,
}

impl Rendered {
    /// Open breaks that somebody should look at.
    pub fn attention(&self) -> u64 {
        let heavy = self
            .breaks
            .iter()
            .filter(|(kind, _)| kind.severity() >= Severity::Warning);
        heavy.map(|(_, count)| *count).sum()
    }
}

/// Modes of published files, as configured.
pub fn modes(config: &Config) -> Modes {
    Modes {
        file: config.file_mode,
        dir: config.dir_mode,
    }
}

/// Makes the output folder, unless it is there.
///
/// # Errors
/// It cannot be made.
pub fn make_output_dir(config: &Config) -> io::Result<()> {
    publish::make_output_dir(&config.output_dir, modes(config))
}

/// Opens what was published on the last `days` days; gives how many days that were.
///
/// # Errors
/// Something of it cannot be read.
pub fn try_to_read(config: &Config, days: usize) -> Result<usize, RunError> {
    Ok(publish::try_to_read(&config.output_dir, days)?)
}

/// Renders the tables of an edition.
///
/// # Errors
/// The state cannot be read, files cannot be staged, or the control equation does not hold.
pub fn render<S: PaymentService>(
    house: &House<S>,
    date: BooksDate,
    edition: u32,
    up_to_seq: i64,
) -> Result<Rendered, RunError> {
    let modes = modes(&house.config);
    let staging = Staging::begin(&house.config.output_dir, date, edition, modes)?;
    let until = at_risk_until(house, date)?;
    let previous = match house.store.close_before(date)? {
        Some(before) => house.store.day_totals(before.books_date)?,
        None => Vec::new(),
    };
    let exports = postings::as_of(house, date, edition)?;
    let mut day = Day {
        date,
        postings: Postings::begin(house, &staging, date, up_to_seq, &exports)?,
        control: Control::open(&previous),
        ledger: Ledger::open(date, &previous),
        summary: Summary::new(date, until),
    };
    let mut tables = Vec::from(day.trips(house, &staging, up_to_seq)?);
    let Day {
        control,
        mut summary,
        postings,
        ..
    } = day;
    let counted = stakes::count(house, date, up_to_seq, until, &mut summary)?;
    let totals = totals(house, date, edition, control.finish(&counted)?)?;
    summary.close(&totals, &[]);
    let (files, refused) = postings.finish(&totals, edition == 1, &mut summary)?;
    tables.extend(files);
    tables.push(bad_debt_summary(&staging, date, &totals)?);
    tables.push(write_breaks(
        house,
        &staging,
        date,
        up_to_seq,
        refused,
        &mut summary,
    )?);
    let (entry, rejected) = rejected(house, &staging, date)?;
    tables.push(entry);
    summary.feed(rejected, house.store.scan_codes_of_day(date)?);
    summary.journal(house.store.head(up_to_seq)?);
    tables.extend(for_people::workbook(
        &staging, date, edition, &exports, &summary,
    )?);
    tables.extend(for_people::reviews(&staging, &exports)?);
    let breaks = summary.open_breaks();
    Ok(Rendered {
        staging,
        tables,
        summary,
        totals,
        rejected,
        breaks,
    })
}

/// The planned run after the one that is to close the day: what must be done before it is at risk.
/// What the first edition was made with stands, whatever the schedule becomes.
fn at_risk_until<S>(house: &House<S>, date: BooksDate) -> Result<Timestamp, RunError> {
    let kept = house.store.memo(&memo_name(date))?;
    let kept = kept.and_then(|ms| ms.parse().ok()).map(Timestamp::of_ms);
    Ok(kept.unwrap_or_else(|| {
        let end = house.config.company.start_of(date.next().date());
        let closing = house.schedule.next_after(end).unwrap_or(end);
        house.schedule.next_after(closing).unwrap_or(closing)
    }))
}

/// Keeps the instant for later editions of the day.
///
/// # Errors
/// The state cannot be read or written.
pub fn keep_at_risk_until<S>(house: &House<S>, date: BooksDate) -> Result<(), RunError> {
    let until = at_risk_until(house, date)?;
    Ok(house
        .store
        .set_memo(&memo_name(date), &until.ms().to_string())?)
}

fn memo_name(date: BooksDate) -> String {
    format!("at_risk_until {date}")
}

/// A closed day's totals stand; a day that is being closed must prove its own.
fn totals<S: PaymentService>(
    house: &House<S>,
    date: BooksDate,
    edition: u32,
    counted: Vec<DayTotal>,
) -> Result<Vec<DayTotal>, RunError> {
    if edition > 1 {
        return Ok(house.store.day_totals(date)?);
    }
    match check(&counted) {
        Ok(()) => Ok(counted),
        Err(wrong) => Err(RunError::NotBalanced { date, wrong }),
    }
}

/// What a day's trips are added up in.
struct Day<'a> {
    date: BooksDate,
    postings: Postings<'a>,
    control: Control,
    ledger: Ledger,
    summary: Summary,
}

impl Day<'_> {
    fn trips<S: PaymentService>(
        &mut self,
        house: &House<S>,
        staging: &Staging,
        up_to_seq: i64,
    ) -> Result<[FileEntry; 2], RunError> {
        let mut to_reconciliation = staging.file(RECONCILIATION)?;
        let mut to_bad_debt = staging.file(BAD_DEBT)?;
        let mut reconciliation = ReconciliationWriter::new(&mut to_reconciliation)?;
        let mut bad_debt = BadDebtWriter::new(&mut to_bad_debt)?;
        house
            .store
            .each_trip_of_day(self.date, up_to_seq, &mut |_, events| {
                self.trip(&events, &mut reconciliation, &mut bad_debt)
            })?;
        let (reconciled, owed) = (reconciliation.finish()?, bad_debt.finish()?);
        Ok([
            to_reconciliation.finish(Some(&reconciled))?,
            to_bad_debt.finish(Some(&owed))?,
        ])
    }

    fn trip(
        &mut self,
        events: &[Event],
        reconciliation: &mut ReconciliationWriter<impl Write>,
        bad_debt: &mut BadDebtWriter<impl Write>,
    ) -> Result<(), RunError> {
        let (history, before, end) = around(events, self.date)?;
        let known = history.standing();
        let breaks = known_breaks(events, self.date);
        let row = ReconciliationRow::of(&TripDay {
            books_date: self.date,
            trip: history.trip(),
            events,
            before: before.as_ref(),
            end: &end,
            known: &known,
            match_status: match_status(&known, breaks.iter().copied()),
            breaks: &breaks,
        })?;
        reconciliation.write(&row)?;
        self.summary.add_row(&row)?;
        for entry in self.ledger.enter(history.trip(), events, &end.balances)? {
            bad_debt.write(&entry)?;
            self.summary.add_entry(&entry)?;
            self.control.add_entry(&entry)?;
        }
        self.postings.trip(history.trip(), events)?;
        let store = &history.trip().key.store;
        Ok(self.control.add(store, before.as_ref(), &end.balances)?)
    }
}

/// The whole history, how the trip stood before the day, and how at its end.
pub(super) fn around(
    events: &[Event],
    date: BooksDate,
) -> Result<(History, Option<Balances>, Standing), RunError> {
    let damaged = || RunError::Law("a trip without events".to_owned());
    let (first, rest) = events.split_first().ok_or_else(damaged)?;
    let mut history = History::begin(&first.fact)?;
    let mut before = (first.books_date < date).then(|| *history.balances());
    let mut end = history.standing();
    for event in rest {
        history.apply(event.at, &event.fact)?;
        if event.books_date < date {
            before = Some(*history.balances());
        }
        if event.books_date <= date {
            end = history.standing();
        }
    }
    Ok((history, before, end))
}

fn bad_debt_summary(
    staging: &Staging,
    date: BooksDate,
    totals: &[DayTotal],
) -> Result<FileEntry, RunError> {
    let mut file = staging.file(BAD_DEBT_SUMMARY)?;
    let mut writer = BadDebtSummaryWriter::new(date, &mut file)?;
    for total in totals {
        writer.write(total)?;
    }
    let sums = writer.finish()?;
    Ok(file.finish(Some(&sums))?)
}

fn rejected<S: PaymentService>(
    house: &House<S>,
    staging: &Staging,
    date: BooksDate,
) -> Result<(FileEntry, u64), RunError> {
    let mut file = staging.file(REJECTED)?;
    let mut writer = RejectedWriter::new(&mut file)?;
    house
        .store
        .each_rejected_of_day::<RunError>(date, &mut |field, mut row| {
            if let Some(field) = field {
                row.reason = format!("{field}: {}", row.reason);
            }
            Ok(writer.write(&row)?)
        })?;
    let totals = writer.finish()?;
    Ok((file.finish(Some(&totals))?, totals.rows))
}

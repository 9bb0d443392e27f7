//! `reconciliation.csv`: a row per trip with an event on the books date.
//!
//! Columns of money, counts and names tell the trip as it stood at the end of the books date, so
//! that they are the same in every edition; state, EMV and break columns tell what is known when
//! the edition is made.

use std::io::Write;

use crate::domain::{
    Balances, BooksDate, BreakKind, BusinessDate, CaptureState, Event, Fact, Money, MoneyError,
    ProcessorName, RunId, Standing, Status, Timestamp, TransactionalData, Trip, TripKey, Verdict,
};
use crate::reconcile::MatchStatus;

use super::table::{FileTotals, Table};
use super::{OutputError, RECONCILIATION};

const COLUMNS: [&str; 31] = [
    "books_date",
    "business_date",
    "store_id",
    "shopping_trip_id",
    "purchase_id",
    "processor",
    "currency",
    "cart_total",
    "authorized_amount",
    "captured_amount",
    "bad_debt_amount",
    "outcome",
    "capture_state",
    "match_status",
    "breaks",
    "brand",
    "card_last4",
    "entry_mode",
    "application_id",
    "authorization_response_code",
    "cryptogram_information",
    "cvm_result",
    "pan_sequence_number",
    "terminal_id",
    "reconciliation_id",
    "card_statement_transaction_id",
    "trip_started_at",
    "expires_at",
    "settled_at",
    "adjust_calls",
    "run_id",
];

/// The columns that a later edition may tell differently.
pub(super) const MAY_CHANGE: [&str; 16] = [
    "outcome",
    "capture_state",
    "match_status",
    "breaks",
    "brand",
    "card_last4",
    "entry_mode",
    "application_id",
    "authorization_response_code",
    "cryptogram_information",
    "cvm_result",
    "pan_sequence_number",
    "terminal_id",
    "reconciliation_id",
    "card_statement_transaction_id",
    "settled_at",
];

/// One trip on one books date: what a row is made from.
#[derive(Debug, Clone, Copy)]
pub struct TripDay<'a> {
    /// The books date.
    pub books_date: BooksDate,
    /// The trip.
    pub trip: &'a Trip,
    /// Its events, those of later days too.
    pub events: &'a [Event],
    /// How the cart total divided when the day began; `None` when the trip was taken on it.
    pub before: Option<&'a Balances>,
    /// The standing at the end of the books date.
    pub end: &'a Standing,
    /// The standing after all events.
    pub known: &'a Standing,
    /// The match, as known.
    pub match_status: MatchStatus,
    /// The kinds of breaks that are open, as known.
    pub breaks: &'a [BreakKind],
}

/// One row; the fields are the columns.
#[derive(Debug, Clone, Copy)]
pub struct ReconciliationRow<'a> {
    /// The accounting date.
    pub books_date: BooksDate,
    /// The store's civil date of the trip.
    pub business_date: BusinessDate,
    /// `store_id` and `shopping_trip_id`.
    pub key: &'a TripKey,
    /// The retailer's purchase id.
    pub purchase_id: Option<&'a str>,
    /// The card processor.
    pub processor: Option<&'a ProcessorName>,
    /// The cart total at the end of the day; its currency is the `currency` column.
    pub cart_total: Money,
    /// What a final Adjust reply authorised by the end of the day.
    pub authorized_amount: Option<Money>,
    /// Captured on this books date.
    pub captured_amount: Money,
    /// Booked as bad debt on this books date; negative on reversal.
    pub bad_debt_amount: Money,
    /// The status.
    pub outcome: Status,
    /// What is known about the capture.
    pub capture_state: CaptureState,
    /// The match.
    pub match_status: MatchStatus,
    /// The open breaks' kinds, parted by a blank.
    pub breaks: &'a [BreakKind],
    /// The eleven EMV columns.
    pub data: Option<&'a TransactionalData>,
    /// When the trip began.
    pub trip_started_at: Timestamp,
    /// When the payment token was expected to die.
    pub expires_at: Timestamp,
    /// When we learnt of the processor line that shows the money.
    pub settled_at: Option<Timestamp>,
    /// Adjusts that were answered or left in silence by the end of the day.
    pub adjust_calls: u32,
    /// The run of the trip's last event on the day; none for `import`, `rule`,
    /// `debt` and `init --after-restore`.
    pub run_id: Option<&'a RunId>,
}

impl<'a> ReconciliationRow<'a> {
    /// The row of a trip's day.
    ///
    /// # Errors
    /// Overflow.
    pub fn of(day: &TripDay<'a>) -> Result<Self, MoneyError> {
        let (trip, end, known) = (day.trip, day.end, day.known);
        let balances = &end.balances;
        let of_day = |minor, before: fn(&Balances) -> i64| {
            let before = day.before.map_or(0, before);
            let currency = balances.currency;
            Money::of_minor(minor, currency).minus(Money::of_minor(before, currency))
        };
        let last = day.events.iter().rfind(|e| e.books_date == day.books_date);
        Ok(Self {
            books_date: day.books_date,
            business_date: trip.business_date,
            key: &trip.key,
            purchase_id: trip.purchase_id.as_deref(),
            processor: trip.processor.as_ref(),
            cart_total: Money::of_minor(balances.cart_total, balances.currency),
            authorized_amount: end.authorized,
            captured_amount: of_day(balances.captured, |b| b.captured)?,
            bad_debt_amount: of_day(balances.bad_debt, |b| b.bad_debt)?,
            outcome: known.status,
            capture_state: known.capture_state,
            match_status: day.match_status,
            breaks: day.breaks,
            data: newest_data(day.events),
            trip_started_at: trip.started_at,
            expires_at: trip.expires_at,
            settled_at: settled_at(day.events, known),
            adjust_calls: end.adjust_calls,
            run_id: last.and_then(|event| event.run.as_ref()),
        })
    }
}

/// The newest data; what was read before a ruling that nothing was captured belongs to nothing.
fn newest_data(events: &[Event]) -> Option<&TransactionalData> {
    let mut newest = None;
    for event in events {
        match &event.fact {
            Fact::Evidence { data } => newest = Some(data.as_ref()),
            Fact::Ruled { ruling } if ruling.verdict == Verdict::NotCaptured => newest = None,
            Fact::Taken { .. }
            | Fact::Amended { .. }
            | Fact::Elsewhere { .. }
            | Fact::Intent { .. }
            | Fact::Replied { .. }
            | Fact::NoEvidence { .. }
            | Fact::Line { .. }
            | Fact::Ruled { .. }
            | Fact::Lost { .. }
            | Fact::FoundCaptured { .. }
            | Fact::Debt { .. }
            | Fact::BreakOpened { .. }
            | Fact::BreakCured { .. } => {}
        }
    }
    newest
}

fn settled_at(events: &[Event], known: &Standing) -> Option<Timestamp> {
    if known.capture_state != CaptureState::Settled {
        return None;
    }
    let shows = |event: &&Event| {
        let Fact::Line { line } = &event.fact else {
            return false;
        };
        line.amount.is_positive() && line.amount.currency() == known.balances.currency
    };
    events.iter().find(shows).map(|event| event.at)
}

/// Writes `reconciliation.csv`.
#[derive(Debug)]
pub struct ReconciliationWriter<W> {
    table: Table<W>,
}

impl<W: Write> ReconciliationWriter<W> {
    /// Writes the header row.
    ///
    /// # Errors
    /// I/O.
    pub fn new(to: W) -> Result<Self, OutputError> {
        let table = Table::begin(RECONCILIATION, &COLUMNS, to)?;
        Ok(Self { table })
    }

    /// Writes one row. Rows come sorted by store, then trip, each trip once.
    ///
    /// # Errors
    /// I/O, a row out of order, or a control total that overflows.
    pub fn write(&mut self, row: &ReconciliationRow<'_>) -> Result<(), OutputError> {
        let (store, trip) = (&row.key.store, &row.key.trip);
        let table = &mut self.table;
        table.in_order([store.as_str(), trip.as_str(), ""], false)?;
        table
            .word(row.books_date)
            .word(row.business_date)
            .word(store)
            .word(trip)
            .foreign_id(row.purchase_id)
            .word_if(row.processor)
            .word(row.cart_total.currency())
            .summed("cart_total", row.cart_total)?
            .amount(row.authorized_amount)
            .summed("captured_amount", row.captured_amount)?
            .summed("bad_debt_amount", row.bad_debt_amount)?
            .word(row.outcome)
            .word(row.capture_state)
            .word(row.match_status)
            .words(row.breaks);
        emv_cells(table, row.data);
        table
            .word(row.trip_started_at)
            .word(row.expires_at)
            .word_if(row.settled_at)
            .word(row.adjust_calls)
            .word_if(row.run_id)
            .end()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<FileTotals, OutputError> {
        self.table.finish()
    }
}

fn emv_cells<W: Write>(table: &mut Table<W>, data: Option<&TransactionalData>) {
    let cell = |field: fn(&TransactionalData) -> &Option<String>| {
        data.and_then(|data| field(data).as_deref())
    };
    table
        .foreign_id(cell(|data| &data.brand))
        .foreign_id(cell(|data| &data.card_last4))
        .foreign_id(cell(|data| &data.entry_mode))
        .foreign_id(cell(|data| &data.application_id))
        .foreign_id(cell(|data| &data.authorization_response_code))
        .foreign_id(cell(|data| &data.cryptogram_information))
        .foreign_id(cell(|data| &data.cvm_result))
        .foreign_id(cell(|data| &data.pan_sequence_number))
        .foreign_id(cell(|data| &data.terminal_id))
        .foreign_id(cell(|data| &data.reconciliation_id))
        .foreign_id(cell(|data| &data.card_statement_transaction_id));
}

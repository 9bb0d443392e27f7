//! Where the configured columns stand in a report's header.

use csv::ByteRecord;

use crate::domain::GenericCsvFormat;

use super::ProcessorError;

/// Places of cells, from 0.
pub(super) struct Columns {
    pub trip_id: Option<usize>,
    pub store_id: Option<usize>,
    pub reconciliation_id: Option<usize>,
    pub amount: usize,
    pub currency: usize,
    pub date: Option<usize>,
    pub reference: Option<usize>,
    pub kind: Option<usize>,
    /// Cells of the header.
    pub width: usize,
}

impl Columns {
    /// Finds every configured column: one that is gone changes what rows mean (without its kind,
    /// a refund would pass as a capture). Only the usual columns of an unconfigured report may be
    /// absent, as long as one of them names the trip, and none by which a cumulative report's lines
    /// are known again.
    pub fn find(header: &ByteRecord, format: &GenericCsvFormat) -> Result<Self, ProcessorError> {
        let names: Vec<String> = header.iter().map(name).collect();
        let header = Header { names: &names };
        let usual = GenericCsvFormat::default();
        let may = |named: &Option<String>, usual: &Option<String>| match named {
            Some(name) if named == usual => header.place(name),
            Some(name) => header.must(name).map(Some),
            None => Ok(None),
        };
        // Without it a cumulative report's lines would all be new.
        let known_again = |named: &Option<String>, usual: &Option<String>| match named {
            Some(name) if format.cumulative => header.must(name).map(Some),
            Some(_) | None => may(named, usual),
        };
        let columns = Self {
            trip_id: may(&format.trip_id, &usual.trip_id)?,
            store_id: may(&format.store_id, &usual.store_id)?,
            reconciliation_id: may(&format.reconciliation_id, &usual.reconciliation_id)?,
            amount: header.must(&format.amount)?,
            currency: header.must(&format.currency)?,
            date: known_again(&format.date, &usual.date)?,
            reference: known_again(&format.reference, &usual.reference)?,
            kind: may(&format.kind, &usual.kind)?,
            width: names.len(),
        };
        if columns.trip_id.is_none() && columns.reconciliation_id.is_none() {
            let named = [&format.trip_id, &format.reconciliation_id];
            let named: Vec<&str> = named.into_iter().flatten().map(String::as_str).collect();
            return Err(header.missing(&named.join("` or `")));
        }
        Ok(columns)
    }
}

fn name(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    text.trim_start_matches('\u{feff}').trim().to_owned()
}

struct Header<'a> {
    names: &'a [String],
}

impl Header<'_> {
    fn place(&self, wanted: &str) -> Result<Option<usize>, ProcessorError> {
        let named = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, name)| *name == wanted);
        let mut places = named.map(|(place, _)| place);
        match (places.next(), places.next()) {
            (_, Some(_)) => Err(ProcessorError::DuplicateColumn(wanted.to_owned())),
            (place, None) => Ok(place),
        }
    }

    fn must(&self, wanted: &str) -> Result<usize, ProcessorError> {
        self.place(wanted)?.ok_or_else(|| self.missing(wanted))
    }

    fn missing(&self, wanted: &str) -> ProcessorError {
        let found = self.names.join(", ").chars().take(300).collect();
        ProcessorError::MissingColumn {
            missing: wanted.to_owned(),
            found,
        }
    }
}

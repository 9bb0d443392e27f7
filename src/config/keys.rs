//! Keys: which there are, of values and of sections.

use super::exports;
use super::layers::Layers;

/// Keys without a default, which the default file only mentions.
const WITHOUT_DEFAULT: [&str; 7] = [
    "payment_service.endpoint",
    "payment_service.region",
    "mail.url",
    "mail.from",
    "mail.to",
    "mail.username",
    "mail.password_file",
];
const STORE_KEYS: [&str; 10] = [
    "timezone",
    "cutoff",
    "calendar_changes",
    "expects_trips",
    "holidays",
    "processor",
    "on_decline",
    "location",
    "class",
    "subsidiary",
];
const PROCESSOR_KEYS: [&str; 18] = [
    "lifetime_hours",
    "reports_dir",
    "format",
    "delimiter",
    "date_format",
    "strip_apostrophe",
    "decimals",
    "amounts_in_units",
    "capture_kinds",
    "cumulative",
    "columns.trip_id",
    "columns.store_id",
    "columns.reconciliation_id",
    "columns.amount",
    "columns.currency",
    "columns.date",
    "columns.reference",
    "columns.kind",
];

impl Layers {
    pub(super) fn known_scalars(&self) -> Vec<String> {
        let free = |key: &&String| !key.starts_with("store.") && !key.starts_with("processor.");
        let with_default = self.values.keys().filter(free).cloned();
        let mut keys: Vec<String> = with_default
            .chain(WITHOUT_DEFAULT.iter().map(|key| (*key).to_owned()))
            .chain(exports::keys_without_default())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }

    pub(super) fn knows(&self, key: &str) -> bool {
        self.known_for(key).iter().any(|known| known == key)
    }

    pub(super) fn knows_section(&self, key: &str) -> bool {
        self.sections_for(key).iter().any(|known| known == key)
    }

    /// Every key that could stand where `key` stands.
    pub(super) fn known_for(&self, key: &str) -> Vec<String> {
        let mut parts = key.split('.');
        let (section, name, leaf) = (parts.next(), parts.next(), parts.next());
        let name = name.filter(|_| leaf.is_some());
        let of_stores = || in_section("store", name.unwrap_or("ID"), &STORE_KEYS);
        let of_processors = || in_section("processor", name.unwrap_or("NAME"), &PROCESSOR_KEYS);
        match section {
            Some("store") => of_stores(),
            Some("processor") => of_processors(),
            Some(_) | None if name.is_none() => self.known_scalars(),
            Some(_) | None => {
                let mut keys = self.known_scalars();
                keys.extend(of_stores());
                keys.extend(of_processors());
                keys
            }
        }
    }

    /// Every section that could stand where `key` stands.
    pub(super) fn sections_for(&self, key: &str) -> Vec<String> {
        let mut sections = vec!["store".to_owned(), "processor".to_owned()];
        let name = key.split('.').nth(1);
        sections.extend(name.map(|name| format!("store.{name}")));
        sections.extend(name.map(|name| format!("processor.{name}")));
        sections.extend(name.map(|name| format!("processor.{name}.columns")));
        let scalars = self.known_scalars();
        for key in &scalars {
            let ends = key.match_indices('.').map(|(end, _)| end);
            sections.extend(ends.filter_map(|end| key.get(..end)).map(str::to_owned));
        }
        sections
    }
}

fn in_section(section: &str, name: &str, keys: &[&str]) -> Vec<String> {
    let full = |key: &&str| format!("{section}.{name}.{key}");
    keys.iter().map(full).collect()
}

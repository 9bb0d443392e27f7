//! What a seed draws for all of its nights: the retailer, the calendar, the climate.

use chrono::{NaiveDate, TimeDelta};

use super::chance::Chance;
use super::weather::Climate;

pub const HOUR: i64 = 3_600_000;
pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 24 * HOUR;

/// A store, its currency, and whether the configuration names it.
pub const STORES: [(&str, &str, bool); 5] = [
    ("NYC", "USD", true),
    ("BER", "EUR", true),
    ("TYO", "JPY", true),
    ("KWT", "KWD", true),
    ("NEW", "EUR", false),
];

const ZONES: [&str; 11] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Chicago",
    "America/St_Johns",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "America/Santiago",
    "Africa/Cairo",
];

/// Nights around which clocks change, months end, and years have one day more.
const DATES: [(i32, u32, u32); 12] = [
    (2026, 3, 8),
    (2026, 3, 29),
    (2026, 4, 5),
    (2026, 10, 25),
    (2026, 11, 1),
    (2027, 3, 14),
    (2027, 9, 26),
    (2028, 2, 29),
    (2029, 12, 31),
    (2030, 4, 7),
    (2035, 11, 4),
    (2036, 3, 30),
];

/// What holds for all nights of one seed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The world's time when the story begins: midnight, UTC.
    pub begins: i64,
    pub zone: &'static str,
    pub cutoff: &'static str,
    /// The planned run, in minutes after midnight, UTC.
    pub run_at: i64,
    /// A settle pass every so many hours.
    pub settle_every: Option<i64>,
    pub trips_a_day: i64,
    pub on_decline: &'static str,
    pub store_declines: [&'static str; 2],
    pub data_proves: bool,
    pub requests_per_second: i64,
    pub burst: i64,
    pub max_in_flight: i64,
    pub batch_size: i64,
    pub climate: Climate,
    /// Of a hundred lives, so many end in a crash.
    pub crash_percent: u64,
    pub missed_percent: u64,
    pub skew_percent: u64,
    /// Of a hundred trips, so many have a story of their own.
    pub odd_percent: u64,
    pub ruling_percent: u64,
    pub backfill_percent: u64,
    /// Files come within the hour.
    pub is_timely: bool,
    /// Something is down for hours.
    pub outage: Option<Outage>,
    /// A run that was missed is made up so much later.
    pub made_up_after: Option<i64>,
    /// Of a hundred lives, so many are told to stop.
    pub stop_percent: u64,
    /// Hours that a token lives where the configuration says so.
    pub swift_hours: i64,
    /// No token may die, whatever happens.
    pub nothing_dies: bool,
}

/// Hours in which nothing works.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    pub from: i64,
    pub to: i64,
    pub what: Down,
}

/// What is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Down {
    /// The machine on which we run.
    Host,
    /// The payment service.
    Service,
}

impl Plan {
    pub fn draw(chance: &mut Chance) -> Self {
        let (year, month, day) = chance.pick(&DATES);
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let back = chance.between(1, 5);
        let begins = date - TimeDelta::days(back);
        let begins = begins.and_hms_opt(0, 0, 0).unwrap().and_utc();
        const DECLINES: [&str; 3] = ["capture_authorized", "write_off", "search"];
        Self {
            begins: begins.timestamp_millis(),
            zone: chance.pick(&ZONES),
            cutoff: chance.pick(&["00:00", "00:00", "04:00", "02:30", "23:30"]),
            run_at: chance.between(0, 24 * 60 - 1),
            settle_every: chance.pick(&[None, None, Some(1), Some(5)]),
            trips_a_day: chance.pick(&[2, 6, 12, 25]),
            on_decline: chance.pick(&DECLINES),
            store_declines: [chance.pick(&DECLINES), chance.pick(&DECLINES)],
            data_proves: chance.percent(30),
            requests_per_second: chance.pick(&[2, 10, 50]),
            burst: chance.pick(&[1, 10]),
            max_in_flight: chance.pick(&[1, 2, 4, 16]),
            batch_size: chance.pick(&[3, 10, 500]),
            climate: Climate::draw(chance),
            crash_percent: chance.pick(&[0, 20, 60]),
            missed_percent: chance.pick(&[0, 5, 25]),
            skew_percent: chance.pick(&[0, 0, 10, 30]),
            odd_percent: chance.pick(&[0, 20, 60]),
            ruling_percent: chance.pick(&[0, 30, 90]),
            backfill_percent: chance.pick(&[0, 0, 30]),
            is_timely: false,
            outage: None,
            made_up_after: None,
            stop_percent: 5,
            swift_hours: 30,
            nothing_dies: false,
        }
    }

    /// A quiet retailer whose clocks change two days after `begins`.
    pub fn quiet(chance: &mut Chance, zone: &'static str, begins: i64) -> Self {
        Self {
            begins,
            zone,
            climate: Climate::calm(),
            crash_percent: 0,
            missed_percent: 0,
            skew_percent: 0,
            odd_percent: 0,
            settle_every: None,
            backfill_percent: 0,
            is_timely: true,
            // A run that ends early is one that was missed, beside what the outage costs.
            stop_percent: 0,
            nothing_dies: true,
            ..Self::draw(chance)
        }
    }

    /// True while this is down.
    pub fn is_down(&self, what: Down, at: i64) -> bool {
        let outage = self.outage.filter(|outage| outage.what == what);
        outage.is_some_and(|outage| (outage.from..outage.to).contains(&at))
    }

    /// The configuration file; every folder lies beside it.
    pub fn configuration(&self) -> String {
        let Self {
            zone,
            cutoff,
            on_decline,
            data_proves,
            requests_per_second,
            burst,
            max_in_flight,
            batch_size,
            swift_hours,
            ..
        } = self;
        let (hour, minute) = (self.run_at / 60, self.run_at % 60);
        let [first, second] = self.store_declines;
        format!(
            r#"
[output]
formats = ["journal", "csv"]
[payment_service]
endpoint = "https://payments.example.com"
region = "eu-west-1"
requests_per_second = {requests_per_second}
burst = {burst}
max_in_flight = {max_in_flight}
batch_size = {batch_size}
[sweep]
schedule = "0 {minute} {hour} * * *"
[settlement]
on_decline = "{on_decline}"
transactional_data_proves_capture = {data_proves}
[calendar]
timezone = "{zone}"
cutoff = "{cutoff}"
[mail]
url = "file://MAILS"
from = "tripsettle@example.com"
to = ["finance@example.com"]
[store.NYC]
timezone = "America/New_York"
cutoff = "04:00"
on_decline = "{first}"
[store.BER]
timezone = "Europe/Berlin"
on_decline = "{second}"
processor = "acme"
[store.TYO]
processor = "swift"
[store.KWT]
timezone = "Asia/Kuwait"
[processor.acme]
reports_dir = "reports"
[processor.swift]
lifetime_hours = {swift_hours}
"#
        )
    }

    /// Hours that a token of this store lives.
    pub fn lifetime_hours(&self, store: &str) -> i64 {
        match store {
            "TYO" => self.swift_hours,
            _ => 46,
        }
    }

    /// The first planned run after `at`.
    pub fn next_run(&self, at: i64) -> i64 {
        let today = at - at.rem_euclid(DAY) + self.run_at * MINUTE;
        if today > at { today } else { today + DAY }
    }
}

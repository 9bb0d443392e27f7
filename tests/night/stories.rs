//! The trips of a night: what the service is to do with each, and how each is to end.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rust_decimal::Decimal;
use tripsettle::sandbox::{CallKind, Fault, FaultKind, SandboxTrip, Side};

use super::Night;

/// A store, its currency, and how many digits its amounts have.
const STORES: [(&str, &str, u32); 4] = [
    ("NYC", "USD", 2),
    ("BER", "EUR", 2),
    ("TYO", "JPY", 0),
    ("KWT", "KWD", 3),
];

/// How many of each story, and how it ends: under `capture_authorized`, `write_off`, `search`.
const NIGHT: &str = "
    plain                     12  captured   captured     captured
    limited                    4  written_off written_off captured_partial
    partial                    4  captured_partial written_off captured_partial
    declined                   4  written_off written_off written_off
    pending                    4  captured   captured     captured
    stuck                      2  open       open         open
    expired                    4  expired    expired      expired
    refused                    2  refused    refused      refused
    empty                      4  cancelled  cancelled    cancelled
    captured_elsewhere         2  captured   captured     captured
    cancelled_elsewhere        2  cancelled  cancelled    cancelled
    adjust_reset_before        1  captured   captured     captured
    adjust_reset_after         1  captured   captured     captured
    adjust_hang_before         1  captured   captured     captured
    adjust_hang_after          1  captured   captured     captured
    adjust_500_before          1  captured   captured     captured
    adjust_500_after           1  captured   captured     captured
    adjust_throttle_before     2  captured   captured     captured
    capture_reset_before       1  in_doubt   in_doubt     in_doubt
    capture_reset_after        1  in_doubt   in_doubt     in_doubt
    capture_hang_before        1  in_doubt   in_doubt     in_doubt
    capture_hang_after         1  in_doubt   in_doubt     in_doubt
    capture_500_before         1  in_doubt   in_doubt     in_doubt
    capture_500_after          1  in_doubt   in_doubt     in_doubt
    capture_throttle_before    2  captured   captured     captured
";

/// The decline policies, in the order of the table's columns.
pub const POLICIES: [&str; 3] = ["capture_authorized", "write_off", "search"];

/// One trip of a night.
#[derive(Debug, Clone)]
pub struct Tale {
    pub story: String,
    pub store: &'static str,
    pub id: String,
    pub currency: &'static str,
    pub digits: u32,
    pub total: Decimal,
    pub started_at: DateTime<Utc>,
    endings: Vec<String>,
}

impl Tale {
    pub fn key(&self) -> (String, String) {
        (self.store.to_owned(), self.id.clone())
    }

    /// The outcome under a decline policy.
    pub fn ending(&self, policy: &str) -> &str {
        let place = POLICIES.iter().position(|known| *known == policy).unwrap();
        &self.endings[place]
    }

    /// True when the feed says that it was settled elsewhere: the sandbox never hears of it.
    pub fn is_elsewhere(&self) -> bool {
        self.story.ends_with("_elsewhere")
    }

    /// `part` percent of the total, in whole units of its currency.
    fn percent(&self, part: i64) -> Decimal {
        let amount = self.total * Decimal::from(part) / Decimal::ONE_HUNDRED;
        amount.trunc_with_scale(self.digits)
    }

    /// What the service knows of the trip.
    fn script(&self) -> SandboxTrip {
        let mut trip = SandboxTrip {
            started_at: self.started_at,
            currency: self.currency.to_owned(),
            ..SandboxTrip::of(self.store, &self.id)
        };
        match self.story.as_str() {
            "limited" => trip.limit = self.percent(70),
            "partial" => {
                trip.limit = self.percent(75);
                trip.adjusted = self.percent(50);
            }
            "declined" => trip.limit = Decimal::ZERO,
            "pending" => trip.pending_asks = 2,
            "stuck" => trip.pending_asks = u32::MAX,
            "refused" => trip.refuse = Some("BadRequestException".to_owned()),
            story => trip.faults.extend(fault(story)),
        }
        trip
    }

    fn row(&self) -> [String; 7] {
        let (status, captured) = match self.story.as_str() {
            "captured_elsewhere" => ("captured", self.total.to_string()),
            "cancelled_elsewhere" => ("cancelled", String::new()),
            _ => ("open", String::new()),
        };
        [
            self.store.to_owned(),
            self.id.clone(),
            self.started_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            self.total.to_string(),
            self.currency.to_owned(),
            status.to_owned(),
            captured,
        ]
    }
}

/// `CALL_WHAT_SIDE` as a fault that strikes once.
fn fault(story: &str) -> Option<Fault> {
    let mut words = story.split('_');
    let call = match words.next()? {
        "adjust" => CallKind::Adjust,
        "capture" => CallKind::Capture,
        _ => return None,
    };
    let kind = match words.next()? {
        "reset" => FaultKind::Reset,
        "hang" => FaultKind::Hang,
        "500" => FaultKind::Status(500),
        "throttle" => FaultKind::Throttle(1),
        _ => return None,
    };
    let side = match words.next()? {
        "before" => Side::Before,
        _ => Side::After,
    };
    Some(Fault {
        call,
        kind,
        side,
        times: 1,
    })
}

/// The trips of the night's table, spread over stores and deadlines.
pub fn night(began: DateTime<Utc>) -> Vec<Tale> {
    tales(NIGHT, began)
}

/// The trips of such a table.
pub fn tales(table: &str, began: DateTime<Utc>) -> Vec<Tale> {
    let mut tales = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let endings: Vec<String> = words[2..].iter().map(ToString::to_string).collect();
        for _ in 0..words[1].parse::<u32>().unwrap() {
            let place = i64::try_from(tales.len()).unwrap();
            tales.push(tale(words[0], place, &endings, began));
        }
    }
    tales
}

fn tale(story: &str, place: i64, endings: &[String], began: DateTime<Utc>) -> Tale {
    let (store, currency, digits) = STORES[usize::try_from(place % 4).unwrap()];
    // Neighbours in the table are no neighbours in time: 23 and 67 have no common factor.
    let spread = TimeDelta::minutes(place * 23 % 67);
    let age = match story {
        "expired" => TimeDelta::hours(50),
        _ => TimeDelta::hours(26),
    };
    let minor = match story {
        "empty" => 0,
        _ => 1_370 + place * 411,
    };
    Tale {
        story: story.to_owned(),
        store,
        id: format!("{}-{place:02}", story.replace('_', "-")),
        currency,
        digits,
        total: Decimal::new(minor, digits),
        started_at: began - age - spread,
        endings: endings.to_vec(),
    }
}

/// Tells the service of the trips.
pub fn make_known(night: &Night, tales: &[Tale]) {
    for tale in tales.iter().filter(|tale| !tale.is_elsewhere()) {
        night.sandbox.add_trip(tale.script());
    }
}

/// The trips as a CSV file.
pub fn as_csv<'a>(tales: impl IntoIterator<Item = &'a Tale>) -> String {
    let mut text =
        "store_id,shopping_trip_id,started_at,amount,currency,status,captured_amount\n".to_owned();
    for tale in tales {
        writeln!(text, "{}", tale.row().join(",")).unwrap();
    }
    text
}

/// The trips as JSON Lines; amounts are numbers.
pub fn as_json_lines<'a>(tales: impl IntoIterator<Item = &'a Tale>) -> String {
    let mut text = String::new();
    for tale in tales {
        let [store, id, began, amount, currency, status, captured] = tale.row();
        let captured = match captured.as_str() {
            "" => String::new(),
            amount => format!(r#","captured_amount":{amount}"#),
        };
        let who = format!(r#""store_id":"{store}","shopping_trip_id":"{id}""#);
        let what = format!(r#""amount":{amount},"currency":"{currency}""#);
        let how = format!(r#""started_at":"{began}","status":"{status}"{captured}"#);
        writeln!(text, "{{{who},{what},{how}}}").unwrap();
    }
    text
}

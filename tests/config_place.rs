//! Where a row of the feed belongs: business date, processor, how long its token lives, policy.

#![allow(clippy::unwrap_used)]

mod config;

use tripsettle::config::Config;
use tripsettle::domain::{
    Currency, DeclinePolicy, Entry, FeedRow, Money, ProcessorName, Source, StoreId, Timestamp,
    Trip, TripId, TripKey,
};

const PLACES: &str = r#"
calendar.timezone = "America/New_York"
calendar.cutoff = "03:00"
settlement.on_decline = "write_off"
settlement.max_probes = 7
[store.BERLIN]
timezone = "Europe/Berlin"
cutoff = "04:00"
processor = "slow"
on_decline = "search"
[store.LATER]
cutoff = "05:00"
[store.PLAIN]
[processor.slow]
lifetime_hours = 100
[processor.quick]
lifetime_hours = 20
[processor.usual]
"#;

fn row(store: &str, started_at: &str, processor: Option<&str>) -> FeedRow {
    FeedRow {
        key: TripKey {
            store: StoreId::of(store).unwrap(),
            trip: TripId::of("T").unwrap(),
        },
        started_at: Timestamp::parse(started_at).unwrap(),
        ended_at: None,
        amount: Money::of_minor(1_599, Currency::of("USD").unwrap()),
        processor: processor.map(|name| ProcessorName::of(name).unwrap()),
        purchase_id: None,
        preauth: None,
        tax: None,
        entry: Entry::Financial,
        elsewhere: None,
        source: Source {
            file: "f.csv".to_owned(),
            line: 2,
            digest: String::new(),
        },
        raw: String::new(),
    }
}

fn place(config: &Config, store: &str, started_at: &str, processor: Option<&str>) -> Trip {
    config.place(&row(store, started_at, processor))
}

#[test]
fn the_business_date_follows_the_stores_clock_through_its_changes() {
    let config = config::of(PLACES);
    let rows = [
        // New York, until 03:00; clocks go forward on 8 March 2026 and back on 1 November.
        ("UNKNOWN", "2026-03-08T06:59:59Z", "2026-03-07"),
        ("UNKNOWN", "2026-03-08T07:00:00Z", "2026-03-08"), // 02:00 became 03:00
        ("PLAIN", "2026-03-09T06:59:59Z", "2026-03-08"),
        ("PLAIN", "2026-03-09T07:00:00Z", "2026-03-09"),
        ("PLAIN", "2026-11-01T07:59:59Z", "2026-10-31"), // 02:59:59 in winter time
        ("PLAIN", "2026-11-01T08:00:00Z", "2026-11-01"),
        // A store of its own clock, and one that only closes later.
        ("BERLIN", "2026-03-29T01:59:59Z", "2026-03-28"),
        ("BERLIN", "2026-03-29T02:00:00Z", "2026-03-29"),
        ("BERLIN", "2026-10-25T03:00:00+01:00", "2026-10-24"),
        ("LATER", "2026-03-09T08:59:59Z", "2026-03-08"),
        ("LATER", "2026-03-09T09:00:00Z", "2026-03-09"),
    ];
    for (store, started_at, date) in rows {
        let trip = place(&config, store, started_at, None);
        assert_eq!(trip.business_date.to_string(), date, "{store} {started_at}");
    }
}

#[test]
fn the_rows_processor_goes_before_the_stores_and_an_unknown_one_lives_shortest() {
    let config = config::of(PLACES);
    let rows = [
        ("PLAIN", None, None, 46, false),
        ("UNKNOWN", None, None, 46, false),
        ("BERLIN", None, Some("slow"), 100, false),
        ("BERLIN", Some("quick"), Some("quick"), 20, false),
        ("BERLIN", Some("usual"), Some("usual"), 46, false),
        ("BERLIN", Some("nobody"), Some("nobody"), 20, true),
        ("PLAIN", Some("Quick"), Some("Quick"), 20, true),
    ];
    for (store, named, processor, hours, unknown) in rows {
        let trip = place(&config, store, "2026-03-08T10:00:00Z", named);
        let told = trip.processor.as_ref().map(ProcessorName::as_str);
        let lives = trip.expires_at.ms_since(trip.started_at);
        let margin = trip.expires_at.ms_since(trip.act_by);
        assert_eq!(
            (told, lives / 3_600_000, trip.unknown_processor),
            (processor, hours, unknown),
            "{store} {named:?}"
        );
        assert_eq!(margin, 120 * 60_000, "{store} {named:?}");
    }
}

#[test]
fn where_no_processor_is_configured_an_unknown_one_lives_as_long_as_any() {
    let config = config::of("token.lifetime_hours = 30");
    let trip = place(&config, "S", "2026-03-08T10:00:00Z", Some("nobody"));
    assert_eq!(trip.expires_at.to_string(), "2026-03-09T16:00:00Z");
    assert!(trip.unknown_processor);
}

#[test]
fn a_trip_keeps_what_its_row_says() {
    let config = config::of("");
    let usd = Currency::of("USD").unwrap();
    let mut given = row("S", "2026-03-08T10:00:00Z", None);
    given.ended_at = Some(Timestamp::parse("2026-03-08T10:20:00Z").unwrap());
    given.purchase_id = Some("P-1".to_owned());
    (given.preauth, given.tax) = (Some(Money::of_minor(5, usd)), Some(Money::of_minor(6, usd)));
    let trip = config.place(&given);
    assert_eq!((&trip.key, trip.started_at), (&given.key, given.started_at));
    assert_eq!(
        (trip.ended_at, &trip.purchase_id),
        (given.ended_at, &given.purchase_id)
    );
    let money = (trip.cart_total, trip.preauth, trip.tax);
    assert_eq!(money, (given.amount, given.preauth, given.tax));
}

#[test]
fn a_stores_policy_is_its_own_and_the_rest_the_companys() {
    let config = config::of(PLACES);
    let of = |store: &str| config.policy_for(&StoreId::of(store).unwrap());
    assert_eq!(of("BERLIN").on_decline, DeclinePolicy::Search);
    assert_eq!(of("PLAIN").on_decline, DeclinePolicy::WriteOff);
    assert_eq!(of("UNKNOWN").on_decline, DeclinePolicy::WriteOff);
    assert_eq!(of("BERLIN").max_probes, 7);
}

#[test]
fn a_store_is_known_also_when_it_says_nothing_of_itself() {
    let config = config::of(PLACES);
    let known = |store: &str| config.store_is_known(&StoreId::of(store).unwrap());
    assert!(known("BERLIN") && known("LATER") && known("PLAIN"));
    assert!(!known("UNKNOWN") && !known("plain"));
}

#[test]
fn whoever_names_columns_names_all_of_them() {
    let usual = &config::of("[processor.x]").processors;
    let usual = &usual.values().next().unwrap().format;
    assert_eq!(usual, &tripsettle::domain::GenericCsvFormat::default());
    let text = "[processor.x]\ndelimiter = \"\\t\"\ncapture_kinds = ['sale']\n\
                date_format = '%d.%m.%Y %H:%M'\nstrip_apostrophe = true\n\
                [processor.x.columns]\nreconciliation_id = 'Ref'\nkind = 'Type'\namount = 'Gross'";
    let own = config::of(text).processors;
    let own = &own.values().next().unwrap().format;
    assert_eq!(
        (&own.trip_id, own.reconciliation_id.as_deref()),
        (&None, Some("Ref"))
    );
    assert_eq!(
        (&own.date, &own.reference, &own.store_id),
        (&None, &None, &None)
    );
    assert_eq!(
        (own.amount.as_str(), own.currency.as_str()),
        ("Gross", "currency")
    );
    assert_eq!((own.kind.as_deref(), own.delimiter), (Some("Type"), b'\t'));
    assert_eq!(
        (own.capture_kinds.as_slice(), own.strip_apostrophe),
        (&["sale".to_owned()][..], true)
    );
}

#[test]
fn a_store_that_moves_has_the_business_dates_of_its_new_place_from_that_day_on() {
    let config = config::of(
        r#"
calendar.timezone = "America/New_York"
calendar.cutoff = "03:00"
calendar.calendar_changes = ["2026-09-01 Europe/Berlin 04:00"]
[store.MOVES]
timezone = "America/New_York"
calendar_changes = ["2026-07-01 America/Denver 04:00", "2026-08-01 America/Denver 00:00"]
[store.STAYS]
cutoff = "05:00"
[store.PLAIN]
"#,
    );
    let rows = [
        ("MOVES", "2026-07-01T06:59:59Z", "2026-06-30"),
        ("MOVES", "2026-07-01T07:30:00Z", "2026-06-30"), // a new day by the clock of New York
        ("MOVES", "2026-07-01T10:00:00Z", "2026-07-01"),
        ("MOVES", "2026-08-01T05:59:59Z", "2026-07-31"),
        ("MOVES", "2026-08-01T06:00:00Z", "2026-08-01"),
        // It moves with the company only where it says nothing of its own.
        ("PLAIN", "2026-09-01T01:59:59Z", "2026-08-31"),
        ("PLAIN", "2026-09-01T02:00:00Z", "2026-09-01"),
        ("STAYS", "2026-09-01T08:59:59Z", "2026-08-31"),
        ("STAYS", "2026-09-01T09:00:00Z", "2026-09-01"),
    ];
    for (store, started_at, date) in rows {
        let trip = place(&config, store, started_at, None);
        assert_eq!(trip.business_date.to_string(), date, "{store} {started_at}");
    }
}

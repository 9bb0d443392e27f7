//! The sweep, told as rows and against brute force.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tripsettle::domain::time::{HOUR_MS, MINUTE_MS};
use tripsettle::domain::{
    Currency, Money, OpenTrip, Status, StoreId, SweepPolicy, Timestamp, TripId, TripKey,
};
use tripsettle::sweep::{CountAndMoney, Plan, Planner, is_due};

const LIFETIME_H: i64 = 46;
const MARGIN_H: i64 = 2;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T02:30:00Z").unwrap()
}

fn hours(from_now: i64) -> Timestamp {
    now().plus_ms(from_now * HOUR_MS)
}

fn policy(calls_per_1000_seconds: u64) -> SweepPolicy {
    SweepPolicy {
        tolerate_outage_ms: 20 * HOUR_MS,
        min_age_ms: HOUR_MS,
        calls_per_1000_seconds,
    }
}

/// A trip that is to be acted on so many minutes from now.
fn trip(id: i64, act_in_minutes: i64, minor: i64) -> OpenTrip {
    let act_by = now().plus_ms(act_in_minutes * MINUTE_MS);
    let expires_at = act_by.plus_ms(MARGIN_H * HOUR_MS);
    OpenTrip {
        id,
        key: TripKey {
            store: StoreId::of("S1").unwrap(),
            trip: TripId::of(&format!("t{id}")).unwrap(),
        },
        started_at: expires_at.plus_ms(-LIFETIME_H * HOUR_MS),
        expires_at,
        act_by,
        status: Status::Open,
        cart_total: Money::of_minor(minor, Currency::of("USD").unwrap()),
    }
}

fn plan(mut planner: Planner, trips: &[OpenTrip]) -> Plan {
    trips.iter().for_each(|trip| planner.add(trip));
    planner.finish()
}

fn counted(rate: u64, trips: &[OpenTrip]) -> Plan {
    plan(Planner::new(policy(rate), hours(24), now()), trips)
}

fn chosen(rate: u64, trips: &[OpenTrip]) -> Plan {
    plan(Planner::choosing(policy(rate), hours(24), now()), trips)
}

fn left_out(plan: &Plan) -> Vec<i64> {
    plan.left_out.iter().copied().collect()
}

#[test]
fn a_trip_is_due_when_the_run_after_next_could_be_too_late() {
    let rows = [
        // began so many minutes ago, status, due
        (
            59,
            Status::Open,
            false,
            "younger than an hour: left to the retailer's own capture",
        ),
        (
            60,
            Status::Open,
            true,
            "its act_by lies within the next run and 20 hours",
        ),
        (44 * 60, Status::Open, true, "at act_by"),
        (
            47 * 60,
            Status::Open,
            true,
            "past its expiry it is still asked",
        ),
        (1000 * 60, Status::Open, true, "however long ago"),
        (20 * 60, Status::Refused, false, "parked"),
        (
            46 * 60,
            Status::Refused,
            true,
            "at expiry a parked trip is booked",
        ),
        (
            20 * 60,
            Status::WrittenOff,
            true,
            "its hold is to be released",
        ),
        (
            46 * 60,
            Status::WrittenOff,
            false,
            "its hold fell with the token",
        ),
        (
            20 * 60,
            Status::Cancelled,
            true,
            "written off, then never owed: its hold still stands",
        ),
        (
            20 * 60,
            Status::InDoubt,
            false,
            "only evidence ends a doubt",
        ),
        (20 * 60, Status::Captured, false, "settled"),
    ];
    for (minutes_ago, status, due, why) in rows {
        let mut trip = trip(1, (LIFETIME_H - MARGIN_H) * 60 - minutes_ago, 2000);
        trip.status = status;
        assert_eq!(
            is_due(&trip, &policy(10_000), hours(24), now()),
            due,
            "{why}"
        );
    }
}

#[test]
fn due_reaches_as_far_as_the_next_run_and_the_outage_we_tolerate() {
    let rows = [
        // next run in hours, act_by in hours, began in hours, due
        (24, 44, -2, true),
        (24, 45, -2, false),
        (12, 32, -12, true),
        (12, 33, -11, false),
        // too young, but lost before the next run comes
        (24, 23, 0, true),
        (24, 24, 0, false),
        (72, 44, 0, true),
    ];
    for (next_run, act_by, began, due) in rows {
        let mut trip = trip(1, act_by * 60, 2000);
        trip.started_at = hours(began);
        let found = is_due(&trip, &policy(10_000), hours(next_run), now());
        assert_eq!(
            found, due,
            "next run in {next_run} h, act by {act_by} h, began {began} h"
        );
    }
}

#[test]
fn a_plan_counts_what_is_due_by_call_and_by_hour() {
    let mut trips = vec![
        trip(1, -180, 700),
        trip(2, -30, 500),
        trip(3, 10, 0),
        trip(4, 45, 300),
    ];
    trips.extend([trip(5, 45, 200), trip(6, 2600, 100), trip(7, 46, 150)]);
    trips[4].status = Status::WrittenOff;
    trips[5].started_at = now();
    // Written off once; later a person said that it was never owed.
    trips[6].status = Status::Cancelled;
    let plan = counted(10_000, &trips);
    let usd = |trips, minor| {
        let minor = [(Currency::of("USD").unwrap(), minor)].into();
        CountAndMoney { trips, minor }
    };
    assert_eq!((plan.due, plan.waiting), (6, 1));
    assert_eq!(plan.already_lost, usd(1, 700));
    assert_eq!(plan.by_call["adjust"], usd(3, 1500));
    assert_eq!(plan.by_call["capture"], usd(2, 800));
    assert_eq!(plan.by_call["cancel"], usd(3, 350));
    let hours: Vec<_> = plan
        .by_hour
        .iter()
        .map(|(at, load)| (at.to_string(), load))
        .collect();
    assert_eq!(
        hours,
        [
            ("2026-11-24T02:00:00Z".to_owned(), &usd(2, 500)),
            ("2026-11-24T03:00:00Z".to_owned(), &usd(3, 650)),
        ]
    );
    assert_eq!((plan.calls_needed, plan.seconds_needed), (8, 1));
    assert!(!plan.overloaded && plan.left_out.is_empty());
}

#[test]
fn when_not_all_fits_the_set_is_kept_that_saves_most_money() {
    // One call a minute (16.67 in 1000 seconds): two minutes a trip.
    let rate = 17;
    type Row<'a> = (&'a [(i64, i64)], &'a [i64], &'a str);
    let rows: [Row<'_>; 6] = [
        (
            &[(10, 100), (10, 200), (10, 300)],
            &[],
            "three trips in ten minutes fit",
        ),
        (
            &[(4, 100), (4, 200), (4, 300)],
            &[1],
            "the smallest is left out",
        ),
        (
            &[(2, 900), (4, 200), (4, 300)],
            &[2],
            "an early one keeps its place",
        ),
        (
            &[(2, 100), (4, 200), (4, 300)],
            &[1],
            "or gives it to two that are worth more",
        ),
        (
            &[(-30, 100), (2, 900)],
            &[],
            "past act_by the expiry counts",
        ),
        (
            &[(-180, 900), (4, 100), (4, 200)],
            &[1],
            "what is lost already comes last",
        ),
    ];
    for (trips, expected, why) in rows {
        let trips: Vec<OpenTrip> = (1..)
            .zip(trips)
            .map(|(id, (minutes, minor))| trip(id, *minutes, *minor))
            .collect();
        assert_eq!(left_out(&chosen(rate, &trips)), expected, "{why}");
    }
}

#[test]
fn releases_are_given_up_first_and_currencies_compare_by_major_units() {
    let mut trips = vec![trip(1, 4, 5000), trip(2, 4, 100), trip(3, 4, 100)];
    trips[0].status = Status::WrittenOff;
    assert_eq!(
        left_out(&chosen(17, &trips)),
        [1],
        "a release saves no money"
    );
    let money = |minor, code| Money::of_minor(minor, Currency::of(code).unwrap());
    trips[0] = trip(1, 4, 900);
    trips[1].cart_total = money(900, "JPY");
    trips[2].cart_total = money(9100, "KWD");
    assert_eq!(
        left_out(&chosen(17, &trips)),
        [1],
        "9.00 USD, 900 JPY, 9.100 KWD"
    );
}

#[test]
fn a_rate_of_nothing_leaves_everything_out() {
    let trips = [trip(1, 10, 100), trip(2, 20, 200)];
    assert!(counted(0, &trips).overloaded);
    let plan = chosen(0, &trips);
    assert_eq!(left_out(&plan), [1, 2]);
    assert_eq!(plan.will_not_fit.trips, 2);
}

/// The most money of any set of trips that can be handled in time, by trying them all.
fn most_money(rate: u64, trips: &[OpenTrip]) -> i64 {
    let fits = |chosen: &[&OpenTrip]| {
        let mut used = 0;
        chosen.iter().all(|trip| {
            used += 2;
            let ms = u64::try_from(trip.act_by.ms_since(now())).unwrap();
            used <= rate * ms / 1_000_000
        })
    };
    let sets = (0_u32..1 << trips.len()).map(|set| {
        let member = |place: &usize| set >> place & 1 == 1;
        (0..trips.len())
            .filter(member)
            .map(|place| &trips[place])
            .collect::<Vec<_>>()
    });
    let money = |set: Vec<&OpenTrip>| set.iter().map(|trip| trip.cart_total.minor()).sum();
    sets.filter(|set| fits(set)).map(money).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Against brute force: no other set that fits would save more, and what is kept does fit.
    #[test]
    fn no_other_set_would_save_more(
        rate in 0_u64..60,
        mut jobs in prop::collection::vec((1_i64..30, 1_i64..1000), 0..10),
    ) {
        jobs.sort_unstable();
        let trips: Vec<OpenTrip> =
            (1..).zip(&jobs).map(|(id, (minutes, minor))| trip(id, *minutes, *minor)).collect();
        let plan = chosen(rate, &trips);
        let kept: Vec<OpenTrip> =
            trips.iter().filter(|trip| !plan.leaves_out(trip.id)).cloned().collect();
        let saved: i64 = kept.iter().map(|trip| trip.cart_total.minor()).sum();
        prop_assert_eq!(saved, most_money(rate, &trips));
        prop_assert_eq!(saved, most_money(rate, &kept), "what is kept fits");
        prop_assert_eq!(counted(rate, &trips).overloaded, !plan.left_out.is_empty());
    }
}

#[test]
fn a_trip_at_its_act_by_still_has_the_time_until_its_token_dies() {
    // One call a second; two hours lie between act_by and expiry.
    let trips: Vec<OpenTrip> = (1..=3_000).map(|id| trip(id, 0, 2000)).collect();
    let told = chosen(1_000, &trips);
    assert_eq!(told.calls_needed, 6_000);
    assert_eq!(told.seconds_needed, 6_000);
    assert_eq!(left_out(&told), [] as [i64; 0]);
    assert_eq!(counted(3_000, &trips).seconds_needed, 2_000);
    assert_eq!(counted(7_000, &trips[..1]).seconds_needed, 1);
}

#[test]
fn currencies_are_weighed_by_their_major_units() {
    let of = |id, minor, code: &str| {
        let cart_total = Money::of_minor(minor, Currency::of(code).unwrap());
        OpenTrip {
            cart_total,
            ..trip(id, 60, 0)
        }
    };
    // Two calls a trip, room for one trip: what is worth most stays, whatever its minor unit.
    let rows = [
        ([(9_000, "KWD"), (5_000, "USD")], 1),
        ([(100, "JPY"), (9_999, "USD")], 2),
        ([(9_999, "CLF"), (2, "JPY")], 1),
        ([(30_000, "CLF"), (2_999, "KWD")], 2),
    ];
    for (carts, least) in rows {
        let trips = [of(1, carts[0].0, carts[0].1), of(2, carts[1].0, carts[1].1)];
        // 3 calls an hour.
        let told = chosen(1, &trips);
        assert_eq!(left_out(&told), [least], "{carts:?}");
    }
}

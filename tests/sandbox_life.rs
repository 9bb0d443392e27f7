//! What becomes of a trip: its hold, its captures, its token.

#![allow(clippy::unwrap_used)]

mod sandbox;

use chrono::{TimeDelta, Utc};
use sandbox::{STORE, Scene, TRIP, adjusted, approved, refused};
use tripsettle::sandbox::{SandboxConfig, SandboxTrip};

const BAD: &str = "BadRequestException";
const EXPIRED: &str = "ShoppingTripExpiredException";

async fn check(script: SandboxTrip, story: &[&str], expected: &[String]) -> Scene {
    let scene = Scene::with(SandboxConfig::default()).await;
    scene.sandbox.add_trip(script);
    assert_eq!(scene.play(story).await, expected);
    scene
}

fn trip() -> SandboxTrip {
    SandboxTrip::of(STORE, TRIP)
}

fn up_to(limit: &str) -> SandboxTrip {
    let limit = limit.parse().unwrap();
    SandboxTrip { limit, ..trip() }
}

fn ok() -> String {
    "200".to_owned()
}

#[tokio::test]
async fn a_second_capture_is_executed_and_written_down() {
    let story = ["adjust 15.99 USD", "capture 15.99 USD", "capture 15.99 USD"];
    let scene = check(trip(), &story, &[approved("15.99 USD"), ok(), ok()]).await;
    assert_eq!(scene.captured(), ["15.99", "15.99"]);
    assert_eq!(scene.row().captured().to_string(), "31.98");
}

#[tokio::test]
async fn a_decline_tells_the_last_adjusted_amount() {
    let story = [
        "adjust 30.01 USD",
        "adjust 20 USD",
        "adjust 30.01 USD",
        "adjust 30 USD",
        "adjust 99 USD",
        "capture 30 USD",
    ];
    let expected = [
        adjusted("DECLINED", "0.00 USD"),
        approved("20.00 USD"),
        adjusted("DECLINED", "20.00 USD"),
        approved("30.00 USD"),
        adjusted("DECLINED", "30.00 USD"),
        ok(),
    ];
    let scene = check(up_to("30"), &story, &expected).await;
    assert_eq!(scene.row().adjusts, 5);
}

#[tokio::test]
async fn no_capture_goes_beyond_what_is_authorised() {
    let story = ["adjust 20 USD", "capture 20.01 USD", "capture 20 USD"];
    let expected = [approved("20.00 USD"), refused(BAD), ok()];
    let scene = check(trip(), &story, &expected).await;
    assert_eq!(scene.captured(), ["20"]);
}

#[tokio::test]
async fn what_the_gate_authorised_can_be_captured_without_an_adjust() {
    let preauth = "10".parse().unwrap();
    let script = SandboxTrip { preauth, ..trip() };
    let story = ["capture 10.01 USD", "capture 10 USD"];
    check(script, &story, &[refused(BAD), ok()]).await;
}

#[tokio::test]
async fn an_adjust_is_a_total_that_may_go_down_and_be_repeated() {
    let story = [
        "adjust 20 USD",
        "adjust 20 USD",
        "adjust 5 USD",
        "capture 6 USD",
    ];
    let twenty = approved("20.00 USD");
    let expected = [twenty.clone(), twenty, approved("5.00 USD"), refused(BAD)];
    check(trip(), &story, &expected).await;
}

#[tokio::test]
async fn a_pending_adjust_is_decided_when_asked_again() {
    let script = SandboxTrip {
        pending_asks: 2,
        ..up_to("30")
    };
    let story = [
        "adjust 31 USD",
        "adjust 31 USD",
        "adjust 31 USD",
        "adjust 30 USD",
    ];
    let pending = adjusted("PENDING", "31.00 USD");
    let declined = adjusted("DECLINED", "0.00 USD");
    let expected = [pending.clone(), pending, declined, approved("30.00 USD")];
    check(script, &story, &expected).await;
}

#[tokio::test]
async fn nothing_is_held_after_a_cancel() {
    let story = [
        "adjust 20 USD",
        "cancel",
        "adjust 20 USD",
        "capture 20 USD",
        "cancel",
    ];
    let expected = [
        approved("20.00 USD"),
        ok(),
        refused(BAD),
        refused(BAD),
        ok(),
    ];
    let scene = check(trip(), &story, &expected).await;
    let row = scene.row();
    assert!(row.cancelled && row.captures.is_empty());
    assert_eq!(row.cancels, 2);
}

#[tokio::test]
async fn a_cancel_after_the_capture_is_written_down_too() {
    let story = ["adjust 20 USD", "capture 20 USD", "cancel"];
    let scene = check(trip(), &story, &[approved("20.00 USD"), ok(), ok()]).await;
    assert!(scene.row().cancelled);
    assert_eq!(scene.captured(), ["20"]);
}

#[tokio::test]
async fn a_dead_token_charges_nothing() {
    let started_at = Utc::now() - TimeDelta::hours(46);
    let script = SandboxTrip {
        started_at,
        ..trip()
    };
    let story = ["adjust 20 USD", "capture 20 USD", "cancel", "data"];
    let scene = check(script, &story, &[(); 4].map(|()| refused(EXPIRED))).await;
    assert_eq!((scene.row().adjusts, scene.row().cancels), (0, 0));
}

#[tokio::test]
async fn a_token_lives_as_long_as_configured_on_the_sandboxs_clock() {
    let scene = Scene::with(SandboxConfig {
        token_lifetime_hours: 1,
        verify_signatures: false,
        ..SandboxConfig::default()
    });
    let scene = scene.await;
    let started_at = "2026-02-28T23:30:00Z".parse().unwrap();
    scene.sandbox.add_trip(SandboxTrip {
        started_at,
        ..trip()
    });
    scene.sandbox.set_clock(started_at + TimeDelta::minutes(59));
    assert_eq!(scene.adjust("1 USD").await, approved("1.00 USD"));
    assert_eq!(scene.capture("1 USD").await, ok());
    let (captured_at, _) = scene.row().captures[0];
    let after = captured_at - started_at;
    assert!((59..60).contains(&after.num_minutes()), "{after}");
    scene.sandbox.set_clock(started_at + TimeDelta::minutes(60));
    assert_eq!(scene.capture("1 USD").await, refused(EXPIRED));
    assert!(scene.data().await.starts_with("200 "));
    assert_eq!(scene.captured(), ["1"]);
}

#[tokio::test]
async fn a_trip_that_is_refused_says_so_to_every_call() {
    let refuse = Some("SomethingElseException".to_owned());
    let script = SandboxTrip { refuse, ..trip() };
    let story = ["adjust 20 USD", "capture 20 USD", "cancel"];
    let no = || refused("SomethingElseException");
    let scene = check(script, &story, &[no(), no(), no()]).await;
    assert!(!scene.row().cancelled);
}

//! The house around the trips: rate, patience, trips to play with, JSON for others, the end.

#![allow(clippy::unwrap_used)]

mod sandbox;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::{STORE, Scene, TRIP, adjusted, approved, hear, named, of, refused};
use serde_json::{Value, json};
use tripsettle::sandbox::{CallKind, Sandbox, SandboxConfig, SandboxTrip};

fn trip() -> SandboxTrip {
    SandboxTrip::of(STORE, TRIP)
}

#[tokio::test]
async fn over_the_rate_limit_nothing_is_done_and_the_wait_is_told() {
    let scene = Scene::with(SandboxConfig {
        requests_per_second: Some(0),
        retry_after_seconds: 600,
        ..SandboxConfig::default()
    });
    let scene = scene.await;
    scene.sandbox.add_trip(trip());
    for call in CallKind::ALL {
        let said = scene.send(call, &of(TRIP, "5 USD")).await;
        assert_eq!(said.line(), r#"429 {"errorMsg":"Too Many Requests"}"#);
        assert_eq!(said.header("retry-after"), Some("600"));
    }
    let calls = scene.sandbox.calls();
    assert_eq!((calls.adjust, calls.capture, calls.throttled), (1, 1, 5));
    assert_eq!((scene.row().adjusts, scene.row().cancels), (0, 0));
    scene.sandbox.set_rate(None, 0);
    assert_eq!(scene.adjust("5 USD").await, approved("5.00 USD"));
}

#[tokio::test]
async fn the_rate_limit_grants_a_burst_and_then_one_a_second() {
    let scene = Scene::with_a_trip().await;
    scene.sandbox.set_rate(Some(1), 3);
    let begun = Instant::now();
    let mut granted = 0;
    for _ in 0..5 {
        let said = scene.send(CallKind::Cancel, &named(TRIP)).await;
        granted += u64::from(said.status == 200);
    }
    let most = 3 + begun.elapsed().as_secs();
    assert!((3..=most).contains(&granted), "{granted} of at most {most}");
    assert_eq!(u64::from(scene.row().cancels), granted);
}

#[tokio::test]
async fn a_caller_who_hangs_up_has_been_served_all_the_same() {
    let scene = Scene::with(SandboxConfig {
        latency_ms: 60_000,
        ..SandboxConfig::default()
    });
    let mut scene = scene.await;
    let preauth = "10".parse().unwrap();
    scene.sandbox.add_trip(SandboxTrip { preauth, ..trip() });
    let patience = Duration::from_millis(200);
    scene.client = reqwest::Client::builder()
        .timeout(patience)
        .build()
        .unwrap();
    let heard = scene.try_send(CallKind::Capture, &of(TRIP, "10 USD")).await;
    assert!(heard.unwrap_err().is_timeout());
    assert_eq!(scene.captured(), ["10"]);
}

#[tokio::test]
async fn trips_to_play_with_behave_as_their_names_say() {
    let scene = Scene::with(SandboxConfig {
        auto_trips: true,
        ..SandboxConfig::default()
    });
    let scene = scene.await;
    let reset = "connection lost".to_owned();
    let rows = [
        ("plain-1", "adjust", approved("15.99 USD")),
        ("noprefix", "adjust", approved("15.99 USD")),
        ("declined-1", "adjust", adjusted("DECLINED", "0.00 USD")),
        ("partial-1", "adjust", adjusted("DECLINED", "7.99 USD")),
        ("limited-1", "adjust", adjusted("DECLINED", "0.00 USD")),
        ("pending-1", "adjust", adjusted("PENDING", "15.99 USD")),
        ("pending-1", "adjust", adjusted("PENDING", "15.99 USD")),
        ("pending-1", "adjust", approved("15.99 USD")),
        ("stuck-1", "adjust", adjusted("PENDING", "15.99 USD")),
        (
            "expired-1",
            "adjust",
            refused("ShoppingTripExpiredException"),
        ),
        ("unknown-1", "adjust", refused("UnknownShoppingTrip")),
        ("refused-1", "adjust", refused("BadRequestException")),
        ("doubt-1", "adjust", approved("15.99 USD")),
        ("doubt-1", "capture", reset.clone()),
        ("lost-1", "adjust", approved("15.99 USD")),
        ("lost-1", "capture", reset),
        ("lost-1", "capture", "200".to_owned()),
        ("empty-1", "cancel", "200".to_owned()),
    ];
    for (trip, call, expected) in rows {
        let call = match call {
            "adjust" => CallKind::Adjust,
            "capture" => CallKind::Capture,
            _ => CallKind::Cancel,
        };
        let heard = scene.try_send(call, &of(trip, "15.99 USD")).await;
        let heard = heard.map_or_else(|_| "connection lost".to_owned(), |said| said.line());
        assert_eq!(heard, expected, "{trip} {call:?}");
    }
    let rows = scene.sandbox.ledger();
    let captured = rows.iter().filter(|row| !row.captures.is_empty());
    let captured: Vec<_> = captured.map(|row| row.shopping_trip_id.as_str()).collect();
    assert_eq!(captured, ["doubt-1", "lost-1"]);
}

#[tokio::test]
async fn trips_come_in_and_the_ledger_goes_out_as_json() {
    let scene = Scene::with(SandboxConfig::default()).await;
    let url = |path: &str| format!("{}/sandbox/{path}", scene.sandbox.url());
    let trips = json!([{
        "store_id": STORE,
        "shopping_trip_id": TRIP,
        "currency": "EUR",
        "limit": "100.00",
        "faults": [
            {"call": "capture", "kind": "reset", "side": "after", "times": 1},
            {"call": "cancel", "kind": {"status": 503}, "side": "before", "times": 2},
        ],
    }]);
    let add = scene.client.post(url("trips")).body(trips.to_string());
    assert_eq!(hear(add).await.unwrap().line(), r#"200 {"added":1}"#);
    scene.adjust("12.30 EUR").await;
    let capture = scene
        .try_send(CallKind::Capture, &of(TRIP, "12.30 EUR"))
        .await;
    assert!(capture.is_err());
    assert!(scene.cancel().await.starts_with("503 "));
    let read = hear(scene.client.get(url("ledger"))).await.unwrap();
    let rows: Value = serde_json::from_str(&read.body).unwrap();
    let at = rows[0]["captures"][0][0].clone();
    let expected = json!([{
        "store_id": STORE,
        "shopping_trip_id": TRIP,
        "currency": "EUR",
        "authorized": "12.30",
        "captures": [[at, "12.30"]],
        "refunds": [],
        "cancelled": false,
        "adjusts": 1,
        "cancels": 0,
        "reads": 0,
    }]);
    assert_eq!(rows, expected);
    let read = hear(scene.client.get(url("calls"))).await.unwrap();
    let calls: Value = serde_json::from_str(&read.body).unwrap();
    assert_eq!(
        (&calls["adjust"], &calls["capture"]),
        (&json!(1), &json!(1))
    );
    for wrong in ["", "{}", r#"[{"limit":1}]"#, r#"[{"typo":1}]"#] {
        let add = scene.client.post(url("trips")).body(wrong.to_owned());
        assert_eq!(hear(add).await.unwrap().status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_stopped_sandbox_is_gone_with_its_connections_and_frees_its_port() {
    let scene = Scene::with(SandboxConfig {
        latency_ms: 60_000,
        ..SandboxConfig::default()
    });
    let scene = scene.await;
    let addr = scene.sandbox.addr();
    let request = scene.request(CallKind::Cancel, &named(TRIP));
    let waiting = tokio::spawn(hear(request));
    while scene.sandbox.calls().cancel == 0 {
        tokio::task::yield_now().await;
    }
    scene.sandbox.stop().await;
    assert!(waiting.await.unwrap().is_err());
    let again = Sandbox::start(addr, SandboxConfig::default()).await;
    assert_eq!(again.unwrap().addr(), addr);
}

#[tokio::test]
async fn a_served_sandbox_tells_a_script_where_it_is_and_ends_at_ctrl_c() {
    let mut served = Command::new(env!("CARGO_BIN_EXE_tripsettle"))
        .args(["sandbox", "--listen", "127.0.0.1:0", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = served.stdout.take().unwrap();
    let mut said = serde_json::Deserializer::from_reader(said).into_iter::<Value>();
    let told = said.next().unwrap().unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    assert!(text("ledger").starts_with(&text("endpoint")), "{told}");
    let ledger = hear(reqwest::Client::new().get(text("ledger"))).await;
    assert_eq!(ledger.unwrap().status, 200);
    let caller = SandboxConfig::default();
    assert_eq!(
        [
            text("access_key_id"),
            text("secret_access_key"),
            text("region")
        ],
        [caller.access_key, caller.secret_key, caller.region]
    );
    let id = served.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    assert!(served.wait().unwrap().success());
    assert!(said.next().is_none(), "one object and nothing else");
}

//! Every fault on every call, before and after its effect: what the caller sees, and what the
//! ledger knows.

#![allow(clippy::unwrap_used)]

mod sandbox;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sandbox::{STORE, Scene, TRIP, approved, fault, named, of};
use tokio::task::JoinSet;
use tripsettle::sandbox::{
    CallKind, Fault, FaultKind, LedgerRow, SandboxConfig, SandboxTrip, Side, WireEnd,
};

const SIDES: [Side; 2] = [Side::Before, Side::After];
/// How long the caller waits for what never comes.
const PATIENCE: Duration = Duration::from_secs(1);
const ENOUGH: usize = 64 * 1024;

/// All kinds, with what a caller sees of them when the call itself succeeds.
fn kinds() -> Vec<(FaultKind, &'static str)> {
    vec![
        (FaultKind::Reset, "no answer"),
        (FaultKind::ResetInHead, "no answer"),
        (FaultKind::ResetInBody, "200 cut"),
        (FaultKind::Truncated, "200 cut"),
        (FaultKind::UnfinishedChunks, "200 cut"),
        (FaultKind::Hang, "silence"),
        (FaultKind::StallInBody, "200 then silence"),
        (FaultKind::Drip, "silence"),
        (FaultKind::Huge(1 << 30), "200 without end"),
        (FaultKind::Endless, "200 without end"),
        (FaultKind::Late(60_000), "silence"),
        (FaultKind::Twice, "200 whole"),
        (FaultKind::Skewed(301), "200 whole"),
        (FaultKind::Encoded, "200 whole"),
        (FaultKind::Status(500), "500 whole"),
        (FaultKind::Status(503), "503 whole"),
        (FaultKind::Html(200), "200 whole"),
        (FaultKind::Html(502), "502 whole"),
        (FaultKind::EmptyBody, "200 whole"),
        (FaultKind::Body("[]".to_owned()), "200 whole"),
        (FaultKind::Redirect(307), "307 whole"),
        (FaultKind::Throttle(7), "429 whole"),
        (FaultKind::ThrottleAs(None), "429 whole"),
        (
            FaultKind::Wire(b"220 mail".to_vec(), WireEnd::Close),
            "no answer",
        ),
        (FaultKind::Wire(Vec::new(), WireEnd::Reset), "no answer"),
    ]
}

/// Which kinds a caller can only wait for.
fn never_ends(kind: &FaultKind) -> bool {
    use FaultKind::{Drip, Hang, Late, StallInBody};
    matches!(kind, Hang | StallInBody | Drip | Late(_))
}

/// What the caller sees, in a word or two.
async fn seen(request: reqwest::RequestBuilder) -> String {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return "silence".to_owned(),
        Err(_) => return "no answer".to_owned(),
    };
    let status = response.status().as_u16();
    let mut read = 0;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) => return format!("{status} whole"),
            Err(error) if error.is_timeout() => return format!("{status} then silence"),
            Err(_) => return format!("{status} cut"),
        }
        if read > ENOUGH {
            return format!("{status} without end");
        }
    }
}

/// How often the call was executed.
fn effects(row: &LedgerRow, call: CallKind) -> usize {
    let count = |count: u32| usize::try_from(count).unwrap();
    match call {
        CallKind::Adjust => count(row.adjusts),
        CallKind::Capture => row.captures.len(),
        CallKind::Cancel => count(row.cancels),
        CallKind::TransactionalData => count(row.reads),
        CallKind::Refund => row.refunds.len(),
    }
}

/// A call that succeeds on a trip of which 10 are held and 5 captured.
fn body(call: CallKind, trip: &str) -> String {
    match call {
        CallKind::Cancel | CallKind::TransactionalData => named(trip),
        CallKind::Adjust | CallKind::Capture => of(trip, "5 USD"),
        CallKind::Refund => of(trip, "5 USD").replacen(
            '{',
            r#"{"refundRequestId":"0d5a2b6e-8f1c-4e3a-9b7d-1a2b3c4d5e6f",
                "refundReasonCode":"OTHER","#,
            1,
        ),
    }
}

/// One fault on one call.
struct Strike {
    trip: String,
    fault: Fault,
    seen_as: &'static str,
}

fn strikes() -> Vec<Strike> {
    let mut strikes = Vec::new();
    for call in CallKind::ALL {
        for side in SIDES {
            for (kind, seen_as) in kinds() {
                let trip = format!("trip-{}", strikes.len());
                let fault = fault(call, kind, side);
                strikes.push(Strike {
                    trip,
                    fault,
                    seen_as,
                });
            }
        }
    }
    strikes
}

impl Strike {
    /// Plays it and tells whether the caller saw what he should.
    async fn play(self, scene: Arc<Scene>) -> (Self, String) {
        let kind = &self.fault.kind;
        let patience = if never_ends(kind) {
            PATIENCE
        } else {
            Duration::from_secs(60)
        };
        let call = self.fault.call;
        let request = scene
            .request(call, &body(call, &self.trip))
            .timeout(patience);
        let seen = seen(request).await;
        (self, seen)
    }
}

#[tokio::test]
async fn every_fault_on_every_call_before_and_after_its_effect() {
    let scene = Arc::new(Scene::with(SandboxConfig::default()).await);
    let mut playing = JoinSet::new();
    for strike in strikes() {
        let (call, fault) = (strike.fault.call, strike.fault.clone());
        // The first capture goes well, so that there is something to read and to refund.
        let well = Fault {
            call: CallKind::Capture,
            kind: FaultKind::Late(0),
            ..fault.clone()
        };
        let faults = if call == CallKind::Capture {
            vec![well, fault]
        } else {
            vec![fault]
        };
        scene.sandbox.add_trip(SandboxTrip {
            preauth: "10".parse().unwrap(),
            faults,
            ..SandboxTrip::of(STORE, &strike.trip)
        });
        let capture = scene
            .send(CallKind::Capture, &of(&strike.trip, "5 USD"))
            .await;
        assert_eq!(capture.line(), "200");
        playing.spawn(strike.play(Arc::clone(&scene)));
    }
    let mut played = 0;
    while let Some(strike) = playing.join_next().await {
        let (strike, seen) = strike.unwrap();
        let Strike {
            trip,
            fault,
            seen_as,
        } = strike;
        assert_eq!(seen, seen_as, "{fault:?}");
        let rows = scene.sandbox.ledger();
        let row = rows
            .iter()
            .find(|row| row.shopping_trip_id == trip)
            .unwrap();
        let first_capture = usize::from(fault.call == CallKind::Capture);
        let expected = first_capture + usize::from(fault.side == Side::After);
        assert_eq!(effects(row, fault.call), expected, "{fault:?}");
        played += 1;
    }
    assert_eq!(played, kinds().len() * CallKind::ALL.len() * SIDES.len());
}

/// The headers and the body that make some kinds what they are.
#[tokio::test]
async fn odd_answers_look_as_the_fault_says() {
    let rows = [
        (
            FaultKind::Status(500),
            "500",
            "content-type",
            Some("application/json"),
        ),
        (
            FaultKind::Html(502),
            "502",
            "content-type",
            Some("text/html"),
        ),
        (FaultKind::Encoded, "200", "content-encoding", Some("gzip")),
        (FaultKind::Throttle(7), "429", "retry-after", Some("7")),
        (FaultKind::ThrottleAs(None), "429", "retry-after", None),
        (
            FaultKind::ThrottleAs(Some("-1".to_owned())),
            "429",
            "retry-after",
            Some("-1"),
        ),
        (FaultKind::EmptyBody, "200", "content-type", None),
    ];
    let scene = Scene::with_a_trip().await;
    for (kind, status, header, expected) in rows {
        scene
            .sandbox
            .inject(fault(CallKind::Adjust, kind.clone(), Side::Before));
        let said = scene.send(CallKind::Adjust, &of(TRIP, "5 USD")).await;
        assert_eq!(said.status.to_string(), status, "{kind:?}");
        assert_eq!(said.header(header), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn odd_bodies_come_to_the_letter() {
    let rows = [
        (FaultKind::EmptyBody, "200"),
        (
            FaultKind::Status(503),
            r#"503 {"errorMsg":"Service Unavailable"}"#,
        ),
        (FaultKind::Status(403), r#"403 {"errorMsg":"Forbidden"}"#),
        (FaultKind::Body("\u{feff}{}".to_owned()), "200 \u{feff}{}"),
        (
            FaultKind::Body("{\"a\":1,\"a\":2}".to_owned()),
            "200 {\"a\":1,\"a\":2}",
        ),
        (
            FaultKind::Html(200),
            "200 <html><body><h1>200 OK</h1></body></html>",
        ),
    ];
    let scene = Scene::with_a_trip().await;
    for (kind, expected) in rows {
        scene
            .sandbox
            .inject(fault(CallKind::Capture, kind.clone(), Side::Before));
        let said = scene.send(CallKind::Capture, &of(TRIP, "5 USD")).await;
        assert_eq!(said.line(), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_redirect_leads_back_so_that_the_ledger_knows_who_follows() {
    let scene = Scene::with_a_trip().await;
    scene.sandbox.inject(fault(
        CallKind::Cancel,
        FaultKind::Redirect(308),
        Side::Before,
    ));
    let said = scene.send(CallKind::Cancel, &named(TRIP)).await;
    let here = format!("{}{}", scene.sandbox.url(), CallKind::Cancel.path());
    assert_eq!(said.header("location"), Some(&*here));
    assert_eq!(scene.row().cancels, 0);
}

#[tokio::test]
async fn the_service_can_pretend_what_it_did_not_do() {
    let scene = Scene::with_a_trip().await;
    scene.sandbox.inject(fault(
        CallKind::Adjust,
        FaultKind::Skewed(-301),
        Side::Before,
    ));
    let said = scene.send(CallKind::Adjust, &of(TRIP, "5 USD")).await;
    assert_eq!(said.line(), approved("5.00 USD"));
    let date = httpdate::parse_http_date(said.header("date").unwrap()).unwrap();
    let behind = SystemTime::now().duration_since(date).unwrap().as_secs();
    assert!((300..330).contains(&behind), "{behind} seconds");
    assert_eq!(
        (scene.row().adjusts, scene.row().authorized.is_zero()),
        (0, true)
    );
}

#[tokio::test]
async fn a_late_effect_comes_even_when_nobody_listens_any_more() {
    let scene = Scene::with(SandboxConfig::default()).await;
    scene.sandbox.add_trip(SandboxTrip {
        preauth: "10".parse().unwrap(),
        ..SandboxTrip::of(STORE, TRIP)
    });
    scene
        .sandbox
        .inject(fault(CallKind::Capture, FaultKind::Late(800), Side::Before));
    let request = scene.request(CallKind::Capture, &of(TRIP, "5 USD"));
    let seen = seen(request.timeout(Duration::from_millis(100))).await;
    assert_eq!(seen, "silence");
    assert_eq!(scene.captured().len(), 0);
    while scene.captured().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.captured(), ["5"]);
}

#[tokio::test]
async fn a_fault_strikes_its_calls_so_often_and_the_trips_own_come_first() {
    let scene = Scene::with(SandboxConfig::default()).await;
    scene.sandbox.add_trip(SandboxTrip {
        faults: vec![fault(
            CallKind::Cancel,
            FaultKind::Status(500),
            Side::Before,
        )],
        ..SandboxTrip::of(STORE, TRIP)
    });
    scene.sandbox.inject(Fault {
        times: 2,
        ..fault(CallKind::Cancel, FaultKind::Status(502), Side::Before)
    });
    assert_eq!(
        scene.adjust("5 USD").await,
        approved("5.00 USD"),
        "another call"
    );
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(scene.send(CallKind::Cancel, &named(TRIP)).await.status);
    }
    assert_eq!(statuses, [500, 502, 502, 200]);
    assert_eq!(scene.row().cancels, 1);
}

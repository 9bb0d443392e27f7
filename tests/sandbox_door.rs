//! Who is let in: signatures as AWS's own signer makes them, and all the ways to get them wrong.

#![allow(clippy::unwrap_used)]

mod sandbox;

use std::time::Duration;

use sandbox::{Caller, STORE, Scene, TRIP, hear, named};
use tripsettle::sandbox::{CallKind, SandboxConfig, SandboxTrip};

const TOKEN: &str = "MissingAuthenticationTokenException";
const INCOMPLETE: &str = "IncompleteSignatureException";
const INVALID: &str = "InvalidSignatureException";
const UNKNOWN: &str = "UnrecognizedClientException";

/// The answer must be the gateway's: 403 with `message`, AWS's name for it in a header.
fn assert_forbidden(said: &sandbox::Said, kind: &str, words: &str, row: &str) {
    assert_eq!(said.status, 403, "{row}: {said:?}");
    assert_eq!(said.header("x-amzn-errortype"), Some(kind), "{row}");
    let body: serde_json::Value = serde_json::from_str(&said.body).unwrap();
    assert!(
        body["message"].as_str().unwrap().contains(words),
        "{row}: {body}"
    );
    assert!(body.get("errorMsg").is_none(), "{row}");
}

#[tokio::test]
async fn a_signature_of_awss_own_signer_opens_every_call() {
    let scene = Scene::with_a_trip().await;
    for call in CallKind::ALL {
        let said = scene.send(call, &named(TRIP)).await;
        assert!([200, 400].contains(&said.status), "{call:?} {said:?}");
    }
    assert_eq!(scene.sandbox.calls().forbidden, 0);
}

/// A caller with one thing wrong.
fn but(wrong: impl FnOnce(&mut Caller)) -> Caller {
    let mut caller = Caller::default();
    wrong(&mut caller);
    caller
}

fn wrong_callers() -> Vec<(Caller, &'static str, &'static str)> {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let text = str::to_owned;
    let region = "valid region, not 'eu-west-1'";
    let service = "correct service: 'execute-api'";
    vec![
        (
            but(|caller| caller.access_key = text("AKIDOTHER")),
            UNKNOWN,
            "security token",
        ),
        (
            but(|caller| caller.session_token = Some(text("x"))),
            UNKNOWN,
            "security token",
        ),
        (
            but(|caller| caller.secret_key = text("secret")),
            INVALID,
            "does not match",
        ),
        (
            but(|caller| caller.region = text("eu-west-1")),
            INVALID,
            region,
        ),
        (but(|caller| caller.service = text("s3")), INVALID, service),
        (
            but(|caller| caller.at -= minutes(6)),
            INVALID,
            "Signature expired",
        ),
        (
            but(|caller| caller.at += minutes(6)),
            INVALID,
            "Signature not yet current",
        ),
    ]
}

#[tokio::test]
async fn a_wrong_signature_opens_nothing() {
    let mut scene = Scene::with_a_trip().await;
    for (caller, kind, words) in wrong_callers() {
        scene.caller = caller;
        let said = scene.send(CallKind::Cancel, &named(TRIP)).await;
        assert_forbidden(&said, kind, words, words);
    }
    assert_eq!(scene.row().cancels, 0);
    assert_eq!(scene.sandbox.calls().forbidden, 7);
}

#[tokio::test]
async fn clocks_may_differ_by_less_than_five_minutes() {
    let mut scene = Scene::with_a_trip().await;
    let now = scene.caller.at;
    for at in [
        now - Duration::from_secs(290),
        now + Duration::from_secs(290),
    ] {
        scene.caller.at = at;
        assert_eq!(scene.cancel().await, "200");
    }
}

#[tokio::test]
async fn temporary_credentials_need_their_token() {
    let token = Some("token".to_owned());
    let scene = Scene::with(SandboxConfig {
        session_token: token.clone(),
        ..SandboxConfig::default()
    });
    let mut scene = scene.await;
    scene.sandbox.add_trip(SandboxTrip::of(STORE, TRIP));
    let without = scene.send(CallKind::Cancel, &named(TRIP)).await;
    assert_forbidden(&without, UNKNOWN, "security token", "no token");
    scene.caller.session_token = token;
    assert_eq!(scene.cancel().await, "200");
}

#[tokio::test]
async fn a_signature_covers_the_body_and_what_it_names() {
    let scene = Scene::with_a_trip().await;
    let signed = || scene.request(CallKind::Cancel, &named(TRIP));
    let rows = [
        (
            "another body",
            signed().body(named("trip-2")),
            "does not match",
        ),
        (
            "an unsigned header",
            signed().header("x-amz-more", "1"),
            "'x-amz-more' must be",
        ),
        (
            "a changed header",
            signed().header("content-type", "text/plain"),
            "does not match",
        ),
    ];
    for (row, request, words) in rows {
        let said = hear(request).await.unwrap();
        assert_forbidden(&said, INVALID, words, row);
    }
    assert_eq!(scene.row().cancels, 0);
}

#[tokio::test]
async fn an_authorization_that_lacks_something_is_incomplete() {
    let scene = Scene::with_a_trip().await;
    let right = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/execute-api/\
                 aws4_request, SignedHeaders=host, Signature=00";
    let rows = [
        (
            "another scheme",
            "Basic YTpi".to_owned(),
            TOKEN,
            "Missing Authentication Token",
        ),
        (
            "no credential",
            right.replace("Credential", "C"),
            INCOMPLETE,
            "'Credential'",
        ),
        (
            "no list",
            right.replace("SignedHeaders", "S"),
            INCOMPLETE,
            "'SignedHeaders'",
        ),
        (
            "no signature",
            right.replace("Signature", "S"),
            INCOMPLETE,
            "'Signature'",
        ),
        (
            "a short scope",
            right.replace("/us-east-1", ""),
            INCOMPLETE,
            "exactly 5",
        ),
        ("no date", right.to_owned(), INCOMPLETE, "'X-Amz-Date'"),
    ];
    for (row, authorization, kind, words) in rows {
        let url = format!("{}{}", scene.sandbox.url(), CallKind::Cancel.path());
        let request = scene
            .client
            .post(url)
            .header("authorization", authorization);
        let said = hear(request.body(named(TRIP))).await.unwrap();
        assert_forbidden(&said, kind, words, row);
    }
}

#[tokio::test]
async fn what_is_not_there_looks_like_a_missing_token() {
    let scene = Scene::with_a_trip().await;
    let url = |path: &str| format!("{}{path}", scene.sandbox.url());
    let rows = [
        ("another path", scene.request_to("/v1/orders", &named(TRIP))),
        ("the root", scene.request_to("/", "")),
        (
            "another method",
            scene.client.get(url(CallKind::Cancel.path())),
        ),
        (
            "no signature",
            scene
                .client
                .post(url(CallKind::Cancel.path()))
                .body(named(TRIP)),
        ),
    ];
    for (row, request) in rows {
        let said = hear(request).await.unwrap();
        assert_forbidden(&said, TOKEN, "Missing Authentication Token", row);
    }
    assert_eq!(scene.sandbox.calls().cancel, 1);
    assert_eq!(scene.row().cancels, 0);
}

#[tokio::test]
async fn without_verification_everybody_is_let_in() {
    let scene = Scene::with(SandboxConfig {
        verify_signatures: false,
        ..SandboxConfig::default()
    });
    let scene = scene.await;
    scene.sandbox.add_trip(SandboxTrip::of(STORE, TRIP));
    let url = format!("{}{}", scene.sandbox.url(), CallKind::Cancel.path());
    let said = hear(scene.client.post(url).body(named(TRIP)))
        .await
        .unwrap();
    assert_eq!(said.line(), "200");
}

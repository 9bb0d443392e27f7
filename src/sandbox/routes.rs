//! The routes: the five calls, and what only this machine may ask.

use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::answer::Answer;
use super::ledger::locked;
use super::mishap::{self, Mishap};
use super::service::{Admitted, Service};
use super::trip::SandboxTrip;
use super::wire::Line;

/// Requests with more than this are refused unread.
const MAX_BODY: usize = 1024 * 1024;

type Shared = State<Arc<Service>>;

/// Everything that is served.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/sandbox/ledger", get(ledger))
        .route("/sandbox/calls", get(calls))
        .route("/sandbox/trips", post(trips))
        .fallback(call)
        .with_state(service)
}

async fn call(
    State(service): Shared,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let said = |answer: Answer| answer.response(service.now());
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return said(Answer::bad_request(
            "the body cannot be read or is too long",
        ));
    };
    match service.admit(&head, &body) {
        Ok(admitted) => serve(&service, admitted, line).await,
        Err(answer) => said(answer),
    }
}

async fn serve(service: &Arc<Service>, admitted: Admitted, line: Line) -> Response {
    let mishap = match service.next_fault(&admitted) {
        None => service.answer(&admitted).await,
        Some((kind, side)) => {
            // On its own feet: a late effect comes even when nobody listens any more.
            let service = Arc::clone(service);
            let spoilt = tokio::spawn(async move { service.spoil(admitted, kind, side).await });
            match spoilt.await {
                Ok(mishap) => mishap,
                Err(error) => return broken(&error.to_string()),
            }
        }
    };
    match mishap {
        Mishap::Said(answer, date) => answer.response(date),
        Mishap::Broken(bytes, end) => {
            if let Some(stream) = line.take() {
                // An error means that the caller hung up first, which is his right.
                let _ = mishap::play(stream, &bytes, end).await;
            }
            // The line is gone, so this is for the server alone, which drops it.
            broken("the connection was taken")
        }
    }
}

fn broken(why: &str) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Answer::failure(status, "Server Error", why).response(chrono::Utc::now())
}

async fn ledger(State(service): Shared, ConnectInfo(line): ConnectInfo<Line>) -> Response {
    local(&service, &line, || json(&service.trips.rows()))
}

async fn calls(State(service): Shared, ConnectInfo(line): ConnectInfo<Line>) -> Response {
    local(&service, &line, || json(&*locked(&service.counts)))
}

async fn trips(
    State(service): Shared,
    ConnectInfo(line): ConnectInfo<Line>,
    body: Bytes,
) -> Response {
    local(&service, &line, || {
        match serde_json::from_slice::<Vec<SandboxTrip>>(&body) {
            Ok(trips) => {
                let added = trips.len();
                for trip in trips {
                    service.trips.add(trip);
                }
                Answer::json(format!(r#"{{"added":{added}}}"#))
            }
            Err(error) => Answer::bad_request(&error.to_string()),
        }
    })
}

fn json(value: &impl serde::Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(body) => Answer::json(body),
        Err(error) => Answer::bad_request(&error.to_string()),
    }
}

/// These routes know no signatures, so only this machine may use them.
fn local(service: &Service, line: &Line, answer: impl FnOnce() -> Answer) -> Response {
    let answer = if line.is_local() {
        answer()
    } else {
        let status = StatusCode::FORBIDDEN;
        Answer::failure(status, "Forbidden", "only callers on this machine")
    };
    answer.response(service.now())
}

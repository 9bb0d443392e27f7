//! A local payment service that behaves like the real one, with faults on demand.
//!
//! It is a witness: it shares no code with the rest of the house, and its [ledger](LedgerRow)
//! tells what really happened, whatever its callers were told. In particular it executes a second
//! capture of a trip as readily as the first, and writes both down.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/adjust/charge` | `APPROVED`, or `DECLINED` with the last adjusted total |
//! | `POST /v1/capture/charge` | 200, empty; above the authorised amount 400 |
//! | `POST /v1/cancel/charge` | 200, empty, also after a capture and when repeated |
//! | `POST /v1/payment/transactional-data` | the EMV data, once something was captured |
//! | `POST /v1/refund` | a `reconciliationId`; once per `refundRequestId` |
//! | `GET /sandbox/ledger` | the ledger as JSON; unsigned, for callers on this machine |
//! | `GET /sandbox/calls` | how many requests came; likewise |
//! | `POST /sandbox/trips` | takes a JSON list of [`SandboxTrip`]s; likewise |
//!
//! Where the public documents are silent it is as strict as they allow: after the token's death
//! Adjust, Capture and Cancel are `ShoppingTripExpiredException`, after a Cancel nothing can be
//! adjusted or captured, and EMV data can be read for ever, but not before the capture. Every 400
//! says why in the header `x-sandbox-why`.
//!
//! # Trips to play with
//!
//! With [`SandboxConfig::auto_trips`] a trip that is not known is made at first sight. It began
//! just now, its card covers everything, and the first word of its id may change that:
//!
//! | trip id | what happens |
//! |---|---|
//! | `declined-…` | Adjust is declined, nothing is authorised |
//! | `partial-…` | Adjust is declined; half of the first total asked for stays authorised |
//! | `limited-…` | Adjust is declined above half of the first total asked for |
//! | `pending-…` | two Adjusts are `PENDING`, then approved |
//! | `stuck-…` | every Adjust is `PENDING` |
//! | `expired-…` | the payment token is dead |
//! | `unknown-…` | 400 `UnknownShoppingTrip` |
//! | `refused-…` | 400 `BadRequestException` |
//! | `slow-…` | every answer takes two seconds |
//! | `doubt-…` | the first Capture is executed, then the connection is reset |
//! | `lost-…` | the first Capture is not executed, and the connection is reset |

mod amount;
mod answer;
mod ask;
mod authorization;
mod counts;
mod emv;
mod fault;
mod forbidden;
mod ledger;
mod mishap;
mod play;
mod rate;
mod routes;
mod service;
mod settings;
mod signature;
mod trip;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

pub use counts::CallCounts;
pub use emv::{EmvData, ExpirationDate};
pub use fault::{CallKind, Fault, FaultKind, Side, WireEnd};
pub use ledger::LedgerRow;
pub use settings::{EarlyData, SandboxConfig};
pub use trip::SandboxTrip;

use ledger::locked;
use rate::Rate;
use service::Service;
use wire::{Line, Lines};

/// A running sandbox. It stops when it is dropped.
///
/// It lives on a thread and a runtime of its own: its connections die with it, and its time is
/// the real one even where the caller's is paused.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    service: Arc<Service>,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

impl Sandbox {
    /// Listens on `addr` (port 0 picks a free one) and serves until it is stopped.
    ///
    /// # Errors
    /// The address cannot be listened on, or the system has no thread left.
    pub async fn start(addr: SocketAddr, config: SandboxConfig) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let service = Arc::new(Service::of(config));
        let (stop, stop_asked) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let (done, stopped) = oneshot::channel();
        let served = Arc::clone(&service);
        let thread = std::thread::Builder::new().name("sandbox".to_owned());
        thread.spawn(move || {
            match runtime_for(listener) {
                Ok((runtime, lines)) => {
                    let _ = ready.send(Ok(()));
                    runtime.block_on(serve(lines, served, stop_asked));
                    // Waits for no one: connections end in the middle of whatever they do.
                    drop(runtime);
                }
                Err(error) => drop(ready.send(Err(error))),
            }
            let _ = done.send(());
        })?;
        is_ready.await.map_err(io::Error::other)??;
        Ok(Self {
            addr,
            service,
            stop,
            stopped,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens, as the endpoint of a payment service.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Adds a trip; one of the same store and id is replaced.
    pub fn add_trip(&self, trip: SandboxTrip) {
        self.service.trips.add(trip);
    }

    /// Makes the next calls of a kind go wrong, whichever trip they are about.
    pub fn inject(&self, fault: Fault) {
        locked(&self.service.faults).push(fault);
    }

    /// Sets the rate limit anew, with a full bucket.
    pub fn set_rate(&self, requests_per_second: Option<u32>, burst: u32) {
        *locked(&self.service.rate) = Rate::of(requests_per_second, burst);
    }

    /// Sets the service's clock; time goes on from there. Signatures, tokens, data and `Date` go
    /// by it; waits and the rate limit do not.
    pub fn set_clock(&self, now: DateTime<Utc>) {
        self.service.set_clock(now);
    }

    /// What really happened, a row per trip, by store and trip.
    pub fn ledger(&self) -> Vec<LedgerRow> {
        self.service.trips.rows()
    }

    /// How many requests came.
    pub fn calls(&self) -> CallCounts {
        *locked(&self.service.counts)
    }

    /// Stops serving; when this returns, the port is free and every connection closed.
    pub async fn stop(self) {
        drop(self.stop);
        let _ = self.stopped.await;
    }
}

fn runtime_for(listener: std::net::TcpListener) -> io::Result<(tokio::runtime::Runtime, Lines)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    let lines = Lines(tokio::net::TcpListener::from_std(listener)?);
    drop(entered);
    Ok((runtime, lines))
}

async fn serve(lines: Lines, service: Arc<Service>, stop_asked: oneshot::Receiver<()>) {
    let router = routes::router(service).into_make_service_with_connect_info::<Line>();
    tokio::select! {
        _ = axum::serve(lines, router) => {}
        // Dropping the sender asks as well as using it.
        _ = stop_asked => {}
    }
}

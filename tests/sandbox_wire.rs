//! Faults as they look on the wire, byte by byte, where an HTTP client would tidy up.

#![allow(clippy::unwrap_used)]

mod sandbox;

use std::io::{Read, Write};
use std::time::Duration;

use sandbox::{STORE, TRIP, approved, fault, of};
use tripsettle::sandbox::{CallKind, FaultKind, Sandbox, SandboxConfig, SandboxTrip, Side};

/// How long the caller waits for what never comes.
const PATIENCE: Duration = Duration::from_millis(500);

/// Everything that comes over the wire, and how it ends.
async fn wire(kind: FaultKind) -> (String, String) {
    let config = SandboxConfig {
        verify_signatures: false,
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(sandbox::any_port(), config).await.unwrap();
    sandbox.add_trip(SandboxTrip::of(STORE, TRIP));
    sandbox.inject(fault(CallKind::Adjust, kind, Side::After));
    let mut stream = std::net::TcpStream::connect(sandbox.addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (path, body) = (CallKind::Adjust.path(), of(TRIP, "5 USD"));
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut read = Vec::new();
    let end = match stream.read_to_end(&mut read) {
        Ok(_) => "closed".to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => "silent".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    };
    (String::from_utf8(read).unwrap(), end)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_carries_what_the_fault_says_and_ends_so() {
    let approved = &approved("5.00 USD")[4..];
    let (size, more) = (approved.len(), approved.len() + 64);
    let chunk = format!("\r\n\r\n{size:x}\r\n{approved}\r\n");
    let whole = format!("content-length: {size}\r\n");
    let cut = format!("content-length: {more}\r\n");
    let rows = [
        (FaultKind::Reset, "", "", "ConnectionReset"),
        (
            FaultKind::ResetInHead,
            "HTTP/1.1 200 OK\r\n",
            "cont",
            "ConnectionReset",
        ),
        (FaultKind::ResetInBody, &*cut, approved, "ConnectionReset"),
        (FaultKind::Truncated, &*cut, approved, "closed"),
        (
            FaultKind::UnfinishedChunks,
            "transfer-encoding: chunked",
            &*chunk,
            "closed",
        ),
        (FaultKind::Hang, "", "", "silent"),
        (FaultKind::StallInBody, &*cut, approved, "silent"),
        (FaultKind::Drip, "", "H", "silent"),
        (
            FaultKind::Huge(5000),
            "content-length: 5000\r\n",
            &*" ".repeat(5000),
            "closed",
        ),
        (FaultKind::Twice, &*whole, approved, "silent"),
    ];
    for (kind, contains, ends_with, end) in rows {
        let (read, ended) = wire(kind.clone()).await;
        assert!(read.contains(contains), "{kind:?}: {read}");
        assert!(read.ends_with(ends_with), "{kind:?}: {read}");
        assert_eq!(ended, end, "{kind:?}");
        let answers = usize::from(kind == FaultKind::Twice) + 1;
        assert!(
            read.matches("HTTP/1.1 ").count() <= answers,
            "{kind:?}: {read}"
        );
    }
    let (twice, _) = wire(FaultKind::Twice).await;
    assert_eq!(twice.matches(approved).count(), 2);
}

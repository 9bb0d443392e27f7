//! Mishaps: how each kind of fault looks to the caller.

use std::io;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::fault::{FaultKind, WireEnd};

/// What the caller gets to see.
#[derive(Debug)]
pub(super) enum Mishap {
    /// A sound answer with this date; whether it is true is another matter.
    Said(Answer, DateTime<Utc>),
    /// Bytes on the wire, then an end.
    Broken(Vec<u8>, End),
}

/// How a broken answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The connection is reset.
    Reset,
    /// The connection is closed.
    Close,
    /// Nothing more comes until the caller hangs up.
    Silence,
    /// The bytes came one a second; then the connection is closed.
    Dripped,
    /// This piece again and again, so many bytes; then the connection is closed.
    Repeat(&'static [u8], u64),
}

const SPACES: &[u8] = &[b' '; 4096];
const CHUNK: &[u8] = b"10\r\n                \r\n";
/// How much more a cut body promises than it has.
const MISSING: usize = 64;

/// The mishap that `kind` makes of `answer`. `here` is the call's own URL.
pub(super) fn of(kind: FaultKind, answer: Answer, here: &str, now: DateTime<Utc>) -> Mishap {
    let bytes = |framing: &str| (answer.head(framing, now) + &answer.body).into_bytes();
    let whole = || bytes(&length(answer.body.len()));
    let cut = || bytes(&length(answer.body.len() + MISSING));
    let said = |answer| Mishap::Said(answer, now);
    match kind {
        FaultKind::Reset => Mishap::Broken(Vec::new(), End::Reset),
        FaultKind::ResetInHead => Mishap::Broken(b"HTTP/1.1 200 OK\r\ncont".into(), End::Reset),
        FaultKind::ResetInBody => Mishap::Broken(cut(), End::Reset),
        FaultKind::Truncated => Mishap::Broken(cut(), End::Close),
        FaultKind::UnfinishedChunks => Mishap::Broken(chunked(&answer, now), End::Close),
        FaultKind::Hang => Mishap::Broken(Vec::new(), End::Silence),
        FaultKind::StallInBody => Mishap::Broken(cut(), End::Silence),
        FaultKind::Drip => Mishap::Broken(whole(), End::Dripped),
        FaultKind::Huge(size) => huge(&answer, size, now),
        FaultKind::Endless => Mishap::Broken(chunked(&answer, now), End::Repeat(CHUNK, u64::MAX)),
        FaultKind::Late(_) => said(answer),
        FaultKind::Twice => Mishap::Broken([whole(), whole()].concat(), End::Silence),
        FaultKind::Skewed(seconds) => skewed(answer, seconds, now),
        FaultKind::Encoded => said(answer.with("content-encoding", "gzip")),
        FaultKind::Status(status) => said(failure(status_of(status))),
        FaultKind::Html(status) => said(Answer::html(status_of(status))),
        FaultKind::EmptyBody => said(Answer::empty()),
        FaultKind::Body(body) => said(Answer::json(body)),
        FaultKind::Redirect(status) => {
            let answer = Answer::empty().with_status(status_of(status));
            said(answer.with("location", here))
        }
        FaultKind::Throttle(seconds) => said(Answer::throttled(Some(&seconds.to_string()))),
        FaultKind::ThrottleAs(text) => said(Answer::throttled(text.as_deref())),
        FaultKind::Wire(bytes, end) => Mishap::Broken(bytes, wire_end(end)),
    }
}

fn wire_end(end: WireEnd) -> End {
    match end {
        WireEnd::Close => End::Close,
        WireEnd::Reset => End::Reset,
        WireEnd::Silence => End::Silence,
        WireEnd::Flood => End::Repeat(SPACES, u64::MAX),
    }
}

fn length(bytes: usize) -> String {
    format!("content-length: {bytes}")
}

fn chunked(answer: &Answer, now: DateTime<Utc>) -> Vec<u8> {
    let mut bytes = answer.head("transfer-encoding: chunked", now).into_bytes();
    if !answer.body.is_empty() {
        let chunk = format!("{:x}\r\n{}\r\n", answer.body.len(), answer.body);
        bytes.extend(chunk.into_bytes());
    }
    bytes
}

fn huge(answer: &Answer, size: u64, now: DateTime<Utc>) -> Mishap {
    let head = answer.head(&format!("content-length: {size}"), now);
    Mishap::Broken(head.into_bytes(), End::Repeat(SPACES, size))
}

fn skewed(answer: Answer, seconds: i64, now: DateTime<Utc>) -> Mishap {
    let off = TimeDelta::try_seconds(seconds).unwrap_or_default();
    Mishap::Said(answer, now.checked_add_signed(off).unwrap_or(now))
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn failure(status: StatusCode) -> Answer {
    let words = match status {
        StatusCode::BAD_REQUEST => "BadRequestException",
        StatusCode::INTERNAL_SERVER_ERROR => "Server Error",
        other => other.canonical_reason().unwrap_or("Error"),
    };
    Answer::failure(status, words, "a fault that was asked for")
}

/// Plays a broken answer on a socket taken from the server. Errors mean that the caller hung up
/// first, which is his right.
pub(super) async fn play(stream: TcpStream, bytes: &[u8], end: End) -> io::Result<()> {
    let mut stream = stream;
    match end {
        End::Dripped => drip(&mut stream, bytes).await?,
        End::Reset | End::Close | End::Silence | End::Repeat(..) => {
            stream.write_all(bytes).await?;
        }
    }
    match end {
        End::Close | End::Dripped => {}
        End::Reset => stream.set_zero_linger()?,
        End::Silence => while stream.read(&mut [0; 1024]).await? > 0 {},
        End::Repeat(piece, bytes) => repeat(&mut stream, piece, bytes).await?,
    }
    Ok(())
}

async fn repeat(stream: &mut TcpStream, piece: &[u8], bytes: u64) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let last = usize::try_from(left)
            .ok()
            .and_then(|left| piece.get(..left));
        let next = last.unwrap_or(piece);
        stream.write_all(next).await?;
        left -= u64::try_from(next.len()).unwrap_or(left).min(left);
    }
    Ok(())
}

async fn drip(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        stream.write_u8(*byte).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

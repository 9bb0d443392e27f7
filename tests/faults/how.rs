//! How each fault of the catalogue is played: by the sandbox, on the struck trip's own call; or by
//! a server (or none) at another address, to which the struck call goes.

use std::time::{Duration, SystemTime};

use tripsettle::sandbox::{CallKind, FaultKind, WireEnd};

use crate::bomb::gzip_bomb;
use crate::service::server::{Does, Server};
use crate::service::tls;

/// How a fault is played.
pub enum How {
    /// The sandbox strikes.
    Sandbox(FaultKind),
    /// The call goes to this address.
    Elsewhere(String),
}

/// Servers that stand in for what is not there, and the one that must never be asked.
pub struct Strangers {
    pub lure: Server,
    closes: Server,
    resets: Server,
    plain: Server,
    mute: std::net::TcpListener,
    full: FullHouse,
    untrusted: u16,
    expired: u16,
    wrong_host: u16,
}

impl Strangers {
    pub fn start() -> Self {
        let bad = "HTTP/1.1 400 Bad\r\n\r\n".to_owned();
        Self {
            lure: Server::saying(&crate::service::server::answer(200, &[], "")),
            closes: Server::start(vec![Does::Closes]),
            resets: Server::start(vec![Does::SaysAndResets(String::new())]),
            plain: Server::start(vec![Does::SaysAndCloses(bad)]),
            mute: std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
            full: FullHouse::open(),
            untrusted: tls::start(),
            expired: tls::start_signed("expired-test-cert.pem"),
            wrong_host: tls::start_signed("elsewhere-test-cert.pem"),
        }
    }

    /// How the fault of this name is played on this call.
    pub fn how(&self, fault: &str, call: CallKind) -> How {
        let local = |port: u16| format!("https://localhost:{port}");
        let elsewhere = match fault {
            "no such host" => "https://no-such-host.invalid".to_owned(),
            "connection refused" => format!("http://127.0.0.1:{}", free_port()),
            "connection not answered" => format!("http://127.0.0.1:{}", self.full.port),
            "tls: nobody speaks it" => local(self.plain.port),
            "tls: handshake cut" => local(self.closes.port),
            "tls: handshake not answered" => local(self.mute.local_addr().unwrap().port()),
            "tls: unknown authority" => local(self.untrusted),
            "tls: expired" => local(self.expired),
            "tls: wrong host" => local(self.wrong_host),
            "closed before it was read" => self.closes.url(),
            "reset before it was read" => self.resets.url(),
            other => return How::Sandbox(self.sandbox(other, call)),
        };
        How::Elsewhere(elsewhere)
    }

    fn sandbox(&self, fault: &str, call: CallKind) -> FaultKind {
        let (word, rest) = fault.split_once(' ').unwrap_or((fault, ""));
        let status = || rest.parse().unwrap();
        match word {
            "json" => FaultKind::Status(status()),
            "page" => FaultKind::Html(status()),
            "bare" => said(rest, &[], ""),
            "says" => {
                let (status, words) = rest.split_once(' ').unwrap();
                said(status, &[], &format!("{{\"errorMsg\":\"{words}\"}}"))
            }
            "redirect" => {
                let location = format!("Location: {}{}", self.lure.url(), call.path());
                said(rest, &[&location], "")
            }
            "later" => {
                let lines: Vec<String> = rest
                    .split("; ")
                    .filter(|text| !text.is_empty())
                    .map(|text| format!("Retry-After: {}", at_date(text)))
                    .collect();
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                said("429", &lines, "")
            }
            "body" if !NAMED_BODIES.contains(&fault) => said("200", &[], rest),
            _ => named(fault, call),
        }
    }
}

const NAMED_BODIES: [&str; 2] = ["body of 1 GiB", "body without end"];

/// What the call itself is answered when all is well.
fn good_body(call: CallKind) -> &'static str {
    match call {
        CallKind::Adjust => {
            r#"{"status":"APPROVED","authorizedAmount":{"amount":20.00,"code":"USD"}}"#
        }
        CallKind::Capture | CallKind::Cancel => "",
        CallKind::TransactionalData => r#"{"brand":"VISA","tail":"1234","reconciliationId":"R-1"}"#,
        CallKind::Refund => r#"{"reconciliationId":"R-1"}"#,
    }
}

/// A whole answer, after which the connection is closed.
fn said(status: &str, headers: &[&str], body: &str) -> FaultKind {
    said_bytes(status, headers, body.as_bytes())
}

fn said_bytes(status: &str, headers: &[&str], body: &[u8]) -> FaultKind {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Any\r\n{headers}Content-Length: {length}\r\n\r\n");
    FaultKind::Wire([head.as_bytes(), body].concat(), WireEnd::Close)
}

fn wire(text: &str, end: WireEnd) -> FaultKind {
    FaultKind::Wire(text.as_bytes().to_vec(), end)
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

fn named(fault: &str, call: CallKind) -> FaultKind {
    let body = good_body(call);
    let whole = format!("{OK}Content-Length: {}\r\n\r\n{body}", body.len());
    match fault {
        "reset without an answer" => FaultKind::Reset,
        "closed without an answer" => wire("", WireEnd::Close),
        "reset in the head" => FaultKind::ResetInHead,
        "closed in the head" => wire("HTTP/1.1 200 OK\r\nContent-", WireEnd::Close),
        "reset in the body" => FaultKind::ResetInBody,
        "closed in the body" => FaultKind::Truncated,
        "no last chunk" => FaultKind::UnfinishedChunks,
        "no answer" => FaultKind::Hang,
        "half a head" => wire("HTTP/1.1 200 OK\r\nContent-", WireEnd::Silence),
        "no body" => FaultKind::StallInBody,
        "a byte now and then" => FaultKind::Drip,
        "body of 1 GiB" => FaultKind::Huge(1 << 30),
        "body without end" => wire(&format!("{OK}\r\n"), WireEnd::Flood),
        "chunks without end" => FaultKind::Endless,
        "gzip bomb" => said_bytes("200", &["Content-Encoding: gzip"], &gzip_bomb()),
        "gzip that is none" => said("200", &["Content-Encoding: gzip"], "no gzip"),
        "deep json" => said("200", &[], &format!("{{\"status\":{}", "[".repeat(500_000))),
        "many headers" => wire(
            &format!("{OK}{}\r\n", "X: y\r\n".repeat(20_000)),
            WireEnd::Close,
        ),
        "endless header" => wire(&format!("{OK}X: "), WireEnd::Flood),
        "invalid utf-8" => said_bytes("200", &[], b"{\"status\":\"\xff\xfe\",\"brand\":\"\xff\"}"),
        "byte order mark" => said("200", &[], &format!("\u{feff}{{{}", good_object(call))),
        other => named_line(other, call, &whole),
    }
}

/// The rest of a good answer's object.
fn good_object(call: CallKind) -> &'static str {
    good_body(call).strip_prefix('{').unwrap_or("}")
}

fn named_line(fault: &str, call: CallKind, whole: &str) -> FaultKind {
    let another = |words: &str| {
        let body = format!("{{\"shoppingTripId\":\"somebody-elses\",\"errorMsg\":\"{words}\"}}");
        said("400", &[], &body)
    };
    match fault {
        "refused, of another trip" => another("BadRequestException"),
        "expired, of another trip" => another("ShoppingTripExpiredException"),
        "503 with Retry-After" => said("503", &["Retry-After: 7200"], ""),
        "500 with ShoppingTripExpired" => {
            said("500", &[], r#"{"errorMsg":"ShoppingTripExpiredException"}"#)
        }
        "100 and then the answer" => wire(
            &format!("HTTP/1.1 100 Continue\r\n\r\n{whole}"),
            WireEnd::Close,
        ),
        "103 and then the answer" => wire(
            &format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{whole}"),
            WireEnd::Close,
        ),
        "101 to another protocol" => wire(
            "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n",
            WireEnd::Close,
        ),
        "HTTP/0.9" => wire(good_body(call), WireEnd::Close),
        "HTTP/2 preface" => wire("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", WireEnd::Close),
        "not HTTP" => wire("220 mail.example ESMTP\r\n", WireEnd::Close),
        "status 99" => wire(&whole.replacen("200", "99", 1), WireEnd::Close),
        "status 20000" => wire(&whole.replacen("200", "20000", 1), WireEnd::Close),
        "two lengths" => wire(
            &whole.replacen("Content-", "Content-Length: 7\r\nContent-", 1),
            WireEnd::Close,
        ),
        "the answer twice" => FaultKind::Twice,
        "closed after the answer" => wire(whole, WireEnd::Close),
        "clock 2 hours ahead" => FaultKind::Skewed(7_200),
        "clock 2 hours behind" => FaultKind::Skewed(-7_200),
        other => panic!("how is `{other}` played?"),
    }
}

/// `+30s` and `-30s` are HTTP dates as seen from now; other text stays as it is.
fn at_date(text: &str) -> String {
    let seconds = text
        .strip_suffix('s')
        .and_then(|text| text.parse::<i64>().ok());
    let Some(seconds) = seconds else {
        return text.to_owned();
    };
    let off = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    httpdate::fmt_http_date(if seconds < 0 { now - off } else { now + off })
}

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// A listener whose queue is full: whoever comes now gets no answer to his first packet.
struct FullHouse {
    port: u16,
    _listener: std::net::TcpListener,
    _guests: Vec<std::net::TcpStream>,
}

impl FullHouse {
    fn open() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap().into_std().unwrap();
        let addr = listener.local_addr().unwrap();
        let wait = Duration::from_millis(300);
        let knock = |_| std::net::TcpStream::connect_timeout(&addr, wait).ok();
        let guests: Vec<_> = (0..8).map_while(knock).collect();
        assert!(guests.len() < 8, "the queue has no end");
        Self {
            port: addr.port(),
            _listener: listener,
            _guests: guests,
        }
    }
}

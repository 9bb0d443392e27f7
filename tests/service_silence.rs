//! The payment service that does not answer, over a real socket: every way of breaking off, of
//! keeping silent and of never being reached; and what becomes of connections.
#![allow(clippy::unwrap_used)]

mod service;

use std::time::{Duration, Instant};

use service::server::{Does, Server, answer};
use service::{LONG, SHORT, adjust, ask, capture, client, told, trip};
use tripsettle::domain::{Call, Heard};
use tripsettle::payment_service::PaymentService as _;

/// The end of silence is the deadline, and not much later.
async fn ask_in_short(server: &Server, call: &Call) -> Heard {
    let start = Instant::now();
    let heard = client(&server.url(), SHORT).send(&trip(), call).await;
    assert!(start.elapsed() < SHORT + Duration::from_secs(5));
    heard
}

#[tokio::test]
async fn every_way_of_breaking_off_leaves_a_capture_in_doubt() {
    let head = "HTTP/1.1 200 OK\r\n";
    let half = format!("{head}Content-Length: 100\r\n\r\n{{\"status\":");
    let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n");
    let many = "X: y\r\n".repeat(10_000);
    let huge = format!("{head}Content-Length: 1073741824\r\n\r\n");
    let rows = [
        ("closed before it was read", Does::Closes),
        (
            "closed without an answer",
            Does::SaysAndCloses(String::new()),
        ),
        (
            "reset without an answer",
            Does::SaysAndResets(String::new()),
        ),
        (
            "closed in the status line",
            Does::SaysAndCloses("HTTP/1.1 2".to_owned()),
        ),
        (
            "closed in the headers",
            Does::SaysAndCloses(format!("{head}Date: S")),
        ),
        ("reset in the headers", Does::SaysAndResets(head.to_owned())),
        ("closed in the body", Does::SaysAndCloses(half.clone())),
        ("reset in the body", Does::SaysAndResets(half.clone())),
        ("no last chunk", Does::SaysAndCloses(chunk)),
        (
            "not HTTP",
            Does::SaysAndCloses("220 mail.example ESMTP\r\n".to_owned()),
        ),
        ("too many headers", Does::Says(format!("{head}{many}\r\n"))),
        (
            "a body said to be of 1 GiB",
            Does::SaysAndHangs(huge.clone()),
        ),
        ("a body of 1 GiB", Does::Floods(huge)),
        ("a body without end", Does::Floods(format!("{head}\r\n"))),
        (
            "another protocol",
            Does::Says(answer(101, &["Upgrade: chat"], "")),
        ),
    ];
    for (name, does) in rows {
        for call in [capture(), adjust()] {
            let server = Server::start(vec![does.clone()]);
            let said = told(&ask(&server, &call).await);
            assert!(said.starts_with("unclear"), "{name}: {said}");
            assert!(server.asked().len() <= 1, "{name}: asked more than once");
        }
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_however_slowly_it_comes() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    let rows = [
        (
            "no answer",
            Does::SaysAndHangs(String::new()),
            "unclear, no status: no answer",
        ),
        (
            "half a head",
            Does::SaysAndHangs("HTTP/1.1 200 O".to_owned()),
            "unclear, no status",
        ),
        (
            "no body",
            Does::SaysAndHangs(head.to_owned()),
            "unclear, 200: HTTP 200: the answer",
        ),
        (
            "a byte now and then",
            Does::Drips("HTTP/1.1 ".to_owned()),
            "unclear, no status",
        ),
        (
            "a 429 without its body",
            Does::SaysAndHangs(head.replace("200", "429")),
            "throttled",
        ),
        (
            "a 400 without its body",
            Does::SaysAndHangs(head.replace("200", "400")),
            "unclear, 400",
        ),
        (
            "a 403 without its body",
            Does::SaysAndHangs(head.replace("200", "403")),
            "unauthorized by somebody",
        ),
    ];
    for (name, does, expected) in rows {
        let said = told(&ask_in_short(&Server::start(vec![does]), &capture()).await);
        assert!(said.starts_with(expected), "{name}: {said}");
    }
}

#[tokio::test]
async fn what_never_reached_a_server_was_not_sent() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let plain = Server::start(vec![Does::SaysAndCloses(
        "HTTP/1.1 400 Bad\r\n\r\n".to_owned(),
    )]);
    let cut = Server::start(vec![Does::Closes]);
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_port = mute.local_addr().unwrap().port();
    let untrusted = service::tls::start();
    let rows = [
        ("nobody listens", format!("http://127.0.0.1:{port}")),
        ("no such host", "https://no-such-host.invalid".to_owned()),
        ("no way there", "https://192.0.2.1".to_owned()),
        ("no TLS there", format!("https://127.0.0.1:{}", plain.port)),
        (
            "the handshake is cut",
            format!("https://127.0.0.1:{}", cut.port),
        ),
        (
            "the handshake is not answered",
            format!("https://127.0.0.1:{mute_port}"),
        ),
        (
            "a certificate nobody trusts",
            format!("https://localhost:{untrusted}"),
        ),
    ];
    for (name, endpoint) in rows {
        let said = told(&client(&endpoint, 3 * SHORT).send(&trip(), &capture()).await);
        assert!(said.starts_with("not sent: "), "{name}: {said}");
        let helps = said.contains("SSL_CERT_FILE");
        assert_eq!(helps, name == "a certificate nobody trusts", "{said}");
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let other = Server::saying(&answer(200, &[], ""));
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}/v1/capture/charge", other.url());
        let server = Server::saying(&answer(status, &[&location], ""));
        let said = told(&ask(&server, &capture()).await);
        assert!(
            said.starts_with("not the service: HTTP 30"),
            "{status}: {said}"
        );
        assert_eq!(server.asked().len(), 1);
    }
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let server = Server::saying(&answer(200, &[], ""));
    let client = client(&server.url(), LONG);
    for _ in 0..5 {
        assert_eq!(told(&client.send(&trip(), &capture()).await), "initiated");
    }
    assert!(server.asked().iter().all(|asked| asked.connection == 0));
}

#[tokio::test]
async fn a_capture_on_a_connection_that_dies_is_never_sent_again() {
    let ok = answer(200, &[], "");
    let server = Server::saying(&ok);
    let client = client(&server.url(), LONG);
    for _ in 0..20 {
        // The connection stands; it dies when it has taken the capture.
        assert_eq!(
            told(&client.send(&trip(), &Call::Cancel).await),
            "initiated"
        );
        let before = server.asked().len();
        let script = vec![Does::SaysAndCloses(String::new()), Does::Says(ok.clone())];
        server.now_does(script);
        let said = told(&client.send(&trip(), &capture()).await);
        assert!(said.starts_with("unclear, no status"), "{said}");
        assert_eq!(server.asked().len(), before + 1);
    }
}

#[tokio::test]
async fn a_connection_closed_meanwhile_is_noticed_or_leaves_a_doubt_but_repeats_nothing() {
    let server = Server::start(vec![Does::SaysAndCloses(answer(200, &[], ""))]);
    let client = client(&server.url(), LONG);
    for sent in 1..=20 {
        let said = told(&client.send(&trip(), &capture()).await);
        assert!(
            said == "initiated" || said.starts_with("unclear, no status"),
            "{said}"
        );
        assert!(server.asked().len() <= sent);
    }
}

#[tokio::test]
async fn an_answer_nobody_asked_for_is_not_taken_for_the_next_one() {
    let approved = r#"{"status":"APPROVED","authorizedAmount":{"amount":15.90,"code":"USD"}}"#;
    let declined = r#"{"status":"DECLINED"}"#;
    let twice = format!("{0}{0}", answer(200, &[], approved));
    let script = vec![Does::Says(twice), Does::Says(answer(200, &[], declined))];
    let server = Server::start(script);
    let client = client(&server.url(), LONG);
    assert_eq!(
        told(&client.send(&trip(), &adjust()).await),
        "approved 15.90 USD"
    );
    assert_eq!(
        told(&client.send(&trip(), &adjust()).await),
        "declined 0.00 USD"
    );
}

#[tokio::test]
async fn an_answer_after_100_continue_is_the_answer() {
    let late = format!("HTTP/1.1 100 Continue\r\n\r\n{}", answer(200, &[], ""));
    assert_eq!(
        told(&ask(&Server::saying(&late), &capture()).await),
        "initiated"
    );
}

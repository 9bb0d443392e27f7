//! Mails handed to a real socket with a scripted server behind it, and to a folder.

#![allow(clippy::unwrap_used)]

mod mail;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mail::sink::{CLOSE, NO_FILES, SILENCE, Script, Sink, Tls, cert_file};
use mail::{parts, quiet_night, settings};
use tripsettle::domain::{MailUrl, StartTls};
use tripsettle::mail::{Composed, MailError, MailSettings, check_login, compose, send};

const PASSWORD: &str = "correct horse battery staple";

fn url(port: u16, starttls: StartTls) -> MailUrl {
    MailUrl::Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        starttls,
    }
}

fn to(sink: &Sink, starttls: StartTls) -> MailSettings {
    settings(url(sink.port, starttls))
}

fn with_login(mut settings: MailSettings, dir: &Path) -> MailSettings {
    let file = dir.join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o400)).unwrap();
    settings.username = Some("night".to_owned());
    settings.password_file = Some(file);
    settings
}

fn the_mail(settings: &MailSettings) -> Composed {
    compose(
        &quiet_night(),
        settings,
        &[("a.csv".to_owned(), b"..\r\n".to_vec())],
        100,
    )
    .unwrap()
}

fn kind<T>(result: &Result<T, MailError>) -> &'static str {
    match result {
        Ok(_) => "sent",
        Err(MailError::PutOff { .. }) => "put off",
        Err(MailError::Refused { .. }) => "refused",
        Err(MailError::TimedOut { .. }) => "timed out",
        Err(MailError::Unanswered { .. }) => "unanswered",
        Err(MailError::Unreachable { .. }) => "unreachable",
        Err(MailError::NotEncrypted { .. }) => "not encrypted",
        Err(_) => "something else",
    }
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_composed() {
    let sink = Sink::start(&[], Tls::None);
    let settings = to(&sink, StartTls::None);
    let mail = the_mail(&settings);
    send(&settings, &mail.bytes).await.unwrap();
    assert_eq!(sink.heard_verbs(), "EHLO MAIL RCPT RCPT DATA . QUIT");
    let heard = sink.heard().join("\n");
    assert!(
        heard.contains("MAIL FROM:<tripsettle@shop.example>"),
        "{heard}"
    );
    assert!(heard.contains("RCPT TO:<finance@shop.example>"), "{heard}");
    assert!(heard.contains("RCPT TO:<ops@shop.example>"), "{heard}");
    let sent = String::from_utf8(sink.message()).unwrap();
    assert_eq!(
        sent.trim_end(),
        String::from_utf8(mail.bytes).unwrap().trim_end()
    );
}

#[tokio::test]
async fn every_answer_of_a_server_has_its_name() {
    let rows: [(&str, Script, &str); 11] = [
        ("sent", &[("QUIT", CLOSE)], ""),
        ("put off", &[("CONNECT", "421 busy")], "greeting: "),
        ("put off", &[("MAIL", "451 greylisted")], "greylisted"),
        ("put off", &[(".", "452 mailbox full")], "mailbox full"),
        ("refused", &[("RCPT", "550 no such user")], "no such user"),
        (
            "refused",
            &[(".", "554 looks like spam")],
            "looks like spam",
        ),
        (
            "refused",
            &[(".", "554 card 4111111111111111")],
            "[card number hidden]",
        ),
        ("unreachable", &[("DATA", CLOSE)], "mail"),
        ("unreachable", &[("EHLO", "utter nonsense")], "greeting"),
        ("timed out", &[("MAIL", SILENCE)], "within 900ms"),
        ("unanswered", &[(".", CLOSE)], "it may be there"),
    ];
    for (told, script, words) in rows {
        let sink = Sink::start(script, Tls::None);
        let mut settings = to(&sink, StartTls::None);
        settings.timeout = Duration::from_millis(900);
        let result = send(&settings, &the_mail(&settings).bytes).await;
        assert_eq!(kind(&result), told, "{script:?}: {result:?}");
        let Err(error) = result else { continue };
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.may_pass(), told != "refused", "{error}");
    }
}

const FINANCE: &str = "RCPT TO:<finance@shop.example>";
const OPS: &str = "RCPT TO:<ops@shop.example>";

#[tokio::test]
async fn a_recipient_that_is_refused_keeps_no_other_from_the_mail() {
    for reply in ["550 retired", "450 greylisted"] {
        for (to_whom, address) in [(FINANCE, "finance@shop.example"), (OPS, "ops@shop.example")] {
            let script: Script = vec![(to_whom, reply)].leak();
            let sink = Sink::start(script, Tls::None);
            let settings = to(&sink, StartTls::None);
            let mail = the_mail(&settings);
            let refused = send(&settings, &mail.bytes).await.unwrap();
            assert_eq!(sink.heard_verbs(), "EHLO MAIL RCPT RCPT DATA . QUIT");
            assert!(!sink.message().is_empty());
            assert_eq!(refused.len(), 1, "{refused:?}");
            let told = refused[0].to_string();
            assert!(
                told.contains(address) && told.contains(&reply[4..]),
                "{told}"
            );
        }
    }
}

#[tokio::test]
async fn a_mail_that_nobody_may_get_is_not_sent() {
    let rows: [(&str, Script); 3] = [
        ("refused", &[("RCPT", "550 no relay")]),
        ("put off", &[(FINANCE, "550 retired"), (OPS, "450 busy")]),
        ("put off", &[(FINANCE, "450 busy"), (OPS, "550 retired")]),
    ];
    for (told, script) in rows {
        let sink = Sink::start(script, Tls::None);
        let settings = to(&sink, StartTls::None);
        let result = send(&settings, &the_mail(&settings).bytes).await;
        assert_eq!(kind(&result), told, "{script:?}: {result:?}");
        assert_eq!(sink.heard_verbs(), "EHLO MAIL RCPT RCPT QUIT");
    }
}

#[tokio::test]
async fn a_mail_that_is_too_large_arrives_without_its_files() {
    let sink = Sink::start(&[(".", NO_FILES)], Tls::None);
    let settings = to(&sink, StartTls::None);
    send(&settings, &the_mail(&settings).bytes).await.unwrap();

    let once = "EHLO MAIL RCPT RCPT DATA . QUIT";
    assert_eq!(sink.heard_verbs(), format!("{once} {once}"));
    let heard = String::from_utf8(sink.message()).unwrap();
    let second = heard.rfind("Message-ID: ").unwrap();
    let (first, arrived) = (parts(&heard[..second]), parts(&heard[second..]));
    assert_eq!((first.len(), arrived.len()), (3, 3));
    for (sent, arrived) in first.iter().zip(&arrived).take(2) {
        assert_eq!(sent.body, arrived.body, "the texts are the same");
    }
    let told = String::from_utf8(arrived[2].body.clone()).unwrap();
    assert!(told.starts_with("NOT ATTACHED: "), "{told}");
    let of = |at: usize| heard[at..].lines().next().unwrap().to_owned();
    assert_eq!(of(0), of(second), "it is the same mail");
}

#[tokio::test]
async fn a_text_that_is_too_large_is_not_sent_twice() {
    let sink = Sink::start(&[(".", "552 far too large")], Tls::None);
    let settings = to(&sink, StartTls::None);
    let mail = compose(&quiet_night(), &settings, &[], 0).unwrap();
    let error = send(&settings, &mail.bytes).await.unwrap_err();
    assert!(matches!(error, MailError::TooLarge { .. }), "{error:?}");
    assert!(!error.may_pass(), "{error}");
    assert!(error.to_string().contains("max_attach_bytes"), "{error}");
    assert_eq!(sink.heard_verbs(), "EHLO MAIL RCPT RCPT DATA . QUIT");
}

#[tokio::test]
async fn a_mail_beyond_ascii_is_announced_or_not_sent() {
    let rows: [(Script, &str); 2] = [
        (
            &[("EHLO", "250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8")],
            "sent",
        ),
        (&[("EHLO", "250 sink")], "refused"),
    ];
    for (script, told) in rows {
        let sink = Sink::start(script, Tls::None);
        let mut settings = to(&sink, StartTls::None);
        settings.to.push("büro@shop.example".to_owned());
        let result = send(&settings, "Message-ID: <a@b>\r\n\r\né\r\n".as_bytes()).await;
        assert_eq!(kind(&result), told, "{result:?}");
        let heard = sink.heard().join("\n");
        let announced = heard.contains("> SMTPUTF8 BODY=8BITMIME\n");
        assert_eq!(announced, told == "sent", "{heard}");
    }
}

#[tokio::test]
async fn a_silent_server_holds_nobody_longer_than_the_deadline() {
    let rows: [(Script, &str); 4] = [
        (&[("CONNECT", SILENCE)], "timed out"),
        (&[("EHLO", SILENCE)], "timed out"),
        (&[("DATA", SILENCE)], "timed out"),
        (&[(".", SILENCE)], "unanswered"),
    ];
    for (script, told) in rows {
        let sink = Sink::start(script, Tls::None);
        let mut settings = to(&sink, StartTls::None);
        match told {
            "timed out" => settings.timeout = Duration::from_millis(400),
            _ => settings.answer_timeout = Duration::from_millis(400),
        }
        let began = Instant::now();
        let result = send(&settings, &the_mail(&settings).bytes).await;
        assert_eq!(kind(&result), told, "{script:?}");
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn a_mail_that_breaks_off_before_its_end_has_not_arrived() {
    let sink = Sink::start(&[("|", CLOSE)], Tls::None);
    let settings = to(&sink, StartTls::None);
    // More than any socket holds.
    let mail = format!("Message-ID: <a@b>\r\n\r\n{}", "x\r\n".repeat(10_000_000));
    let result = send(&settings, mail.as_bytes()).await;
    assert_eq!(kind(&result), "unreachable", "{result:?}");
}

#[tokio::test]
async fn an_address_that_drops_what_it_gets_leaves_time_for_the_next() {
    // A queue for one, which is taken: whoever comes now gets no answer at all.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(0).unwrap();
    let addr = full.local_addr().unwrap();
    let _first = std::net::TcpStream::connect(addr).unwrap();

    let mut settings = settings(url(addr.port(), StartTls::None));
    settings.connect_timeout = Duration::from_millis(300);
    let mail = the_mail(&settings).bytes;
    let in_time = tokio::time::timeout(settings.timeout / 2, send(&settings, &mail));
    let result = in_time.await.unwrap();
    assert_eq!(kind(&result), "unreachable", "{result:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = settings(url(gone.local_addr().unwrap().port(), StartTls::None));
    drop(gone);
    let result = send(&settings, &the_mail(&settings).bytes).await;
    assert_eq!(kind(&result), "unreachable", "{result:?}");
}

#[tokio::test]
async fn neither_mail_nor_password_leaves_without_a_trusted_encryption() {
    let dir = tempfile::tempdir().unwrap();
    let rows: [(&str, Script, Tls); 3] = [
        ("EHLO QUIT", &[], Tls::None),
        (
            "EHLO STARTTLS QUIT",
            &[("STARTTLS", "454 not now")],
            Tls::Offered,
        ),
        ("EHLO STARTTLS", &[], Tls::Offered),
    ];
    for (verbs, script, tls) in rows {
        let sink = Sink::start(script, tls);
        let settings = with_login(to(&sink, StartTls::Required), dir.path());
        let result = send(&settings, &the_mail(&settings).bytes).await;
        assert_eq!(kind(&result), "not encrypted", "{verbs}: {result:?}");
        assert!(
            verbs.starts_with(&sink.heard_verbs()),
            "{} is too much",
            sink.heard_verbs()
        );
    }
    let sink = Sink::start(&[], Tls::FromTheStart);
    let (host, port) = ("127.0.0.1".to_owned(), sink.port);
    let settings = with_login(settings(MailUrl::Smtps { host, port }), dir.path());
    let result = send(&settings, &the_mail(&settings).bytes).await;
    assert_eq!(sink.heard_verbs(), "", "{result:?}");
    let told = result.unwrap_err().to_string();
    assert!(told.contains("certificate"), "{told}");
}

/// The trusted certificates come from the environment, which a test may not change for the others:
/// so the test runs itself once more.
#[test]
fn both_kinds_of_encryption_carry_login_and_mail() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "encrypted_exchange"]);
    let output = child.env("SSL_CERT_FILE", cert_file()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
}

#[tokio::test]
#[ignore = "run by the test above, which trusts the test certificate"]
async fn encrypted_exchange() {
    let dir = tempfile::tempdir().unwrap();
    for tls in [Tls::Offered, Tls::FromTheStart] {
        let sink = Sink::start(&[], tls);
        let (host, port) = ("127.0.0.1".to_owned(), sink.port);
        let (url, verbs) = match tls {
            Tls::FromTheStart => (MailUrl::Smtps { host, port }, "EHLO AUTH"),
            _ => (url(port, StartTls::Required), "EHLO STARTTLS EHLO AUTH"),
        };
        let settings = with_login(settings(url), dir.path());
        let mail = the_mail(&settings);
        send(&settings, &mail.bytes).await.unwrap();
        assert_eq!(
            sink.heard_verbs(),
            format!("{verbs} MAIL RCPT RCPT DATA . QUIT")
        );
        assert!(sink.message().starts_with(b"Message-ID: "));
        assert!(
            check_login(&settings)
                .await
                .unwrap()
                .contains("login of night accepted")
        );
    }
}

#[tokio::test]
async fn a_login_is_tried_without_a_mail() {
    let dir = tempfile::tempdir().unwrap();
    let sink = Sink::start(&[], Tls::None);
    let told = check_login(&with_login(to(&sink, StartTls::None), dir.path()))
        .await
        .unwrap();
    assert!(
        told.contains("in the clear on loopback, login of night accepted"),
        "{told}"
    );
    assert_eq!(sink.heard_verbs(), "EHLO AUTH QUIT");
    let sent = sink.heard()[1].rsplit_once(' ').unwrap().1.to_owned();
    assert_eq!(
        mail::base64(&sent),
        format!("\0night\0{PASSWORD}").into_bytes()
    );
}

#[tokio::test]
async fn a_refused_login_does_not_repeat_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let script: Script = &[("AUTH", "535 `correct horse battery staple` is wrong")];
    let sink = Sink::start(script, Tls::None);
    let settings = with_login(to(&sink, StartTls::None), dir.path());
    for error in [
        check_login(&settings).await.unwrap_err(),
        send(&settings, b"Message-ID: <a@b>\r\n\r\n")
            .await
            .unwrap_err(),
    ] {
        let told = format!("{error} {error:?}");
        assert!(told.contains("refused the login") && told.contains("[password hidden]"));
        assert!(!told.contains(PASSWORD), "{told}");
    }
}

#[tokio::test]
async fn a_password_file_is_the_owners_alone_and_holds_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = with_login(settings(url(9, StartTls::None)), dir.path());
    let file = settings.password_file.clone().unwrap();
    let rows = [
        ("s3cret\n", 0o644, "chmod 600"),
        (" \n", 0o600, "it is empty"),
    ];
    for (text, mode, words) in rows {
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let error = check_login(&settings).await.unwrap_err();
        assert!(matches!(error, MailError::Password { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = check_login(&settings).await.unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    settings.password_file = None;
    let error = check_login(&settings).await.unwrap_err();
    assert!(
        error.to_string().ends_with("mail.password_file is missing"),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_holds_one_file_for_one_mail() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("new/mail");
    let settings = settings(MailUrl::Folder(out.clone()));
    let told = check_login(&settings).await.unwrap();
    assert!(told.contains("made by the first"), "{told}");
    let mail = the_mail(&settings);
    send(&settings, &mail.bytes).await.unwrap();
    send(&settings, &mail.bytes).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|it| it.unwrap())
        .collect();
    assert_eq!(files.len(), 1);
    let name = "01991f3c-7a10-7c3e-9b42-5c0d8f1e2a77@tripsettle.shop.example.eml";
    assert_eq!(files[0].file_name(), name);
    assert_eq!(std::fs::read(files[0].path()).unwrap(), mail.bytes);
    assert_eq!(
        files[0].metadata().unwrap().permissions().mode() & 0o777,
        0o640
    );
}

#[tokio::test]
async fn a_folder_takes_no_path_from_a_message_id_and_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("mail");
    let settings = settings(MailUrl::Folder(out.clone()));
    send(&settings, b"Message-ID: <../../up@x>\r\n\r\n")
        .await
        .unwrap();
    assert!(out.join("_.._up@x.eml").exists());
    let error = send(&settings, b"Subject: a\r\n\r\nMessage-ID: <a@b>\r\n")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("has no Message-ID"), "{error}");
    std::fs::write(dir.path().join("file"), "").unwrap();
    let blocked = MailUrl::Folder(dir.path().join("file"));
    let error = check_login(&mail::settings(blocked)).await.unwrap_err();
    assert!(matches!(error, MailError::Folder { .. }), "{error:?}");
}

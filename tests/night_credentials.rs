//! AWS credentials that are missing, broken or refused: the night says so at once (77), in words
//! that lead to what is wrong, and the next good run goes on.
#![allow(clippy::unwrap_used)]

mod night;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use night::stories::{self, Tale, as_csv, make_known};
use night::witness::{each_story_ended, testifies};
use night::{Ended, Night};
use tripsettle::sandbox::SandboxConfig;

const ROLE: &str = "arn:aws:iam::123456789012:role/settle";

/// A few trips that wait in the inbox, and no keys in the environment.
fn evening(keys: &SandboxConfig) -> (Night, Vec<Tale>) {
    let mut night = Night::begin_with(keys.clone());
    night.set("TRIPSETTLE_LOG", "off");
    night.set("AWS_EC2_METADATA_DISABLED", "true");
    night.unset("AWS_ACCESS_KEY_ID");
    night.unset("AWS_SECRET_ACCESS_KEY");
    let tales = stories::tales("plain 6 captured captured captured", night.began);
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    (night, tales)
}

fn profile(night: &mut Night, text: &str) {
    let file = night.write("aws", text);
    night.set("AWS_CONFIG_FILE", file.to_str().unwrap());
}

/// The run ends with 77 before anything was sent, and one line says why.
fn ends_with_77(night: &Night, words: &[&str]) -> Ended {
    let ended = night.expect(77, &["run"]);
    for word in words {
        assert!(ended.err.contains(word), "`{word}` is not told: {ended:#?}");
    }
    for word in ["the payment service", "already taken"] {
        assert!(!ended.err.contains(word), "`{word}` is told: {ended:#?}");
    }
    let calls = night.sandbox.calls();
    assert_eq!((calls.adjust, calls.capture), (0, 0), "{ended:#?}");
    ended
}

fn the_next_run_loses_nothing(night: &Night, tales: &[Tale]) {
    night.expect(0, &["run"]);
    each_story_ended(night, tales, |_| "capture_authorized");
    testifies(night, tales);
}

/// A token service that answers every request so; its thread ends with the test.
fn token_service(status: u16, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut asked in listener.incoming().map(Result::unwrap) {
            heed(&mut asked);
            let head = format!(
                "HTTP/1.1 {status} So\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n",
                body.len()
            );
            let _ = asked.write_all((head + &body).as_bytes());
        }
    });
    url
}

/// Reads a request to its end.
fn heed(asked: &mut TcpStream) {
    let (mut read, mut some) = (String::new(), [0; 4096]);
    loop {
        if let Some((head, body)) = read.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return;
            }
        }
        match asked.read(&mut some) {
            Ok(1..) => read.push_str(&String::from_utf8_lossy(&some)),
            Ok(0) | Err(_) => return,
        }
    }
}

#[test]
fn without_any_the_places_that_were_looked_at_are_told() {
    let keys = SandboxConfig::default();
    let (mut night, tales) = evening(&keys);
    ends_with_77(
        &night,
        &[
            "no AWS credentials are set up",
            "WebIdentityToken: ",
            "AWS_EC2_METADATA_DISABLED",
            "tripsettle check",
        ],
    );
    night.set("AWS_ACCESS_KEY_ID", &keys.access_key);
    night.set("AWS_SECRET_ACCESS_KEY", &keys.secret_key);
    the_next_run_loses_nothing(&night, &tales);
}

#[test]
fn a_broken_profile_is_told_with_its_reason() {
    let keys = SandboxConfig::default();
    let (mut night, tales) = evening(&keys);
    let rows = [
        (
            "[default\naws_access_key_id = A\n".to_owned(),
            "could not parse profile file",
        ),
        (
            format!("[default]\nrole_arn = {ROLE}\nsource_profile = lost\n"),
            "profile `lost` was not defined",
        ),
        (
            "[default]\nsso_start_url = https://shop.example\nsso_region = eu-west-1\n\
             sso_account_id = 123456789012\nsso_role_name = settle\n"
                .to_owned(),
            "sso",
        ),
    ];
    for (text, why) in rows {
        profile(&mut night, &text);
        ends_with_77(&night, &[why]);
    }
    let text = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        keys.access_key, keys.secret_key
    );
    profile(&mut night, &text);
    the_next_run_loses_nothing(&night, &tales);
}

#[test]
fn a_role_that_is_refused_us_is_told_as_such() {
    let (mut night, _) = evening(&SandboxConfig::default());
    let refusal = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User night is \
         not authorized to perform: sts:AssumeRole on resource: {ROLE}</Message></Error>\
         </ErrorResponse>"
    );
    night.set("AWS_ENDPOINT_URL_STS", &token_service(403, refusal));
    let text = format!(
        "[profile base]\naws_access_key_id = A\naws_secret_access_key = hush\n\
         [default]\nrole_arn = {ROLE}\nsource_profile = base\n"
    );
    profile(&mut night, &text);
    let ended = ends_with_77(&night, &["AWS refuses to hand out credentials", ROLE]);
    assert!(!ended.err.contains("hush"), "{ended:#?}");
    let check = night.expect(77, &["check"]);
    assert!(check.out.contains("trust policy"), "{check:#?}");
}

/// The keys are dead as soon as they are handed out, so that every call asks for new ones.
#[test]
fn a_profile_that_is_not_there_does_not_stand_in_the_way_of_web_identity() {
    let keys = SandboxConfig {
        session_token: Some("token".to_owned()),
        ..SandboxConfig::default()
    };
    let (mut night, tales) = evening(&keys);
    let handed_out = format!(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
         <AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration>\
         </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
        keys.access_key, keys.secret_key
    );
    night.set("AWS_ENDPOINT_URL_STS", &token_service(200, handed_out));
    let token = night.write("web-identity", "a token");
    night.set("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap());
    night.set("AWS_ROLE_ARN", ROLE);
    profile(&mut night, "[profile somebody]\nregion = eu-west-1\n");
    night.set("AWS_PROFILE", "nobody");
    the_next_run_loses_nothing(&night, &tales);
}

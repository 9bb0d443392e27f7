//! AWS Signature Version 4, checked by the sandbox's own reading of AWS's documents.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::authorization::{ALGORITHM, Authorization, TERMINATOR};
use super::forbidden::Forbidden;

const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";
/// How far a signature's time may be from ours.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The one caller that is let in.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub access_key: String,
    pub secret_key: String,
    pub session_token: Option<String>,
    pub region: String,
    pub service: String,
}

/// Lets the request in, or says why not.
pub(super) fn verify(
    keys: &Keys,
    head: &Parts,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Forbidden> {
    let given = header(head, "authorization").ok_or_else(Forbidden::no_token)?;
    let given = Authorization::read(given)?;
    let at = header(head, "x-amz-date").ok_or_else(|| {
        Forbidden::incomplete("Authorization header requires existence of an 'X-Amz-Date' header.")
    })?;
    check_scope(keys, &given, at)?;
    check_token(keys, head)?;
    check_signed_headers(&given, head)?;
    check_time(at, now)?;
    let to_sign = string_to_sign(&given, at, &canonical_request(&given, head, body)?);
    if signature(keys, &given, &to_sign)? == given.signature {
        return Ok(());
    }
    Err(Forbidden::invalid(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details.",
    ))
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

fn check_scope(keys: &Keys, given: &Authorization, at: &str) -> Result<(), Forbidden> {
    if given.access_key != keys.access_key {
        return Err(Forbidden::unknown_token());
    }
    if given.region != keys.region {
        let message = format!(
            "Credential should be scoped to a valid region, not '{}'.",
            given.region
        );
        return Err(Forbidden::invalid(message));
    }
    if given.service != keys.service {
        let message = format!(
            "Credential should be scoped to correct service: '{}'.",
            keys.service
        );
        return Err(Forbidden::invalid(message));
    }
    if !at.starts_with(given.date) {
        let message = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of \
                       date from HTTP";
        return Err(Forbidden::invalid(message));
    }
    Ok(())
}

fn check_token(keys: &Keys, head: &Parts) -> Result<(), Forbidden> {
    if header(head, "x-amz-security-token") == keys.session_token.as_deref() {
        return Ok(());
    }
    Err(Forbidden::unknown_token())
}

/// `Host` and everything that begins with `X-Amz-` must be covered by the signature.
fn check_signed_headers(given: &Authorization, head: &Parts) -> Result<(), Forbidden> {
    let names = head.headers.keys().map(http::HeaderName::as_str);
    let mut must = names.filter(|name| *name == "host" || name.starts_with("x-amz-"));
    match must.find(|name| !given.signed.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Forbidden::invalid(format!(
            "'{name}' must be a 'SignedHeader' in the AWS Authorization."
        ))),
    }
}

fn check_time(at: &str, now: DateTime<Utc>) -> Result<(), Forbidden> {
    let Ok(signed_at) = NaiveDateTime::parse_from_str(at, DATE_FORMAT) else {
        let message = "Date must be in ISO-8601 'basic format'.";
        return Err(Forbidden::incomplete(message));
    };
    let off = now.signed_duration_since(signed_at.and_utc());
    if off.abs() <= TOLERANCE {
        return Ok(());
    }
    let (what, side) = if off > TimeDelta::zero() {
        ("expired", "earlier")
    } else {
        ("not yet current", "later")
    };
    let ours = now.format(DATE_FORMAT);
    Err(Forbidden::invalid(format!(
        "Signature {what}: {at} is more than 5 min. {side} than {ours}"
    )))
}

/// The paths served need no encoding, so the path stands as it came.
fn canonical_request(
    given: &Authorization,
    head: &Parts,
    body: &[u8],
) -> Result<String, Forbidden> {
    let mut query: Vec<&str> = head.uri.query().unwrap_or("").split('&').collect();
    query.sort_unstable();
    let mut text = format!(
        "{}\n{}\n{}\n",
        head.method,
        head.uri.path(),
        query.join("&")
    );
    for name in &given.signed {
        canonical_header(head, name, &mut text)?;
    }
    text.push('\n');
    text.push_str(&given.signed.join(";"));
    text.push('\n');
    text.push_str(&hex(&Sha256::digest(body)));
    Ok(text)
}

fn canonical_header(head: &Parts, name: &str, text: &mut String) -> Result<(), Forbidden> {
    let mut values = head.headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        let message = format!("The signed header '{name}' is not in the request.");
        return Err(Forbidden::invalid(message));
    }
    text.push_str(name);
    let mut separator = ':';
    for value in values {
        text.push(separator);
        separator = ',';
        let value = String::from_utf8_lossy(value.as_bytes());
        for (at, word) in value.split_ascii_whitespace().enumerate() {
            text.push_str(if at > 0 { " " } else { "" });
            text.push_str(word);
        }
    }
    text.push('\n');
    Ok(())
}

fn string_to_sign(given: &Authorization, at: &str, canonical: &str) -> String {
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    format!("{ALGORITHM}\n{at}\n{}\n{hash}", given.scope())
}

fn signature(keys: &Keys, given: &Authorization, to_sign: &str) -> Result<String, Forbidden> {
    let mut key = format!("AWS4{}", keys.secret_key).into_bytes();
    for step in [given.date, given.region, given.service, TERMINATOR, to_sign] {
        key = keyed_hash(&key, step.as_bytes())?;
    }
    Ok(hex(&key))
}

fn keyed_hash(key: &[u8], data: &[u8]) -> Result<Vec<u8>, Forbidden> {
    let mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|error| Forbidden::invalid(format!("The key cannot be used: {error}")))?;
    Ok(mac.chain_update(data).finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    };
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(digit(byte >> 4)));
        text.push(char::from(digit(byte & 15)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests of AWS's published signing test suite, as they stand there.
    const PUBLISHED: [(&str, &str); 6] = [
        (
            "get-vanilla",
            "GET /
Host:example.amazonaws.com
X-Amz-Date:20150830T123600Z
SignedHeaders=host;x-amz-date
Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET /?Param2=value2&Param1=value1
Host:example.amazonaws.com
X-Amz-Date:20150830T123600Z
SignedHeaders=host;x-amz-date
Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-with-session-token",
            "GET /
Host:example.amazonaws.com
X-Amz-Security-Token:6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267
X-Amz-Date:20150830T123600Z
SignedHeaders=host;x-amz-date;x-amz-security-token
Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        (
            "get-header-key-duplicate",
            "GET /
Host:example.amazonaws.com
My-Header1:value2
My-Header1:value2
My-Header1:value1
X-Amz-Date:20150830T123600Z
SignedHeaders=host;my-header1;x-amz-date
Signature=c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "get-header-value-trim",
            "GET /
Host:example.amazonaws.com
My-Header1: value1
My-Header2: \"a   b   c\"
X-Amz-Date:20150830T123600Z
SignedHeaders=host;my-header1;my-header2;x-amz-date
Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST /
Content-Type:application/x-www-form-urlencoded
Host:example.amazonaws.com
Content-Length:13
X-Amz-Date:20150830T123600Z
x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e
SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date
Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b

Param1=value1",
        ),
    ];

    fn keys(session_token: Option<&str>) -> Keys {
        Keys {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: session_token.map(str::to_owned),
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
        }
    }

    fn request(text: &str) -> (Parts, &str) {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let (first, rest) = head.split_once('\n').unwrap();
        let (method, path) = first.split_once(' ').unwrap();
        let (headers, signed) = rest.split_once("\nSignedHeaders=").unwrap();
        let signed = signed.replace('\n', ", ");
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={signed}"
        );
        let mut request = http::Request::builder().method(method).uri(path);
        for line in headers.lines() {
            let (name, value) = line.split_once(':').unwrap();
            request = request.header(name, value);
        }
        let request = request.header("authorization", authorization).body(());
        (request.unwrap().into_parts().0, body)
    }

    fn noon() -> DateTime<Utc> {
        "2015-08-30T12:36:00Z".parse().unwrap()
    }

    #[test]
    fn requests_published_by_aws_are_let_in() {
        for (name, text) in PUBLISHED {
            let (head, body) = request(text);
            let keys = keys(header(&head, "x-amz-security-token"));
            let verified = verify(&keys, &head, body.as_bytes(), noon());
            assert_eq!(verified, Ok(()), "{name}");
        }
    }

    #[test]
    fn a_published_request_with_one_more_byte_is_not() {
        for (name, text) in PUBLISHED {
            let (head, body) = request(text);
            let keys = keys(header(&head, "x-amz-security-token"));
            let body = format!("{body} ");
            let refused = verify(&keys, &head, body.as_bytes(), noon()).unwrap_err();
            assert!(
                refused.message.contains("does not match"),
                "{name}: {refused:?}"
            );
        }
    }
}

//! AWS Signature Version 4 of one request.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::domain::Timestamp;

/// The service that requests are signed for.
const SERVICE: &str = "execute-api";
/// Stands in the request before it is signed, so that the signature covers it.
const JSON: &str = "application/json";

/// The headers a POST of `body` to `url` needs so as to be believed at the instant `at`.
///
/// Signed are the method, the path, the host, the content type, the time, the session token where
/// there is one, and the body's digest.
pub(super) fn signed_headers(
    credentials: Credentials,
    region: &str,
    url: &str,
    body: &[u8],
    at: Timestamp,
) -> Result<HeaderMap, String> {
    let since_epoch = Duration::from_millis(u64::try_from(at.ms()).unwrap_or(0));
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(UNIX_EPOCH.checked_add(since_epoch).unwrap_or(UNIX_EPOCH))
        .settings(SigningSettings::default())
        .build()
        .map_err(|why| why.to_string())?
        .into();
    let given = std::iter::once((CONTENT_TYPE.as_str(), JSON));
    let request = SignableRequest::new("POST", url, given, SignableBody::Bytes(body));
    let signed = sign(request.map_err(|why| why.to_string())?, &params);
    let (instructions, _) = signed.map_err(|why| why.to_string())?.into_parts();
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    for header in instructions.into_parts().0 {
        let value = HeaderValue::from_str(header.value()).map_err(|why| why.to_string());
        let mut value = value?;
        value.set_sensitive(header.sensitive());
        headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};

    use super::*;

    const KEY: &str = "AKIDEXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const AT: &str = "2015-08-30T12:36:00Z";

    fn hex(bytes: impl AsRef<[u8]>) -> String {
        bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }

    fn hmac(key: &[u8], text: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// The signature of a canonical request, from AWS's description of Signature Version 4.
    fn signature(canonical: &str, region: &str, service: &str) -> String {
        let scope = format!("20150830/{region}/{service}/aws4_request");
        let digest = hex(Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n20150830T123600Z\n{scope}\n{digest}");
        let day = hmac(format!("AWS4{SECRET}").as_bytes(), "20150830");
        let key = hmac(&hmac(&hmac(&day, region), service), "aws4_request");
        hex(hmac(&key, &text))
    }

    #[test]
    fn the_witness_below_agrees_with_the_vector_that_aws_publishes() {
        // get-vanilla of AWS's test suite.
        let canonical = "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n\
             host;x-amz-date\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            signature(canonical, "us-east-1", "service"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }

    #[test]
    fn the_signature_covers_path_host_type_time_token_and_body() {
        let body = r#"{"storeId":"S","shoppingTripId":"t"}"#;
        let digest = hex(Sha256::digest(body));
        let rows = [
            ("https://pay.example/v1/x", "/v1/x", "pay.example", None),
            ("https://pay.example:443/v1/x", "/v1/x", "pay.example", None),
            (
                "http://127.0.0.1:8080/a/v1/x",
                "/a/v1/x",
                "127.0.0.1:8080",
                None,
            ),
            (
                "https://pay.example/v1/x",
                "/v1/x",
                "pay.example",
                Some("TOKEN+/="),
            ),
        ];
        for (url, path, host, token) in rows {
            let keys = Credentials::new(KEY, SECRET, token.map(str::to_owned), None, "test");
            let at = Timestamp::parse(AT).unwrap();
            let headers = signed_headers(keys, "eu-west-1", url, body.as_bytes(), at).unwrap();
            let (line, name) = match token {
                Some(token) => (
                    format!("x-amz-security-token:{token}\n"),
                    ";x-amz-security-token",
                ),
                None => (String::new(), ""),
            };
            let canonical = format!(
                "POST\n{path}\n\ncontent-type:application/json\nhost:{host}\n\
                 x-amz-date:20150830T123600Z\n{line}\ncontent-type;host;x-amz-date{name}\n{digest}"
            );
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential={KEY}/20150830/eu-west-1/execute-api/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date{name}, Signature={}",
                signature(&canonical, "eu-west-1", "execute-api")
            );
            assert_eq!(headers["authorization"], expected, "{url}");
            assert_eq!(headers["x-amz-date"], "20150830T123600Z");
            assert_eq!(headers["content-type"], "application/json");
            let sent = headers
                .get("x-amz-security-token")
                .map(|t| t.to_str().unwrap());
            assert_eq!(sent, token);
            assert_eq!(headers.len(), 3 + usize::from(token.is_some()));
        }
    }
}

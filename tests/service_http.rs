//! What the payment service answers, over a real socket: every status, every body, every header.
#![allow(clippy::unwrap_used)]

mod service;

use service::server::{Server, answer};
use service::{LONG, adjust, all_calls, ask, at, capture, client, told, trip};
use tripsettle::domain::Call;
use tripsettle::payment_service::PaymentService as _;

const ERROR: &str = r#"{"errorMsg":"BadRequestException"}"#;
const PAGE: &str = "<html><body>Who are you?</body></html>";

#[tokio::test]
async fn every_status_has_its_one_meaning() {
    // Status, with the service's JSON, with somebody's page.
    let unauthorized = "unauthorized by the service: BadRequestException";
    let stranger = "unauthorized by somebody: HTTP";
    let rows: &[(&[u16], &str, &str)] = &[
        (
            &[300, 301, 302, 303, 304, 307, 308],
            "not the service",
            "not the service",
        ),
        (&[400], "refused: BadRequestException", "not the service"),
        (&[401, 403], unauthorized, stranger),
        (&[404, 405, 415], "not the service", "not the service"),
        (
            &[402, 406, 407, 408, 409, 410, 411, 412, 413, 414, 416, 421],
            "unclear",
            "unclear",
        ),
        (
            &[422, 423, 424, 425, 426, 428, 431, 451, 499],
            "unclear",
            "unclear",
        ),
        (&[429], "throttled", "throttled"),
        (
            &[500, 501, 502, 503, 504, 505, 507, 511, 529, 599],
            "unclear",
            "unclear",
        ),
        (&[201, 202, 203, 206, 226, 299], "unclear", "unclear"),
    ];
    for (statuses, with_json, with_page) in rows {
        for status in *statuses {
            let json = Server::saying(&answer(*status, &["Location: /elsewhere"], ERROR));
            let page = Server::saying(&answer(*status, &["Content-Type: text/html"], PAGE));
            for call in all_calls() {
                for (server, expected) in [(&json, with_json), (&page, with_page)] {
                    let heard = ask(server, &call).await;
                    let said = told(&heard);
                    assert!(
                        said.starts_with(expected),
                        "{status} to {}: {said}",
                        call.name()
                    );
                    assert_eq!(heard.status, Some(*status));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_200_means_what_its_body_says_to_that_call() {
    let approved = r#"{"status":"APPROVED","authorizedAmount":{"amount":15.90,"code":"USD"}}"#;
    let declined = r#"{"status":"DECLINED","authorizedAmount":{"amount":0,"code":"USD"}}"#;
    let pending = r#"{"status":"PENDING","authorizedAmount":{"amount":15.90,"code":"USD"}}"#;
    let euros = r#"{"status":"APPROVED","authorizedAmount":{"amount":15.90,"code":"EUR"}}"#;
    let data = r#"{"brand":"VISA","expirationDate":{"expirationYear":"2025"}}"#;
    // A gateway's answer where the function behind it failed.
    let lambda = r#"{"errorMessage":"Task timed out","errorType":"Sandbox.Timedout"}"#;
    let typed = r#"{"__type":"InternalServerException"}"#;
    let new = r#"{"status":"INITIATED","error":null,"captureId":"c-1"}"#;
    let contrary = r#"{"status":"APPROVED","errorMsg":"x",
        "authorizedAmount":{"amount":15.90,"code":"USD"}}"#;
    let gzip = "\u{1f}\u{8b}not for us";
    // Body, then what it means to Adjust, Capture, Cancel, GetTransactionalData.
    let rows = [
        (
            approved,
            ["approved 15.90 USD", "initiated", "initiated", "data none"],
        ),
        (
            declined,
            ["declined 0.00 USD", "unclear", "unclear", "data none"],
        ),
        (pending, ["pending", "unclear", "unclear", "data none"]),
        (lambda, ["unclear", "unclear", "unclear", "data none"]),
        (typed, ["unclear", "unclear", "unclear", "data none"]),
        (new, ["unclear", "initiated", "initiated", "data none"]),
        (
            euros,
            [
                "refused: asked in USD",
                "initiated",
                "initiated",
                "data none",
            ],
        ),
        (data, ["unclear", "initiated", "initiated", "data VISA"]),
        ("{}", ["unclear", "initiated", "initiated", "data none"]),
        ("", ["unclear", "initiated", "initiated", "unclear"]),
        (" \r\n", ["unclear", "initiated", "initiated", "unclear"]),
        (contrary, ["unclear", "unclear", "unclear", "unclear"]),
        (ERROR, ["unclear", "unclear", "unclear", "unclear"]),
        (PAGE, ["unclear", "unclear", "unclear", "unclear"]),
        ("[]", ["unclear", "unclear", "unclear", "unclear"]),
        ("null", ["unclear", "unclear", "unclear", "unclear"]),
        (
            r#"{"status":"APPR"#,
            ["unclear", "unclear", "unclear", "unclear"],
        ),
        (gzip, ["unclear", "unclear", "unclear", "unclear"]),
        ("\u{feff}{}", ["unclear", "unclear", "unclear", "unclear"]),
    ];
    for (body, meanings) in rows {
        let server = Server::saying(&answer(200, &[], body));
        for (call, expected) in all_calls().iter().zip(meanings) {
            let said = told(&ask(&server, call).await);
            assert!(
                said.starts_with(expected),
                "{body:?} to {}: {said}",
                call.name()
            );
        }
    }
}

#[tokio::test]
async fn the_end_of_the_payment_token_is_known_in_every_spelling() {
    let exception = "ShoppingTripExpiredException";
    let rows = [
        (400, exception, "expired: ShoppingTripExpiredException"),
        (
            400,
            "Shopping Trip Expired",
            "expired: Shopping Trip Expired",
        ),
        (
            410,
            "the trip has EXPIRED.",
            "expired: the trip has EXPIRED.",
        ),
        (404, exception, "expired"),
        (409, exception, "expired"),
        (422, exception, "expired"),
        (400, "UnknownShoppingTrip", "refused: UnknownShoppingTrip"),
        (400, "Signature expired: 20260308", "refused"),
        (400, "The security token has expired", "refused"),
        (400, "The request has expired", "refused"),
        (400, "Card expired", "refused"),
        (400, "Session expired while loading the trip", "refused"),
        (500, "Timeout expired", "unclear, 500"),
        (503, "cannot load the trip: expired lease", "unclear, 503"),
        (503, "the lease of the trip store expired", "unclear, 503"),
        (400, "Request failed: trip expired", "expired"),
        (403, "Your session expired", "unauthorized by the service"),
        (200, exception, "unclear, 200"),
    ];
    for (status, words, expected) in rows {
        let body = format!(r#"{{"errorMsg":"{words}","more":1}}"#);
        let server = Server::saying(&answer(status, &[], &body));
        for call in all_calls() {
            let said = told(&ask(&server, &call).await);
            assert!(said.starts_with(expected), "{status} {words}: {said}");
        }
    }
    // A Capture that ended in a 5xx may have been executed.
    let said = format!(r#"{{"errorMsg":"{exception}"}}"#);
    let server = Server::saying(&answer(500, &[], &said));
    for call in all_calls() {
        let expected = match call {
            Call::Capture { .. } => "unclear, 500",
            Call::Adjust { .. } | Call::Cancel | Call::TransactionalData => "expired",
        };
        assert!(told(&ask(&server, &call).await).starts_with(expected));
    }
}

#[tokio::test]
async fn a_400_is_the_services_word_only_with_its_error_message() {
    let rows = [
        r#"{"message":"ShoppingTripExpiredException"}"#,
        r#"{"errorMsg":["ShoppingTripExpiredException"]}"#,
        r#"{"errorMsg":null}"#,
        r#""ShoppingTripExpiredException""#,
        r#"["ShoppingTripExpiredException"]"#,
        "ShoppingTripExpiredException",
        "",
    ];
    for body in rows {
        let said = told(&ask(&Server::saying(&answer(400, &[], body)), &capture()).await);
        assert!(
            said.starts_with("not the service: HTTP 400"),
            "{body}: {said}"
        );
    }
}

#[tokio::test]
async fn the_gateway_before_the_service_is_believed_when_it_refuses() {
    let rows = [
        (
            r#"{"message":"Missing Authentication Token"}"#,
            "by the service: Missing Auth",
        ),
        (
            r#"{"Message":"User is not authorized"}"#,
            "by the service: User is not",
        ),
        (r#"{"errorMsg":"no"}"#, "by the service: no"),
        (r#"{"message":null}"#, "by somebody: HTTP 403 without"),
        ("Forbidden", "by somebody: HTTP 403 without"),
        ("", "by somebody: HTTP 403 without"),
    ];
    for (body, expected) in rows {
        let server = Server::saying(&answer(403, &[], body));
        let said = told(&ask(&server, &capture()).await);
        assert!(
            said.starts_with(&format!("unauthorized {expected}")),
            "{body}: {said}"
        );
    }
}

#[tokio::test]
async fn words_of_the_service_come_as_one_short_line_without_card_numbers() {
    let body = r#"{"errorMsg":"card 4111 1111 1111 1111\r\nis bad"}"#;
    let said = told(&ask(&Server::saying(&answer(400, &[], body)), &capture()).await);
    assert_eq!(said, "refused: card [card number hidden] is bad");
    let body = format!(r#"{{"errorMsg":"{}"}}"#, "x".repeat(5_000));
    let said = told(&ask(&Server::saying(&answer(400, &[], &body)), &capture()).await);
    assert_eq!(said, format!("refused: {}", "x".repeat(200)));
    let body = r#"{"status":"4111111111111111"}"#;
    let said = told(&ask(&Server::saying(&answer(200, &[], body)), &adjust()).await);
    assert!(!said.contains("4111"), "{said}");
}

#[tokio::test]
async fn an_answer_about_another_trip_is_no_answer() {
    let approved = r#""status":"APPROVED","authorizedAmount":{"amount":15.90,"code":"USD"}}"#;
    let refused = r#""errorMsg":"ShoppingTripExpiredException"}"#;
    let rows = [
        (
            200,
            r#"{"shoppingTripId":"t_2","storeId":"S-1","#,
            "approved",
            "initiated",
        ),
        (
            200,
            r#"{"shoppingTripId":"t_3","storeId":"S-1","#,
            "unclear",
            "unclear",
        ),
        (
            200,
            r#"{"shoppingTripId":"t_2","storeId":"S-2","#,
            "unclear",
            "unclear",
        ),
        (200, r#"{"shoppingTripId":2,"#, "unclear", "unclear"),
        (400, r#"{"shoppingTripId":"t_2","#, "expired", "expired"),
        (400, r#"{"shoppingTripId":"t_3","#, "unclear", "unclear"),
    ];
    for (status, named, to_adjust, to_capture) in rows {
        let rest = if status == 200 { approved } else { refused };
        let server = Server::saying(&answer(status, &[], &format!("{named}{rest}")));
        for (call, expected) in [(adjust(), to_adjust), (capture(), to_capture)] {
            let said = told(&ask(&server, &call).await);
            assert!(said.starts_with(expected), "{named}: {said}");
        }
    }
}

#[tokio::test]
async fn throttling_tells_how_long_to_wait() {
    let rows = [
        (vec!["Retry-After: 600"], "throttled for 600000 ms"),
        (vec!["Retry-After: 0"], "throttled for 0 ms"),
        (vec!["Retry-After: 172800"], "throttled for 86400000 ms"),
        (
            vec!["Retry-After: Sun, 08 Mar 2026 10:00:30 GMT"],
            "throttled for 30000 ms",
        ),
        (vec!["Retry-After: -5"], "throttled"),
        (vec!["Retry-After: soon"], "throttled"),
        (vec![], "throttled"),
    ];
    for (headers, expected) in rows {
        let server = Server::saying(&answer(429, &headers, "slow down"));
        assert_eq!(told(&ask(&server, &capture()).await), expected);
    }
}

#[tokio::test]
async fn the_services_clock_is_passed_on() {
    let rows = [
        (
            vec!["Date: Sun, 08 Mar 2026 09:58:00 GMT"],
            Some(at("2026-03-08T09:58:00Z")),
        ),
        (vec!["Date: yesterday"], None),
        (vec![], None),
    ];
    for (headers, clock) in rows {
        for status in [200, 403, 500] {
            let heard = ask(&Server::saying(&answer(status, &headers, "")), &capture()).await;
            assert_eq!((heard.status, heard.service_clock), (Some(status), clock));
        }
    }
}

#[tokio::test]
async fn the_request_on_the_wire_is_exactly_this() {
    let server = Server::saying(&answer(200, &[], ""));
    let endpoint = format!("{}/prod", server.url());
    let client = client(&endpoint, LONG);
    for call in all_calls() {
        client.send(&trip(), &call).await;
    }
    let names = r#""storeId":"S-1","shoppingTripId":"t_2""#;
    let amount = r#","amount":{"amount":15.90,"code":"USD"}"#;
    let rows = [
        ("adjust/charge", amount),
        ("capture/charge", amount),
        ("cancel/charge", ""),
        ("payment/transactional-data", ""),
    ];
    let asked = server.asked();
    assert_eq!(asked.len(), rows.len());
    for (asked, (path, amount)) in asked.iter().zip(rows) {
        assert_eq!(asked.line, format!("POST /prod/v1/{path} HTTP/1.1"));
        assert_eq!(asked.body, format!("{{{names}{amount}}}"));
        let mut headers: Vec<_> = asked.headers.iter().map(String::as_str).collect();
        headers.sort_unstable();
        let signed = asked.header("authorization").unwrap();
        assert!(signed.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260308/eu-west-1/execute-api/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature="
        ));
        let expected = [
            "accept: */*".to_owned(),
            format!("authorization: {signed}"),
            format!("content-length: {}", asked.body.len()),
            "content-type: application/json".to_owned(),
            format!("host: 127.0.0.1:{}", server.port),
            concat!("user-agent: tripsettle/", env!("CARGO_PKG_VERSION")).to_owned(),
            "x-amz-date: 20260308T100000Z".to_owned(),
        ];
        assert_eq!(headers, expected);
    }
}

#[tokio::test]
async fn check_tells_who_answered() {
    let unknown = r#"{"errorMsg":"UnknownShoppingTrip"}"#;
    let token = r#"{"message":"The security token included in the request is invalid."}"#;
    let date = "Date: Sun, 08 Mar 2026 09:30:00 GMT";
    let rows = [
        (
            answer(400, &[date], unknown),
            "UnknownShoppingTrip 2026-03-08T09:30:00Z",
        ),
        (answer(429, &[date], ""), "throttled 2026-03-08T09:30:00Z"),
        (
            answer(403, &[date], token),
            "the payment service refused our credentials: The security token included in the \
             request is invalid. (its clock: 2026-03-08T09:30:00Z)",
        ),
        (
            answer(404, &[], PAGE),
            "is this the payment service? HTTP 404",
        ),
        (
            answer(502, &[], PAGE),
            "the payment service could not be asked: HTTP 502",
        ),
    ];
    for (served, expected) in rows {
        let server = Server::saying(&served);
        let said = match client(&server.url(), LONG).probe().await {
            Ok(probe) => format!("{} {}", probe.words, probe.service_clock.unwrap()),
            Err(error) => error.to_string(),
        };
        assert!(said.starts_with(expected), "{said}");
        let asked = server.asked();
        assert_eq!(
            asked[0].line,
            "POST /v1/payment/transactional-data HTTP/1.1"
        );
        assert_eq!(asked.len(), 1);
    }
}

//! What the headers of an answer tell: the service's clock, and how long it wants us to wait.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::domain::Timestamp;

/// No pause is longer than a day, whatever a header says.
const LONGEST_PAUSE_MS: u64 = 86_400_000;

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn instant(date: &str) -> Option<Timestamp> {
    let at: SystemTime = httpdate::parse_http_date(date).ok()?;
    let ms = at.duration_since(UNIX_EPOCH).ok()?.as_millis();
    i64::try_from(ms).ok().map(Timestamp::of_ms)
}

/// The instant of the `Date` header.
pub(super) fn service_clock(headers: &HeaderMap) -> Option<Timestamp> {
    text(headers, DATE).and_then(instant)
}

/// The pause that `Retry-After` asks for, in milliseconds: seconds, or a date as seen from the
/// service's own clock (from ours, `now`, if it tells none). Anything else asks for nothing; of
/// several the longest counts, for a service and its gateway may each have added theirs.
pub(super) fn retry_after_ms(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let from = service_clock(headers).unwrap_or(now);
    let asked = headers.get_all(RETRY_AFTER).iter();
    let asked = asked.filter_map(|value| value.to_str().ok());
    asked.filter_map(|asked| pause_ms(asked.trim(), from)).max()
}

fn pause_ms(asked: &str, from: Timestamp) -> Option<u64> {
    let ms = if !asked.is_empty() && asked.bytes().all(|b| b.is_ascii_digit()) {
        // Only a number beyond 64 bits fails here, and it asks for more than a day.
        asked.parse().unwrap_or(u64::MAX).saturating_mul(1_000)
    } else {
        u64::try_from(instant(asked)?.ms_since(from)).ok()?
    };
    Some(ms.min(LONGEST_PAUSE_MS))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_read_in_both_its_forms() {
        let now = Timestamp::parse("2026-03-08T10:00:00Z").unwrap();
        let service = Some("Sun, 08 Mar 2026 09:59:00 GMT");
        let rows = [
            ("600", None, Some(600_000)),
            (" 5 ", None, Some(5_000)),
            ("0", None, Some(0)),
            ("86400", None, Some(86_400_000)),
            ("86401", None, Some(86_400_000)),
            ("99999999999999999999999", None, Some(86_400_000)),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
            ("", None, None),
            ("Sun, 08 Mar 2026 10:00:30 GMT", None, Some(30_000)),
            ("Sun, 08 Mar 2026 10:00:30 GMT", service, Some(90_000)),
            ("Sun, 08 Mar 2026 09:00:00 GMT", None, None),
            ("Fri, 08 Mar 2030 10:00:00 GMT", None, Some(86_400_000)),
        ];
        for (asked, date, pause) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(asked));
            date.map(|date| headers.insert(DATE, HeaderValue::from_static(date)));
            assert_eq!(retry_after_ms(&headers, now), pause, "{asked:?} {date:?}");
        }
        assert_eq!(retry_after_ms(&HeaderMap::new(), now), None);
    }

    #[test]
    fn of_several_pauses_the_longest_counts() {
        let now = Timestamp::parse("2026-03-08T10:00:00Z").unwrap();
        let date = "Sun, 08 Mar 2026 10:00:30 GMT";
        let rows: [(&[&'static str], Option<u64>); 3] = [
            (&["1", "600", "soon"], Some(600_000)),
            (&["soon", date, "1"], Some(30_000)),
            (&["soon", "-1"], None),
        ];
        for (asked, pause) in rows {
            let mut headers = HeaderMap::new();
            for value in asked {
                headers.append(RETRY_AFTER, HeaderValue::from_static(value));
            }
            assert_eq!(retry_after_ms(&headers, now), pause, "{asked:?}");
        }
    }
}

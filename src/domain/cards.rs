//! Card numbers must reach no log, database, file or mail: one place finds them and hides them.

use std::borrow::Cow;

/// What stands where a card number stood.
pub const HIDDEN: &str = "[card number hidden]";

const MOST_DIGITS: usize = 19;

fn luhn(digits: &[u8]) -> bool {
    let mut sum: u32 = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let value = u32::from(digit.saturating_sub(b'0'));
        let doubled = value.saturating_mul(2);
        let part = match (place % 2, doubled > 9) {
            (0, _) => value,
            (_, true) => doubled.saturating_sub(9),
            (_, false) => doubled,
        };
        sum = sum.saturating_add(part);
    }
    sum.is_multiple_of(10)
}

/// True for a run of 13 to 19 digits that passes the Luhn check, also when the digits stand in
/// groups parted by single blanks or hyphens.
pub fn looks_like_card_number(text: &str) -> bool {
    matches!(hide_card_numbers(text), Cow::Owned(_))
}

/// The text with every card number replaced by [`HIDDEN`]; borrowed when there was none.
///
/// A card number is 13 to 19 digits that pass the Luhn check: a run of digits, also in groups
/// parted by single blanks or hyphens. What follows one in the same manner, such as its expiry
/// date, does not save it; what a magnetic stripe holds behind it is hidden with it. Longer
/// numbers (numeric ids) are left alone.
/// UUIDs are left alone too: two in a thousand have such a run by chance, and no trip may be lost
/// for its name.
pub fn hide_card_numbers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut kept, mut i) = (0_usize, 0_usize);
    while i < bytes.len() {
        if is_uuid_at(bytes, i) {
            i = i.saturating_add(UUID_BYTES);
            continue;
        }
        if !bytes[i].is_ascii_digit() {
            i = i.saturating_add(1);
        } else if let Some(end) = card_at(bytes, i) {
            out.push_str(&text[kept..i]);
            out.push_str(HIDDEN);
            let end = track_end(bytes, end);
            (kept, i) = (end, end);
        } else {
            let digits = bytes[i..].iter().take_while(|byte| byte.is_ascii_digit());
            i = i.saturating_add(digits.count());
        }
    }
    if kept == 0 && out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// Where the rest of a magnetic stripe ends that begins behind a card number, at `end`: track 1
/// goes on with `^` and the holder's name, track 2 with `=` (or `D`) and digits.
fn track_end(bytes: &[u8], end: usize) -> usize {
    let rest = bytes.get(end..).unwrap_or_default();
    let length = match rest {
        [b'^', ..] => {
            let stripe = rest.iter().take_while(|byte| **byte != b'?');
            stripe.count()
        }
        [b'=' | b'D', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => {
            let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
            digits.count().saturating_add(1)
        }
        _ => 0,
    };
    end.saturating_add(length)
}

const UUID_BYTES: usize = 36;

/// True where a whole UUID begins: 8-4-4-4-12 hexadecimal digits, no letter or digit around them.
fn is_uuid_at(bytes: &[u8], start: usize) -> bool {
    let end = start.saturating_add(UUID_BYTES);
    let Some(text) = bytes.get(start..end) else {
        return false;
    };
    let before = start.checked_sub(1).and_then(|before| bytes.get(before));
    let parted = |byte: Option<&u8>| !byte.is_some_and(u8::is_ascii_alphanumeric);
    let shaped = |(place, byte): (usize, &u8)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    parted(before) && parted(bytes.get(end)) && text.iter().enumerate().all(shaped)
}

/// Where the card number ends that begins at `start`, where a group of digits begins.
fn card_at(bytes: &[u8], start: usize) -> Option<usize> {
    let digit = |at: usize| bytes.get(at).copied().filter(u8::is_ascii_digit);
    let joined = |at: usize| {
        let before = at.checked_sub(1).and_then(digit);
        let parted = matches!(bytes.get(at), Some(b' ' | b'-'));
        before.is_some() && parted && digit(at.saturating_add(1)).is_some()
    };
    let in_the_middle = start.checked_sub(1).is_some_and(joined);
    let (mut digits, mut groups) = (Vec::new(), vec![0_usize]);
    let (mut at, mut found) = (start, None);
    while digits.len() <= MOST_DIGITS {
        if let Some(digit) = digit(at) {
            digits.push(digit);
            if let Some(last) = groups.last_mut() {
                *last = last.saturating_add(1);
            }
            at = at.saturating_add(1);
            continue;
        }
        let whole = !in_the_middle && !joined(at);
        if is_card(&digits) && (whole || laid_out(&groups)) {
            found = Some(at);
        }
        if !joined(at) {
            break;
        }
        groups.push(0);
        at = at.saturating_add(1);
    }
    found
}

fn is_card(digits: &[u8]) -> bool {
    // No issuer's numbers begin with 0, but EMV ids in hex often run on in zeros.
    let issued = digits.first() != Some(&b'0');
    issued && (13..=MOST_DIGITS).contains(&digits.len()) && luhn(digits)
}

/// The groups in which cards show their numbers; one alone is a number by itself.
fn laid_out(groups: &[usize]) -> bool {
    matches!(
        groups,
        [_] | [4, 4, 4, 4] | [4, 4, 4, 4, 3] | [4, 6, 4] | [4, 6, 5]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_hidden_and_other_numbers_are_not() {
        let rows = [
            ("pan 4111111111111111 seen", "pan [card number hidden] seen"),
            ("4111 1111 1111 1111", HIDDEN),
            ("4111-1111-1111-1111!", "[card number hidden]!"),
            (
                "%B4111111111111111^DOE/J ^3012101?;",
                "%B[card number hidden]?;",
            ),
            ("%B4111111111111111^DOE/J", "%B[card number hidden]"),
            (
                ";4111111111111111=3012101123? x",
                ";[card number hidden]? x",
            ),
            ("4111111111111111D3012101F", "[card number hidden]F"),
            ("4111111111111111=Débit", "[card number hidden]=Débit"),
            ("card=4111111111111111^é", "card=[card number hidden]"),
            ("4111111111111111 12/27", "[card number hidden] 12/27"),
            ("4111 1111 1111 1111 1227", "[card number hidden] 1227"),
            ("no 7 4111-1111-1111-1111", "no 7 [card number hidden]"),
            ("3782 822463 10005 12", "[card number hidden] 12"),
            (
                "4111111111111111 5555555555554444",
                "[card number hidden] [card number hidden]",
            ),
            (
                "a4111111-1111-1111-1abc-0123456789ab",
                "a4111111-1111-1111-1abc-0123456789ab",
            ),
            (
                "a4111111-1111-1111-1abc-0123456789ab5",
                "a[card number hidden]abc-0123456789ab5",
            ),
            ("4111111111111112", "4111111111111112"),
            ("41111111111111114111", "41111111111111114111"),
            ("20260308-123456-0001-77", "20260308-123456-0001-77"),
            ("411111", "411111"),
            ("2026-03-08T10:00:00Z", "2026-03-08T10:00:00Z"),
            ("", ""),
        ];
        for (text, shown) in rows {
            assert_eq!(hide_card_numbers(text), shown);
        }
    }
}

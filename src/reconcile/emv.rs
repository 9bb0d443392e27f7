//! The transactional data against EMV's own rules.
//!
//! Values never stand in a break's text, only the names of fields.

use crate::domain::{Break, BreakKind, Currency, TransactionalData};

use super::worded;

/// EMV 8A values that are approvals, as text and as the hex of the same two characters.
const APPROVALS: [&str; 12] = [
    "00", "08", "10", "11", "Y1", "Y3", "3030", "3038", "3130", "3131", "5931", "5933",
];

/// The breaks that the data of a captured trip brings by itself.
pub(super) fn breaks(data: &TransactionalData, currency: Currency) -> Vec<Break> {
    let malformed: Vec<String> = malformed_fields(data).collect();
    let is_code = |text: &&str| currency_code(text);
    let other = present(&data.currency).filter(is_code);
    let other = other.filter(|code| *code != currency.code());
    let differs = other.map(|code| {
        let detail = format!("currency: the data says {code}, the capture is in {currency}");
        worded(BreakKind::CurrencyDiffers, detail)
    });
    let declined = present(&data.authorization_response_code).filter(|code| response_code(code));
    let declined = declined.filter(|code| !is_approval(code)).map(|code| {
        let detail = format!("authorization_response_code: {code} is not an approval");
        worded(BreakKind::ResponseCodeNotApproved, detail)
    });
    let cryptogram = present(&data.cryptogram_information).filter(|hex| is_aac(hex));
    let cryptogram = cryptogram.map(|hex| {
        let detail = format!("cryptogram_information: {hex} means that the card declined");
        worded(BreakKind::CryptogramDeclined, detail)
    });
    let malformed =
        (!malformed.is_empty()).then(|| worded(BreakKind::MalformedField, malformed.join("; ")));
    let all = [differs, declined, cryptogram, malformed];
    all.into_iter().flatten().collect()
}

/// The field's text, unless it is blank: an empty field is an absent one.
fn present(field: &Option<String>) -> Option<&str> {
    let text = field.as_deref()?;
    (!text.trim().is_empty()).then_some(text)
}

fn malformed_fields(data: &TransactionalData) -> impl Iterator<Item = String> {
    type Rule = fn(&str) -> bool;
    let fields: [(&str, &Option<String>, Rule, &str); 8] = [
        ("card_last4", &data.card_last4, four_digits, "4 digits"),
        (
            "application_id",
            &data.application_id,
            aid,
            "10 to 32 hex digits",
        ),
        (
            "authorization_response_code",
            &data.authorization_response_code,
            response_code,
            "2 letters or digits, or 4 hex digits",
        ),
        (
            "cryptogram_information",
            &data.cryptogram_information,
            |text| hex(text, 2..=2),
            "2 hex digits",
        ),
        (
            "cvm_result",
            &data.cvm_result,
            |text| hex(text, 6..=6),
            "6 hex digits",
        ),
        (
            "pan_sequence_number",
            &data.pan_sequence_number,
            |text| text.len() == 2 && digits(text),
            "2 digits",
        ),
        (
            "terminal_id",
            &data.terminal_id,
            terminal,
            "1 to 16 plain characters",
        ),
        (
            "currency",
            &data.currency,
            currency_code,
            "3 capital letters",
        ),
    ];
    let malformed = fields.into_iter().filter_map(|(name, field, rule, form)| {
        let text = present(field)?;
        (!rule(text)).then(|| format!("{name} is not {form}"))
    });
    let hidden = data.hidden.iter();
    let hidden = hidden.map(|name| format!("{name} held what looks like a card number"));
    malformed.chain(hidden.collect::<Vec<_>>())
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn four_digits(text: &str) -> bool {
    text.len() == 4 && digits(text)
}

fn hex(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn aid(text: &str) -> bool {
    hex(text, 10..=32) && text.len().is_multiple_of(2)
}

fn terminal(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

fn currency_code(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn response_code(text: &str) -> bool {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphanumeric())) || hex(text, 4..=4)
}

fn is_approval(code: &str) -> bool {
    APPROVALS
        .iter()
        .any(|approval| approval.eq_ignore_ascii_case(code))
}

/// The two highest bits of 9F27 are 00: an application authentication cryptogram, a decline.
fn is_aac(text: &str) -> bool {
    let byte = Some(text).filter(|text| hex(text, 2..=2));
    let byte = byte.and_then(|text| u8::from_str_radix(text, 16).ok());
    byte.is_some_and(|byte| byte & 0b1100_0000 == 0)
}

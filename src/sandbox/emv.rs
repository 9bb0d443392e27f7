//! EMV data: what the service tells of the card after a capture.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The answer to GetTransactionalData; what is `None` is left out of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EmvData {
    /// `VISA`
    pub brand: Option<String>,
    /// `EMV_9F39_05`
    pub pos_entry_mode: Option<String>,
    /// `USD`
    pub currency: Option<String>,
    /// Two characters, tag 8A.
    pub authorization_response_code: Option<String>,
    /// Two hex digits, tag 9F27.
    pub cryptogram_information_data: Option<String>,
    /// The card's last four digits.
    pub tail: Option<String>,
    /// Two digits, tag 5F34.
    pub pan_sequence_number: Option<String>,
    /// The AID, 10 to 32 hex digits.
    pub application_id: Option<String>,
    /// Until when the card is good.
    pub expiration_date: Option<ExpirationDate>,
    /// Six hex digits, tag 9F34.
    pub cardholder_verification_method_result: Option<String>,
    /// `12345678`
    pub terminal_id: Option<String>,
    /// `ABC123456789`
    pub reconciliation_id: Option<String>,
    /// `TXN987654321`
    pub card_statement_transaction_id: Option<String>,
}

/// Until when a card is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpirationDate {
    /// Four digits.
    pub expiration_year: String,
    /// Two digits.
    pub expiration_month: String,
}

const CARDS: [(&str, &str); 4] = [
    ("VISA", "A0000000031010"),
    ("MASTERCARD", "A0000000041010"),
    ("AMEX", "A000000025010801"),
    ("DISCOVER", "A0000001523010"),
];
/// Mostly contactless and chip, as at a gate; now and then a fallback or a stripe.
const ENTRY_MODES: [&str; 8] = ["07", "07", "07", "07", "05", "05", "80", "02"];
const VERIFICATIONS: [&str; 3] = ["1F0302", "420300", "5E0300"];

impl EmvData {
    /// The card of a trip: always the same for the same seed and trip.
    pub(super) fn of(seed: u64, trip: &str, currency: &str) -> Self {
        let number = |what: &str| number(seed, trip, what);
        let (brand, application_id) = pick(number("card"), CARDS);
        let expiration_date = ExpirationDate {
            expiration_year: format!("{}", 2027 + number("year") % 5),
            expiration_month: format!("{:02}", 1 + number("month") % 12),
        };
        let entry_mode = format!("EMV_9F39_{}", pick(number("entry"), ENTRY_MODES));
        let statement_id = format!("TXN{:09}", number("statement") % 1_000_000_000);
        let text = |text: &str| Some(text.to_owned());
        Self {
            brand: text(brand),
            pos_entry_mode: Some(entry_mode),
            currency: text(currency),
            authorization_response_code: text("00"),
            cryptogram_information_data: text(pick(number("cryptogram"), ["80", "40"])),
            tail: Some(format!("{:04}", number("tail") % 10_000)),
            pan_sequence_number: text(pick(number("sequence"), ["00", "01"])),
            application_id: text(application_id),
            expiration_date: Some(expiration_date),
            cardholder_verification_method_result: text(pick(number("cvm"), VERIFICATIONS)),
            terminal_id: Some(format!("{:08}", number("terminal") % 100_000_000)),
            reconciliation_id: Some(reconciliation_id(number("reconciliation"))),
            card_statement_transaction_id: Some(statement_id),
        }
    }

    /// The JSON body.
    pub(super) fn json(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(fields) = &mut value {
            fields.retain(|_, field| !field.is_null());
        }
        value.to_string()
    }
}

/// A number that looks thrown and never changes.
fn number(seed: u64, trip: &str, what: &str) -> u64 {
    let hash = Sha256::digest(format!("{seed}/{trip}/{what}"));
    let bytes = hash.iter().take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn pick<T: Default, const N: usize>(number: u64, from: [T; N]) -> T {
    let at = number % u64::try_from(N).unwrap_or(1).max(1);
    let at = usize::try_from(at).unwrap_or_default();
    from.into_iter().nth(at).unwrap_or_default()
}

/// Twelve of 0-9 A-Z.
fn reconciliation_id(number: u64) -> String {
    let digits = (0..12).map(|place| number / 36_u64.pow(place) % 36);
    let digits = digits.filter_map(|digit| char::from_digit(u32::try_from(digit).ok()?, 36));
    digits.map(|digit| digit.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trip_keeps_its_card_and_another_has_another() {
        let card = |seed, trip| EmvData::of(seed, trip, "USD");
        assert_eq!(card(1, "s/a"), card(1, "s/a"));
        assert_ne!(card(1, "s/a"), card(1, "s/b"));
        assert_ne!(card(1, "s/a"), card(2, "s/a"));
    }

    #[test]
    fn the_fields_have_the_widths_of_the_examples() {
        for trip in 0..200 {
            let data = EmvData::of(7, &format!("s/{trip}"), "EUR");
            let date = data.expiration_date.clone().unwrap();
            let rows = [
                (Some(date.expiration_year), 4),
                (Some(date.expiration_month), 2),
                (data.pos_entry_mode, 11),
                (data.currency, 3),
                (data.authorization_response_code, 2),
                (data.cryptogram_information_data, 2),
                (data.tail, 4),
                (data.pan_sequence_number, 2),
                (data.cardholder_verification_method_result, 6),
                (data.terminal_id, 8),
                (data.reconciliation_id, 12),
                (data.card_statement_transaction_id, 12),
            ];
            for (field, width) in rows {
                assert_eq!(field.as_ref().map(String::len), Some(width), "{field:?}");
            }
        }
    }

    #[test]
    fn a_field_without_a_value_is_left_out() {
        let brand = Some("VISA".to_owned());
        let data = EmvData {
            brand,
            ..EmvData::default()
        };
        assert_eq!(data.json(), r#"{"brand":"VISA"}"#);
    }
}

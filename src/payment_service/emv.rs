//! The transactional data of a capture: an allow list, so that what is not named here, the card's
//! expiry above all, is dropped while it is read.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::object;
use super::words::line;
use crate::domain::TransactionalData;
use crate::domain::cards::looks_like_card_number;

/// The longest value that is kept, in characters.
const LONGEST: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    brand: Option<&'a RawValue>,
    tail: Option<&'a RawValue>,
    pos_entry_mode: Option<&'a RawValue>,
    application_id: Option<&'a RawValue>,
    authorization_response_code: Option<&'a RawValue>,
    cryptogram_information_data: Option<&'a RawValue>,
    cardholder_verification_method_result: Option<&'a RawValue>,
    pan_sequence_number: Option<&'a RawValue>,
    terminal_id: Option<&'a RawValue>,
    currency: Option<&'a RawValue>,
    reconciliation_id: Option<&'a RawValue>,
    card_statement_transaction_id: Option<&'a RawValue>,
}

/// The allow-listed fields of the body of a 200.
pub(super) fn transactional_data(body: &[u8]) -> Result<TransactionalData, String> {
    let fields: Fields = object(body)?;
    let mut hidden = Vec::new();
    let mut kept = |name: &str, raw: Option<&RawValue>| -> Result<Option<String>, String> {
        let text = match raw.map(|raw| text(raw.get())) {
            Some(text) => text.ok_or_else(|| format!("`{name}` is not text"))?,
            None => return Ok(None),
        };
        if looks_like_card_number(&text) {
            hidden.push(name.to_owned());
            return Ok(None);
        }
        Ok(Some(line(&text, LONGEST)).filter(|text| !text.is_empty()))
    };
    let data = TransactionalData {
        brand: kept("brand", fields.brand)?,
        card_last4: kept("tail", fields.tail)?.map(|tail| last_four(&tail)),
        entry_mode: kept("posEntryMode", fields.pos_entry_mode)?,
        application_id: kept("applicationId", fields.application_id)?,
        authorization_response_code: kept(
            "authorizationResponseCode",
            fields.authorization_response_code,
        )?,
        cryptogram_information: kept(
            "cryptogramInformationData",
            fields.cryptogram_information_data,
        )?,
        cvm_result: kept(
            "cardholderVerificationMethodResult",
            fields.cardholder_verification_method_result,
        )?,
        pan_sequence_number: kept("panSequenceNumber", fields.pan_sequence_number)?,
        terminal_id: kept("terminalId", fields.terminal_id)?,
        currency: kept("currency", fields.currency)?,
        reconciliation_id: kept("reconciliationId", fields.reconciliation_id)?,
        card_statement_transaction_id: kept(
            "cardStatementTransactionId",
            fields.card_statement_transaction_id,
        )?,
        hidden: Vec::new(),
    };
    Ok(TransactionalData { hidden, ..data })
}

/// A string's text; of a number or a truth value the token, as leading zeros are long gone then.
fn text(token: &str) -> Option<String> {
    match token.as_bytes().first()? {
        b'"' => serde_json::from_str(token).ok(),
        b'{' | b'[' => None,
        _ => Some(token.to_owned()),
    }
}

/// Whatever more the service sends, no more than four digits of a card are kept.
fn last_four(tail: &str) -> String {
    let surplus = tail.chars().count().saturating_sub(4);
    tail.chars().skip(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = r#"{"brand":"VISA","posEntryMode":"EMV_9F39_05","currency":"USD",
        "authorizationResponseCode":"00","cryptogramInformationData":"80","tail":"1234",
        "panSequenceNumber":"01","applicationId":"A0000000031010",
        "expirationDate":{"expirationYear":"2025","expirationMonth":"12"},
        "cardholderVerificationMethodResult":"420300","terminalId":"12345678",
        "reconciliationId":"ABC123456789","cardStatementTransactionId":"TXN987654321"}"#;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_documented_example_is_kept_but_for_the_expiry() {
        let data = transactional_data(DOCUMENTED.as_bytes()).unwrap();
        let expected = TransactionalData {
            brand: some("VISA"),
            card_last4: some("1234"),
            entry_mode: some("EMV_9F39_05"),
            application_id: some("A0000000031010"),
            authorization_response_code: some("00"),
            cryptogram_information: some("80"),
            cvm_result: some("420300"),
            pan_sequence_number: some("01"),
            terminal_id: some("12345678"),
            currency: some("USD"),
            reconciliation_id: some("ABC123456789"),
            card_statement_transaction_id: some("TXN987654321"),
            hidden: Vec::new(),
        };
        assert_eq!(data, expected);
        assert!(!format!("{data:?}").contains("2025"));
    }

    #[test]
    fn odd_values_are_kept_as_text_or_dropped_but_never_a_card_number() {
        let long = "x".repeat(300);
        let rows = [
            (r#"{"brand":null}"#.to_owned(), None, vec![]),
            (r#"{"brand":""}"#.to_owned(), None, vec![]),
            (
                r#"{"brand":" a\nb\u0000 "}"#.to_owned(),
                some("a b"),
                vec![],
            ),
            (r#"{"brand":7.50}"#.to_owned(), some("7.50"), vec![]),
            (r#"{"brand":true}"#.to_owned(), some("true"), vec![]),
            (
                r#"{"brand":"4111 1111-1111 1111"}"#.to_owned(),
                None,
                vec!["brand"],
            ),
            (
                r#"{"brand":4111111111111111}"#.to_owned(),
                None,
                vec!["brand"],
            ),
            (
                format!(r#"{{"brand":"{long}"}}"#),
                some(&long[..255]),
                vec![],
            ),
        ];
        for (body, brand, hidden) in rows {
            let data = transactional_data(body.as_bytes()).unwrap();
            assert_eq!(
                (data.brand, data.hidden),
                (brand, hidden.iter().map(|h| h.to_string()).collect()),
                "{body}"
            );
        }
        let tail = transactional_data(br#"{"tail":"411111******1234"}"#).unwrap();
        assert_eq!(tail.card_last4, some("1234"));
        assert!(transactional_data(b"{}").unwrap().is_empty());
        for unreadable in [
            "",
            "[]",
            r#"{"brand":{}}"#,
            r#"{"tail":"1","tail":"2"}"#,
            "{",
        ] {
            assert!(
                transactional_data(unreadable.as_bytes()).is_err(),
                "{unreadable}"
            );
        }
    }
}

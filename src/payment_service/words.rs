//! Text from outside on its way into a reply: one line, cut, and free of card numbers.

use std::borrow::Cow;
use std::error::Error;

use crate::domain::cards::hide_card_numbers;
use crate::planted::{self, Bug};

/// The longest text that a reply carries, in characters.
const LONGEST: usize = 200;
/// What TLS says of an authority that it does not know, as behind a proxy that opens TLS.
const STRANGER: &str = "UnknownIssuer";
/// What helps, above all where `aws` works on the same machine.
const ROOTS: &str = "the certificate is signed by none of this machine's root certificates \
                     (SSL_CERT_FILE names others; AWS_CA_BUNDLE is not read)";

/// `text` as a line of at most `longest` characters without a card number in it.
pub(super) fn line(text: &str, longest: usize) -> String {
    // Hidden before it is cut: half a card number would no longer be known for one.
    let hidden = match planted::is(Bug::CardNumberKept) {
        true => Cow::Borrowed(text),
        false => hide_card_numbers(text),
    };
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = hidden
        .split(blank)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(longest).collect()
}

/// `text` as a reply carries it.
pub(super) fn words(text: &str) -> String {
    line(text, LONGEST)
}

/// An error with its causes, as a reply carries it; what helps comes first, where it is not cut.
pub(super) fn causes(error: &dyn Error) -> String {
    words(&with_causes(error))
}

/// An error with its causes, as they are.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    if text.contains(STRANGER) {
        text = format!("{ROOTS}: {text}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_none_of_ours_comes_with_what_helps() {
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let said = causes(&std::io::Error::other(unknown));
        assert!(said.contains("SSL_CERT_FILE"), "{said}");
        assert!(
            said.ends_with(": invalid peer certificate: UnknownIssuer"),
            "{said}"
        );
        let expired = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        assert!(!causes(&expired).contains("SSL_CERT_FILE"));
    }

    #[test]
    fn what_others_say_becomes_one_short_line_without_card_numbers() {
        let rows = [
            ("UnknownShoppingTrip", "UnknownShoppingTrip"),
            (" two\r\n lines\t\u{0} ", "two lines"),
            (
                "4111 1111 1111 1111 declined",
                "[card number hidden] declined",
            ),
            ("", ""),
        ];
        for (said, kept) in rows {
            assert_eq!(words(said), kept);
        }
        let long = format!("{}4111111111111111", "é".repeat(190));
        assert_eq!(words(&long), format!("{}[card numb", "é".repeat(190)));
    }
}

//! The journal's head: kept elsewhere, it proves everything before it.

use std::fmt::{self, Write};
use std::str::FromStr;

/// The journal's end at some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The last event's place; 0 for an empty journal.
    pub seq: i64,
    /// The hash that its last event carries; zeros for an empty journal.
    pub hash: [u8; 32],
}

impl Head {
    /// The hash as hexadecimal digits in groups of eight, so that it never looks like the number
    /// of a card.
    pub fn hash_text(&self) -> String {
        let mut text = String::with_capacity(71);
        for (place, byte) in self.hash.iter().enumerate() {
            let dot = if place > 0 && place % 4 == 0 { "." } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{dot}{byte:02x}");
        }
        text
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash_text())
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a head such as 1234:<64 hexadecimal digits, with or without dots>"
            )
        };
        let (seq, hex) = text.trim().split_once(':').ok_or_else(wrong)?;
        let seq = seq.parse().map_err(|_| wrong())?;
        let mut head = Self { seq, hash: [0; 32] };
        let hex = hex.replace('.', "");
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return Err(wrong());
        }
        for (byte, pair) in head.hash.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let mut head = Head {
            seq: 1234,
            hash: [0x11; 32],
        };
        head.hash[0] = 0xa5;
        assert_eq!(head.to_string().parse(), Ok(head));
        assert_eq!(head.to_string().replace('.', "").parse(), Ok(head));
        assert!(!crate::domain::cards::looks_like_card_number(
            &head.to_string()
        ));
        let zeros = "0".repeat(64);
        for text in [
            "",
            "1234",
            "1234:",
            "x:00",
            &format!("1:{zeros}0"),
            &format!("1:{}é", &zeros[2..]),
        ] {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
    }
}

//! Who says something that goes into the journal, and why.

use crate::domain::cards::looks_like_card_number;

use super::exit::Failure;

/// The longest name that is kept, in characters.
const NAME: usize = 200;
/// The longest reason.
const REASON: usize = 1_000;

/// Refuses a word without a name or a reason, one that goes on for too long for anybody to read it
/// in a table, and one with what looks like a card number in it.
///
/// # Errors
/// As `usage`.
pub fn is_signed(by: &str, note: &str) -> Result<(), Failure> {
    if by.trim().is_empty() || note.trim().is_empty() {
        return Err(Failure::usage(
            "this needs a name and a reason: --by and --note, or the columns `by` and `note`",
        ));
    }
    for (what, text, most) in [("name", by, NAME), ("reason", note, REASON)] {
        let found = text.trim().chars().count();
        if found > most {
            let why = format!(
                "the {what} has {found} characters, and at most {most} are kept; say it shorter"
            );
            return Err(Failure::usage(why));
        }
    }
    if looks_like_card_number(by) || looks_like_card_number(note) {
        return Err(Failure::usage(
            "the name or the reason holds what looks like a card number, which is never kept; \
             leave it out",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_reason_are_as_long_as_a_person_reads() {
        let of = |length: usize| "ö".repeat(length);
        for (by, note, expected) in [
            (200, 1_000, None),
            (
                201,
                1,
                Some("the name has 201 characters, and at most 200 are kept"),
            ),
            (
                1,
                1_001,
                Some("the reason has 1001 characters, and at most 1000 are kept"),
            ),
            (0, 1, Some("needs a name and a reason")),
        ] {
            let said = is_signed(&of(by), &of(note)).map_err(|refused| refused.message);
            match (expected, said) {
                (None, Ok(())) => {}
                (Some(words), Err(message)) => assert!(message.contains(words), "{message}"),
                (_, said) => panic!("{by} {note}: {said:?}"),
            }
        }
    }
}

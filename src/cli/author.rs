//! Who says something that goes into the journal, and why.

use crate::domain::cards::hide_card_numbers;

use super::exit::Failure;

/// Refuses a word without a name or a reason, and one with what looks like a card number in it.
///
/// # Errors
/// As `usage`.
pub fn is_signed(by: &str, note: &str) -> Result<(), Failure> {
    if by.trim().is_empty() || note.trim().is_empty() {
        return Err(Failure::usage(
            "this needs a name and a reason: --by and --note, or the columns `by` and `note`",
        ));
    }
    let has_card = |text: &str| hide_card_numbers(text) != text;
    if has_card(by) || has_card(note) {
        return Err(Failure::usage(
            "the name or the reason holds what looks like a card number, which is never kept; \
             leave it out",
        ));
    }
    Ok(())
}

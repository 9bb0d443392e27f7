//! Names: stores, trips, processors, runs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name that does not have the form the payment service or we require.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a {what}: 1 to 255 of 0-9 a-z A-Z _ -")]
pub struct BadName {
    what: &'static str,
    shown: String,
}

fn well_formed(text: &str, what: &'static str) -> Result<Box<str>, BadName> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if (1..=255).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(text.into());
    }
    Err(BadName {
        what,
        shown: text.chars().take(40).collect(),
    })
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Box<str>);

        impl $type {
            /// Checks and takes the name.
            ///
            /// # Errors
            /// Empty, longer than 255 bytes, or outside `0-9 a-z A-Z _ -`.
            pub fn of(text: &str) -> Result<Self, BadName> {
                well_formed(text, $what).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                Self::of(&text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.into()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// A store as Amazon named it at onboarding.
    StoreId,
    "store id"
);
name!(
    /// A shopping trip as the payment service knows it.
    TripId,
    "shopping trip id"
);
name!(
    /// A card processor as the configuration names it (`[processor.NAME]`).
    ProcessorName,
    "processor name"
);
name!(
    /// One execution of the program (a UUIDv7, so that run ids sort by time).
    RunId,
    "run id"
);

/// A trip's full name, `STORE/TRIP_ID`. Sorts by store, then trip, in byte order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TripKey {
    /// The store.
    pub store: StoreId,
    /// The trip.
    pub trip: TripId,
}

impl fmt::Display for TripKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.store, self.trip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_alphabet_of_the_payment_service() {
        for good in ["a", "STORE_456", "store-789", "0042", &"x".repeat(255)] {
            assert!(StoreId::of(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "a b",
            "INVALID@STORE#ID",
            "a/b",
            "é",
            &"x".repeat(256),
            "=1",
        ] {
            assert!(TripId::of(bad).is_err(), "{bad}");
        }
    }
}

//! The words of the house: takes nothing, gives the types that every other room speaks.
//!
//! No I/O, no clock, no floats. If two rooms must both name a thing, it lives here.

pub mod breaks;
pub mod call;
pub mod cards;
pub mod chart;
pub mod currency;
pub mod day;
pub mod debt;
pub mod event;
pub mod evidence;
pub mod exports;
pub mod head;
pub mod ids;
pub mod mail;
pub mod money;
pub mod policy;
pub mod report;
pub mod status;
pub mod time;
pub mod trip;

pub use breaks::{Break, BreakKind, Severity};
pub use call::{Call, Heard, Reply, Stop};
pub use chart::{BookRules, Chart, Dimensions, Role, Where, WriteOffMethod};
pub use currency::{Currency, Exponents};
pub use day::{ClosedDays, DayTotal};
pub use debt::{DebtAct, DebtAge, DebtRuling, ReversedInto};
pub use event::{Elsewhere, Event, Fact, LossReason, Ruling, Verdict};
pub use evidence::{ProcessorLine, TransactionalData};
pub use exports::{
    Cell, Column, CsvTarget, ExportFormat, Exports, Field, QboTarget, Target, XeroTarget,
};
pub use head::Head;
pub use ids::{BadName, ProcessorName, RunId, StoreId, TripId, TripKey};
pub use mail::{MailUrl, MailUrlError, StartTls};
pub use money::{Money, MoneyError};
pub use policy::{DeclinePolicy, SettlementPolicy, SweepPolicy};
pub use report::GenericCsvFormat;
pub use status::{Balances, CaptureState, Standing, Status};
pub use time::{BooksDate, BusinessDate, Calendar, Clock, TimeError, Timestamp};
pub use trip::{Entry, FeedRow, OpenTrip, Rejection, Source, Trip};

/// Gives an enum its one spelling in files, database and configuration.
macro_rules! spelled {
    ($type:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The spelling used in files, the database and the configuration.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value so spelled, if there is one.
            pub fn of(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(from)?;
                Self::of(&text).ok_or_else(|| {
                    serde::de::Error::custom(format!("`{text}` is not one of the known words"))
                })
            }
        }
    };
}
pub(crate) use spelled;

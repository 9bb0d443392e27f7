//! Ratios of times, in thousandths, and their median with least and most.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::time::Duration;

/// Ratios of one time to another.
#[derive(Debug, Default)]
pub struct Ratios(Vec<u128>);

impl Ratios {
    /// Adds `time` ÷ `unit` and gives it as text.
    pub fn add(&mut self, time: Duration, unit: Duration) -> String {
        let ratio = time.as_micros() * 1000 / unit.as_micros().max(1);
        self.0.push(ratio);
        decimal(ratio)
    }

    /// Tells them; true when there are none, or the median is high enough.
    pub fn told(self, name: &str, at_least: u128) -> bool {
        let Some(median) = self.print(name) else {
            return true;
        };
        if median < at_least {
            println!("that is below {}", decimal(at_least));
        }
        median >= at_least
    }

    /// Tells them; true when there are none, or the median is low enough.
    pub fn told_at_most(self, name: &str, at_most: u128) -> bool {
        let Some(median) = self.print(name) else {
            return true;
        };
        if median > at_most {
            println!("that is above {}", decimal(at_most));
        }
        median <= at_most
    }

    fn print(mut self, name: &str) -> Option<u128> {
        self.0.sort_unstable();
        let median = *self.0.get(self.0.len() / 2)?;
        let (least, most) = (self.0.first()?, self.0.last()?);
        let (middle, least, most) = (decimal(median), decimal(*least), decimal(*most));
        println!("{name}: {middle} ({least} to {most})");
        Some(median)
    }
}

fn decimal(thousandths: u128) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

//! Progress on a terminal: trips, money, rate and remaining time. Elsewhere: silence.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::domain::{Currency, Money};
use crate::run::pass::{Quiet, Watcher};

/// The watcher that fits: a bar when standard error is a terminal and nobody asked for quiet.
pub fn watcher(quiet: bool) -> Arc<dyn Watcher> {
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    if quiet || dumb || !io::stderr().is_terminal() {
        return Arc::new(Quiet);
    }
    Arc::new(Bar::default())
}

#[derive(Default)]
struct Bar {
    bar: Mutex<Option<ProgressBar>>,
    captured: Mutex<BTreeMap<Currency, Money>>,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&ProgressBar)) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bar.as_ref() {
            act(bar);
        }
    }
}

const TEMPLATE: &str = "{bar:24} {pos}/{len} trips  {per_sec:>10}  {eta_precise} left  {msg}";

impl Watcher for Bar {
    fn begins(&self, trips: u64) {
        if trips == 0 {
            return;
        }
        let bar = ProgressBar::new(trips);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn trip(&self, captured: Money) {
        let mut sums = self.captured.lock().unwrap_or_else(PoisonError::into_inner);
        if captured.is_positive() {
            let sum = sums.entry(captured.currency());
            let sum = sum.or_insert(Money::zero(captured.currency()));
            *sum = sum.plus(captured).unwrap_or(*sum);
        }
        let money: Vec<String> = sums.values().map(ToString::to_string).collect();
        self.with(|bar| {
            bar.inc(1);
            bar.set_message(money.join(", "));
        });
    }

    fn call(&self) {}

    fn says(&self, sentence: &str) {
        self.with(|bar| bar.println(sentence));
    }

    fn ends(&self) {
        self.with(ProgressBar::finish_and_clear);
    }
}

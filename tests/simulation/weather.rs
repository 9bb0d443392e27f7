//! The weather of one life: what goes wrong on the way to the payment service, and in it.

use super::chance::Chance;

/// The four calls, in the order in which tables here have them.
pub const CALLS: [&str; 4] = ["adjust", "capture", "cancel", "transactional_data"];

pub fn place(call: &str) -> usize {
    CALLS.iter().position(|known| *known == call).unwrap()
}

/// Whether a call that was not well answered was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Yes,
    No,
    /// Some minutes later, when nobody listens any more.
    Late,
}

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The service's own answer.
    True,
    /// No connection: certainly nothing was sent.
    NotSent,
    /// The connection breaks.
    Silence,
    /// The answer comes after the client gave up.
    TooLate,
    Status(u16),
    /// The service's own answer, cut off.
    Cut,
    /// A page of a proxy, with 200.
    Page,
    /// 200 with an error object.
    ErrorObject,
    /// 429 with Retry-After in one of its forms.
    Throttle(Retry),
    /// 401 or 403, by the service or by something before it.
    Denied {
        by_service: bool,
    },
    /// A status that the service does not have.
    Strange(u16),
    /// An amount in another currency.
    OtherCurrency,
}

/// Retry-After.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    None,
    Seconds(u64),
    /// As a date, so many seconds ahead.
    Date(u64),
    Nonsense,
}

impl Shape {
    /// True when the service is bound not to have executed a call that it answers so.
    fn rules_out_effect(self) -> bool {
        match self {
            Self::NotSent | Self::Throttle(_) => true,
            Self::Denied { by_service } => by_service,
            _ => false,
        }
    }
}

/// While a window is open, what calls of these kinds meet.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub calls: [bool; 4],
    pub from: i64,
    pub to: i64,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Calls wait until the window shuts; what the client gives up is executed then, or never.
    Stall,
    Meets(Shape),
}

/// The weather of one life.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Of a hundred calls, so many go wrong.
    pub percent: [u64; 4],
    pub shapes: Vec<Shape>,
    pub windows: Vec<Window>,
    /// Milliseconds there, and back again.
    pub latency: (i64, i64),
    /// Calls that the service grants in ten seconds; 0 for any number.
    pub granted: usize,
}

impl Weather {
    pub fn calm() -> Self {
        Self {
            percent: [0; 4],
            shapes: Vec::new(),
            windows: Vec::new(),
            latency: (5, 60),
            granted: 0,
        }
    }

    /// Nothing is answered from `from` to `to`.
    pub fn outage(from: i64, to: i64, shape: Shape) -> Self {
        let (calls, what) = ([true; 4], What::Meets(shape));
        let windows = vec![Window {
            calls,
            from,
            to,
            what,
        }];
        Self {
            windows,
            ..Self::calm()
        }
    }

    pub fn is_calm(&self) -> bool {
        self.percent == [0; 4] && self.windows.is_empty() && self.granted == 0
    }
}

/// What kinds of weather a seed knows: each draws its own mix.
#[derive(Debug, Clone)]
pub struct Climate {
    shapes: Vec<Shape>,
    calm_percent: u64,
    fault_percent: u64,
    window_percent: u64,
}

const SHAPES: [Shape; 24] = [
    Shape::NotSent,
    Shape::Silence,
    Shape::Silence,
    Shape::TooLate,
    Shape::Status(500),
    Shape::Status(502),
    Shape::Status(503),
    Shape::Status(504),
    Shape::Status(408),
    Shape::Cut,
    Shape::Page,
    Shape::ErrorObject,
    Shape::Throttle(Retry::None),
    Shape::Throttle(Retry::Seconds(1)),
    Shape::Throttle(Retry::Seconds(0)),
    Shape::Throttle(Retry::Seconds(90)),
    Shape::Throttle(Retry::Date(7)),
    Shape::Throttle(Retry::Nonsense),
    Shape::Throttle(Retry::Seconds(1_200)),
    Shape::Denied { by_service: true },
    Shape::Denied { by_service: false },
    Shape::Strange(302),
    Shape::Strange(404),
    Shape::OtherCurrency,
];

impl Climate {
    pub fn calm() -> Self {
        Self {
            shapes: Vec::new(),
            calm_percent: 100,
            fault_percent: 0,
            window_percent: 0,
        }
    }

    pub fn draw(chance: &mut Chance) -> Self {
        let share = chance.pick(&[10, 30, 60, 100]);
        let mut shapes: Vec<Shape> = SHAPES.to_vec();
        shapes.retain(|_| chance.percent(share));
        Self {
            shapes,
            calm_percent: chance.pick(&[0, 10, 30, 60]),
            fault_percent: chance.pick(&[0, 1, 3, 10, 30]),
            window_percent: chance.pick(&[0, 20, 50]),
        }
    }

    /// The weather of a life that begins at `now`.
    pub fn weather(&self, chance: &mut Chance, now: i64) -> Weather {
        if chance.percent(self.calm_percent) || self.shapes.is_empty() {
            return Weather::calm();
        }
        let mut percent = [0; 4];
        for one in &mut percent {
            *one = chance.below(self.fault_percent + 1);
        }
        let mut windows = Vec::new();
        if chance.percent(self.window_percent) {
            windows = match chance.below(3) {
                0 => swizzle(chance, now),
                1 => vec![self.outage(chance, now)],
                _ => (0..3).map(|_| self.outage(chance, now)).collect(),
            };
        }
        let most = chance.pick(&[2, 40, 400, 4_000]);
        Weather {
            percent,
            shapes: self.shapes.clone(),
            windows,
            latency: (1, most),
            granted: chance.pick(&[0, 0, 0, 20, 60]),
        }
    }

    fn outage(&self, chance: &mut Chance, now: i64) -> Window {
        let from = now + chance.between(0, 20_000);
        let lasts = chance.pick(&[500, 5_000, 60_000, 1_800_000]);
        let calls = match chance.percent(50) {
            true => [true; 4],
            false => std::array::from_fn(|_| chance.percent(40)),
        };
        let what = What::Meets(chance.pick(&self.shapes));
        Window {
            calls,
            from,
            to: from + lasts,
            what,
        }
    }
}

/// Stalls one kind of call after the other, and lets them go in another order.
fn swizzle(chance: &mut Chance, now: i64) -> Vec<Window> {
    let step = chance.pick(&[100, 1_000, 10_000]);
    let mut from = now + chance.between(0, 5 * step);
    let mut windows = Vec::new();
    for place in 0..4 {
        let mut calls = [false; 4];
        calls[place] = true;
        let to = from + chance.between(step, 12 * step);
        windows.push(Window {
            calls,
            from,
            to,
            what: What::Stall,
        });
        from += step;
    }
    windows
}

/// Everything that many nights must have met, as it is counted: each shape for each call, and what
/// happens beside calls.
pub fn all_to_be_met() -> Vec<String> {
    let beside = [
        "crash",
        "another hand",
        "ruled Captured",
        "ruled NotCaptured",
        "ruled Retry",
    ];
    let mut all: Vec<String> = beside.map(str::to_owned).to_vec();
    for call in CALLS {
        all.push(format!("{call} stalled"));
        all.push(format!("late {call}"));
        all.push(format!("{call} {:?}", Shape::True));
        let shapes = SHAPES
            .iter()
            .filter(|shape| **shape != Shape::OtherCurrency);
        all.extend(shapes.map(|shape| format!("{call} {shape:?}")));
    }
    all.push(format!("adjust {:?}", Shape::OtherCurrency));
    all.sort();
    all.dedup();
    all
}

/// What one call meets.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    pub shape: Shape,
    pub effect: Effect,
    pub there: i64,
    pub back: i64,
}

impl Weather {
    /// Draws the fate of a call that is sent at `now`.
    pub fn fate(&self, chance: &mut Chance, call: usize, now: i64) -> Fate {
        let (there, back) = (self.delay(chance), self.delay(chance));
        let hit = chance.percent(self.percent[call]);
        let window = self.window(call, now).and_then(|window| match window.what {
            What::Meets(shape) => Some(shape),
            What::Stall => None,
        });
        let mut shape = match (window, hit && !self.shapes.is_empty()) {
            (Some(shape), _) => shape,
            (None, true) => chance.pick(&self.shapes),
            (None, false) => Shape::True,
        };
        // Only the answer to an Adjust has a currency.
        if shape == Shape::OtherCurrency && call != place("adjust") {
            shape = Shape::True;
        }
        let drawn = chance.pick(&[Effect::Yes, Effect::No, Effect::Late]);
        let effect = match shape {
            Shape::True | Shape::Cut | Shape::OtherCurrency => Effect::Yes,
            shape if shape.rules_out_effect() => Effect::No,
            _ => drawn,
        };
        Fate {
            shape,
            effect,
            there,
            back,
        }
    }

    fn delay(&self, chance: &mut Chance) -> i64 {
        chance.between(self.latency.0, self.latency.1)
    }

    fn window(&self, call: usize, now: i64) -> Option<Window> {
        let mut windows = self.windows.iter();
        let open = |w: &&Window| w.calls[call] && (w.from..w.to).contains(&now);
        windows.find(open).copied()
    }

    /// Until when a call of this kind is stalled, if it is.
    pub fn stalled_until(&self, call: usize, now: i64) -> Option<i64> {
        let windows = self.windows.iter().filter(|w| w.what == What::Stall);
        let open = |w: &&Window| w.calls[call] && (w.from..w.to).contains(&now);
        windows.filter(open).map(|window| window.to).max()
    }
}

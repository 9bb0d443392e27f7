//! What each event posts, row by row: written for a person who keeps books.

#![allow(clippy::unwrap_used)]

mod journal;
mod postings;

use std::collections::BTreeMap;

use journal::{Journal, money};
use postings::{about, day, days, days_by, journals, rules};
use proptest::prelude::*;
use tripsettle::books::*;
use tripsettle::domain::*;

/// `kind: debit account 1.00, … = credit account 1.00, …`, amounts without their currency.
fn told(made: &Transaction) -> String {
    let side = |sign: i64| {
        let lines = made
            .postings()
            .iter()
            .filter(|line| line.amount.minor() * sign > 0);
        let lines = lines.map(|line| {
            let amount = Money::of_minor(line.amount.minor() * sign, line.amount.currency());
            format!("{} {}", line.role, amount.decimal_text())
        });
        lines.collect::<Vec<_>>().join(", ")
    };
    format!("{}: {} = {}", made.about().kind, side(1), side(-1))
}

#[test]
fn every_event_posts_what_the_table_of_the_room_says() {
    let sales = BookRules {
        post_sales: true,
        ..rules()
    };
    for (rules, tax, story, expected) in [
        (rules(), "", "taken 20.00 USD", vec![]),
        (
            rules(),
            "",
            "taken 20.00 USD | adjust 20.00 approved",
            vec![],
        ),
        (
            rules(),
            "1.48",
            "taken 20.00 USD | adjust 20.00 approved | capture 20.00 initiated",
            vec!["capture: processor_receivable 20.00 = sales_clearing 20.00"],
        ),
        // In doubt nothing is posted; the processor's line ends it.
        (
            rules(),
            "",
            "taken 20.00 USD | adjust 20.00 approved | capture 20.00 unclear",
            vec![],
        ),
        (
            rules(),
            "",
            "taken 20.00 USD | adjust 20.00 approved | capture 20.00 unclear | line 20.00",
            vec!["capture: processor_receivable 20.00 = sales_clearing 20.00"],
        ),
        // A part is captured; the tax is in the unpaid part as it is in the cart.
        (
            rules(),
            "0.74",
            "taken 10.00 USD | adjust 10.00 declined 6.00 | capture 6.00 initiated \
             | lost 4.00 declined",
            vec![
                "capture: processor_receivable 6.00 = sales_clearing 6.00",
                "bad_debt: shopper_receivable 3.70, shopper_receivable_tax 0.30 = \
                 sales_clearing 4.00",
            ],
        ),
        (
            rules(),
            "",
            "taken 700 JPY | adjust 700 expired dead | lost 700 token_expired",
            vec!["bad_debt: shopper_receivable 700 = sales_clearing 700"],
        ),
        // A tax that cannot be one is none.
        (
            rules(),
            "9.00",
            "taken 7.00 USD | adjust 7.00 expired dead | lost 7.00 token_expired",
            vec!["bad_debt: shopper_receivable 7.00 = sales_clearing 7.00"],
        ),
        (
            rules(),
            "0.10",
            "taken 9.00 USD | adjust 9.00 declined 0.00 | lost 9.00 declined | line 9.00 \
             | found 9.00",
            vec![
                "bad_debt: shopper_receivable 8.90, shopper_receivable_tax 0.10 = \
                 sales_clearing 9.00",
                "reversal: sales_clearing 9.00 = shopper_receivable 8.90, \
                 shopper_receivable_tax 0.10",
                "capture: processor_receivable 9.00 = sales_clearing 9.00",
            ],
        ),
        (
            rules(),
            "0.53",
            "taken 7.20 USD | elsewhere cancelled",
            vec!["cancellation: cancelled_sales 6.67, tax_payable 0.53 = sales_clearing 7.20"],
        ),
        (
            rules(),
            "",
            "taken 7.20 USD | elsewhere captured 7.20",
            vec!["capture: processor_receivable 7.20 = sales_clearing 7.20"],
        ),
        (
            rules(),
            "0.74",
            "taken 10.00 USD | adjust 10.00 declined 6.00 | capture 6.00 initiated \
             | lost 4.00 declined | debt recovered 1.00 | debt written_off 3.00",
            vec![
                "capture: processor_receivable 6.00 = sales_clearing 6.00",
                "bad_debt: shopper_receivable 3.70, shopper_receivable_tax 0.30 = \
                 sales_clearing 4.00",
                "recovery: recovery_clearing 1.00 = shopper_receivable 0.92, \
                 shopper_receivable_tax 0.08",
                "write_off: bad_debt_expense 3.00 = shopper_receivable 2.78, \
                 shopper_receivable_tax 0.22",
            ],
        ),
        // What is taken back leaves nothing behind.
        (
            rules(),
            "0.74",
            "taken 10.00 USD | adjust 10.00 declined 0.00 | lost 10.00 declined \
             | debt recovered 1.00 | debt written_off 9.00 | debt taken_back 6 \
             | debt taken_back 5 | debt reversed 10.00 cancelled",
            vec![
                "bad_debt: shopper_receivable 9.26, shopper_receivable_tax 0.74 = \
                 sales_clearing 10.00",
                "recovery: recovery_clearing 1.00 = shopper_receivable 0.93, \
                 shopper_receivable_tax 0.07",
                "write_off: bad_debt_expense 9.00 = shopper_receivable 8.33, \
                 shopper_receivable_tax 0.67",
                "taken_back: shopper_receivable 8.33, shopper_receivable_tax 0.67 = \
                 bad_debt_expense 9.00",
                "taken_back: shopper_receivable 0.93, shopper_receivable_tax 0.07 = \
                 recovery_clearing 1.00",
                "reversal: sales_clearing 10.00 = shopper_receivable 9.26, \
                 shopper_receivable_tax 0.74",
                "cancellation: cancelled_sales 9.26, tax_payable 0.74 = sales_clearing 10.00",
            ],
        ),
        // Nor does it when it is taken back in another order: each is the opposite of what was.
        (
            BookRules {
                tax_relief: true,
                ..rules()
            },
            "0.74",
            "taken 10.00 USD | lost 10.00 declined | debt recovered 6.00 | debt recovered 1.00 \
             | debt written_off 3.00 | debt taken_back 4 | debt taken_back 5 \
             | debt recovered 4.00",
            vec![
                "bad_debt: shopper_receivable 9.26, shopper_receivable_tax 0.74 = \
                 sales_clearing 10.00",
                "recovery: recovery_clearing 6.00 = shopper_receivable 5.56, \
                 shopper_receivable_tax 0.44",
                "recovery: recovery_clearing 1.00 = shopper_receivable 0.92, \
                 shopper_receivable_tax 0.08",
                "write_off: bad_debt_expense 2.78, tax_payable 0.22 = shopper_receivable 2.78, \
                 shopper_receivable_tax 0.22",
                "taken_back: shopper_receivable 0.92, shopper_receivable_tax 0.08 = \
                 recovery_clearing 1.00",
                "taken_back: shopper_receivable 2.78, shopper_receivable_tax 0.22 = \
                 bad_debt_expense 2.78, tax_payable 0.22",
                "recovery: recovery_clearing 4.00 = shopper_receivable 3.70, \
                 shopper_receivable_tax 0.30",
            ],
        ),
        // A sale that is cancelled in parts is cancelled with all its tax.
        (
            rules(),
            "0.75",
            "taken 10.00 USD | lost 10.00 declined | debt reversed 1.00 cancelled \
             | debt reversed 9.00 cancelled",
            vec![
                "bad_debt: shopper_receivable 9.25, shopper_receivable_tax 0.75 = \
                 sales_clearing 10.00",
                "reversal: sales_clearing 1.00 = shopper_receivable 0.92, \
                 shopper_receivable_tax 0.08",
                "cancellation: cancelled_sales 0.93, tax_payable 0.07 = sales_clearing 1.00",
                "reversal: sales_clearing 9.00 = shopper_receivable 8.33, \
                 shopper_receivable_tax 0.67",
                "cancellation: cancelled_sales 8.32, tax_payable 0.68 = sales_clearing 9.00",
            ],
        ),
        (
            rules(),
            "",
            "taken 5.00 USD | adjust 5.00 declined 0.00 | lost 5.00 declined \
             | debt reversed 2.00 captured",
            vec![
                "bad_debt: shopper_receivable 5.00 = sales_clearing 5.00",
                "reversal: sales_clearing 2.00 = shopper_receivable 2.00",
                "capture: processor_receivable 2.00 = sales_clearing 2.00",
            ],
        ),
        // The debt stands again, and the sale was not what the reversal said.
        (
            rules(),
            "0.74",
            "taken 10.00 USD | adjust 10.00 declined 0.00 | lost 10.00 declined \
             | debt reversed 4.00 captured | debt reversed 6.00 cancelled | debt taken_back 5 \
             | debt taken_back 6 | debt written_off 10.00",
            vec![
                "bad_debt: shopper_receivable 9.26, shopper_receivable_tax 0.74 = \
                 sales_clearing 10.00",
                "reversal: sales_clearing 4.00 = shopper_receivable 3.70, \
                 shopper_receivable_tax 0.30",
                "capture: processor_receivable 4.00 = sales_clearing 4.00",
                "reversal: sales_clearing 6.00 = shopper_receivable 5.56, \
                 shopper_receivable_tax 0.44",
                "cancellation: cancelled_sales 5.56, tax_payable 0.44 = sales_clearing 6.00",
                "reversal_taken_back: shopper_receivable 3.70, shopper_receivable_tax 0.30 = \
                 processor_receivable 4.00",
                "reversal_taken_back: shopper_receivable 5.56, shopper_receivable_tax 0.44 = \
                 tax_payable 0.44, cancelled_sales 5.56",
                "write_off: bad_debt_expense 10.00 = shopper_receivable 9.26, \
                 shopper_receivable_tax 0.74",
            ],
        ),
        // Empty carts have nothing to post, lost or released.
        (
            rules(),
            "",
            "taken 0.00 USD | lost 0.00 token_expired",
            vec![],
        ),
        (rules(), "", "taken 0.00 USD | cancel initiated", vec![]),
        (
            sales,
            "1.48",
            "taken 20.00 USD | amended 10.00 | adjust 10.00 approved | capture 10.00 initiated",
            vec![
                "sale: sales_clearing 20.00 = sales 18.52, tax_payable 1.48",
                // The amended row gave no tax: it is taken back.
                "sale: sales 8.52, tax_payable 1.48 = sales_clearing 10.00",
                "capture: processor_receivable 10.00 = sales_clearing 10.00",
            ],
        ),
    ] {
        let journals = journals(&[("S1/T1", tax, story)]);
        let (made, _) = day(rules, 1, &journals, Booked::new());
        assert_eq!(
            made.iter().map(told).collect::<Vec<_>>(),
            expected,
            "{story}"
        );
    }
}

#[test]
fn a_correction_names_what_it_corrects_across_days_and_within_one() {
    let journals = journals(&[
        (
            "S1/T1",
            "",
            "taken 5.00 USD | adjust 5.00 approved | capture 5.00 initiated",
        ),
        (
            "S1/T2",
            "",
            "taken 9.00 USD | adjust 9.00 declined 0.00 | lost 9.00 declined \
                       | day 2 | line 9.00 | found 9.00",
        ),
        (
            "S1/T3",
            "",
            "taken 1.00 USD | day 2 | adjust 1.00 declined 0.00 | lost 1.00 declined \
                       | line 1.00 | found 1.00",
        ),
        (
            "S1/T4",
            "",
            "taken 2.00 USD | adjust 2.00 declined 0.00 | lost 2.00 declined \
                       | debt reversed 2.00 cancelled | day 2 | debt taken_back 5 \
                       | debt reversed 2.00 captured | debt taken_back 7",
        ),
    ]);
    let named: Vec<String> = days(rules(), 2, &journals)
        .iter()
        .flatten()
        .map(|made| {
            let about = made.about();
            let corrects = about.corrects.as_deref().unwrap_or("nothing");
            format!(
                "{} {} {} corrects {corrects}",
                about.id, about.key.trip, about.kind
            )
        })
        .collect();
    assert_eq!(
        named,
        [
            "JE-20261123-000001 T1 capture corrects nothing",
            "JE-20261123-000002 T2 bad_debt corrects nothing",
            "JE-20261123-000003 T4 bad_debt corrects nothing",
            "JE-20261123-000004 T4 reversal corrects JE-20261123-000003",
            "JE-20261123-000005 T4 cancellation corrects JE-20261123-000003",
            "JE-20261124-000001 T2 reversal corrects JE-20261123-000002",
            "JE-20261124-000002 T2 capture corrects JE-20261123-000002",
            "JE-20261124-000003 T3 bad_debt corrects nothing",
            "JE-20261124-000004 T3 reversal corrects JE-20261124-000003",
            "JE-20261124-000005 T3 capture corrects JE-20261124-000003",
            "JE-20261124-000006 T4 reversal_taken_back corrects JE-20261123-000004",
            "JE-20261124-000007 T4 reversal corrects JE-20261123-000003",
            "JE-20261124-000008 T4 capture corrects JE-20261123-000003",
            "JE-20261124-000009 T4 reversal_taken_back corrects JE-20261124-000007",
        ]
    );
}

/// What the transactions did to each account, by its role; accounts that end with nothing are
/// left out.
fn sums(made: &[Transaction]) -> BTreeMap<Role, i64> {
    let mut sums = BTreeMap::new();
    for line in made.iter().flat_map(Transaction::postings) {
        *sums.entry(line.role).or_insert(0) += line.amount.minor();
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

#[test]
fn what_is_taken_back_is_what_was_posted_whatever_the_rules_are_by_then() {
    let by = |method, tax_relief| BookRules {
        method,
        tax_relief,
        ..rules()
    };
    let (direct, allowance) = (WriteOffMethod::Direct, WriteOffMethod::Allowance);
    let journals = journals(&[(
        "S1/T1",
        "0.80",
        "taken 10.00 USD | lost 10.00 declined | debt recovered 1.00 | debt written_off 9.00 \
         | day 2 | debt taken_back 4 | debt written_off 9.00 \
         | day 3 | debt taken_back 6 | debt taken_back 3",
    )]);
    let days = days_by(
        &[
            by(direct, false),
            by(allowance, true),
            // Nothing of them is in what the third day takes back.
            by(direct, true),
        ],
        &journals,
    );
    let posted: Vec<Vec<String>> = days
        .iter()
        .map(|made| made.iter().map(told).collect())
        .collect();
    assert_eq!(
        posted[1..],
        [
            vec![
                "taken_back: shopper_receivable 8.28, shopper_receivable_tax 0.72 = \
                 bad_debt_expense 9.00",
                "write_off: bad_debt_allowance 8.28, tax_payable 0.72 = shopper_receivable 8.28, \
                 shopper_receivable_tax 0.72",
            ],
            vec![
                "taken_back: shopper_receivable 8.28, shopper_receivable_tax 0.72 = \
                 bad_debt_allowance 8.28, tax_payable 0.72",
                "taken_back: shopper_receivable 0.92, shopper_receivable_tax 0.08 = \
                 recovery_clearing 1.00",
            ],
        ]
    );
    // All that is left is the debt.
    let left = [
        (Role::SalesClearing, -1000),
        (Role::ShopperReceivable, 920),
        (Role::ShopperReceivableTax, 80),
    ];
    assert_eq!(sums(&days.concat()), BTreeMap::from(left));
}

#[test]
fn what_happens_later_changes_nothing_of_a_day() {
    let story = "taken 9.00 USD | adjust 9.00 declined 4.00 | capture 4.00 initiated \
                 | lost 5.00 declined";
    let later = format!("{story} | day 2 | line 9.00 | found 5.00 | day 3 | data");
    let first = |story: &str| {
        day(
            rules(),
            1,
            &journals(&[("S1/T1", "0.33", story)]),
            Booked::new(),
        )
    };
    assert_eq!(first(story).0, first(&later).0);
    assert_eq!(first(story).0.len(), 2);
}

fn line(role: Role, amount: &str) -> Posting {
    Posting {
        role,
        amount: money(amount),
    }
}

#[test]
fn a_transaction_that_does_not_balance_cannot_be_made() {
    let balanced = [
        line(Role::ProcessorReceivable, "1.00 USD"),
        line(Role::SalesClearing, "-1.00 USD"),
    ];
    let made = Transaction::of(about(1), balanced).unwrap();
    assert_eq!((made.postings().len(), made.debits()), (2, 100));
    // One minor unit, two currencies that would cancel out, a single side.
    for wrong in [
        vec![
            line(Role::ProcessorReceivable, "1.00"),
            line(Role::SalesClearing, "-0.99"),
        ],
        vec![
            line(Role::ProcessorReceivable, "100 JPY"),
            line(Role::SalesClearing, "-1.00 USD"),
        ],
        vec![line(Role::ProcessorReceivable, "1.00")],
    ] {
        let error = Transaction::of(about(1), wrong).unwrap_err().to_string();
        assert!(error.starts_with("JE-20261124-000001 is off by"), "{error}");
    }
    let merged = [
        line(Role::TaxPayable, "0.00"),
        line(Role::ProcessorReceivable, "0.40"),
        line(Role::SalesClearing, "-1.00"),
        line(Role::ProcessorReceivable, "0.60"),
    ];
    let made = Transaction::of(about(1), merged).unwrap();
    assert_eq!(
        told(&made),
        "capture: processor_receivable 1.00 = sales_clearing 1.00"
    );
}

fn totals(journals: &[Journal]) -> Vec<DayTotal> {
    let mut totals: BTreeMap<StoreId, DayTotal> = BTreeMap::new();
    for journal in journals {
        let history = tripsettle::settlement::History::replay(&journal.events).unwrap();
        let (store, parts) = (journal.trip.key.store.clone(), *history.balances());
        let nothing = || DayTotal::nothing(store.clone(), parts.currency);
        let day = totals.entry(store.clone()).or_insert_with(nothing);
        day.new += parts.cart_total;
        day.captured += parts.captured;
        day.bad_debt += parts.bad_debt;
        day.debt_closing += parts.bad_debt;
        day.cancelled += parts.cancelled;
    }
    totals.into_values().collect()
}

#[test]
fn postings_that_do_not_agree_with_the_other_books_are_found() {
    let journals = journals(&[
        (
            "S1/T1",
            "",
            "taken 9.00 USD | adjust 9.00 declined 4.00 | capture 4.00 initiated \
                       | lost 5.00 declined",
        ),
        ("S2/T2", "", "taken 3.00 USD | elsewhere cancelled"),
    ]);
    let (_, journalist) = day(rules(), 1, &journals, Booked::new());
    let right = totals(&journals);
    assert_eq!(journalist.check(&right), Ok(()));
    let changes: [fn(&mut DayTotal); 4] = [
        |day| day.captured += 1,
        |day| day.cancelled += 1,
        |day| day.debt_closing -= 1,
        |day| day.bad_debt -= 1,
    ];
    for change in changes {
        let mut wrong = right.clone();
        change(&mut wrong[0]);
        let found = journalist.check(&wrong).unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0]
                .to_string()
                .starts_with("the double entry of store S1 is off by")
        );
    }
    assert_eq!(
        journalist.check(&right[..1]).unwrap_err().len(),
        1,
        "a store left out"
    );
}

/// So many cents, as a story tells them.
fn text(minor: i64) -> String {
    Money::of_minor(minor, Currency::of("USD").unwrap()).decimal_text()
}

/// A trip's story by numbers: cart, tax, what is captured of it, and how it ends.
fn story(cart: i64, tax: i64, part: i64, end: u8) -> (String, String) {
    let (total, captured, rest) = (text(cart), text(part), text(cart - part));
    let story = match end {
        0 => format!("taken {total} USD"),
        1 => format!("taken {total} USD | elsewhere cancelled"),
        2 => format!("taken {total} USD | elsewhere captured {total}"),
        _ if part == 0 => {
            let lost =
                format!("taken {total} USD | adjust {total} declined 0.00 | lost {total} declined");
            if end == 3 {
                lost
            } else {
                format!("{lost} | line {total} | found {total}")
            }
        }
        _ if part == cart => {
            format!("taken {total} USD | adjust {total} approved | capture {total} initiated")
        }
        _ => format!(
            "taken {total} USD | adjust {total} declined {captured} \
             | capture {captured} initiated | lost {rest} declined"
        ),
    };
    (text(tax), story)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_nights_agree_with_the_parts_of_the_carts(
        trips in prop::collection::vec(
            (1_i64..100_000, 0_i64..100_000, 0_i64..=100, 0_u8..5), 1..20,
        ),
        post_sales: bool,
    ) {
        let mut stories = Vec::new();
        for (place, (cart, tax, percent, end)) in trips.iter().enumerate() {
            let (tax, story) = story(*cart, *tax, cart * percent / 100, *end);
            stories.push((format!("S{}/T{place:03}", place % 3), tax, story));
        }
        let told: Vec<_> = stories.iter().map(|(a, b, c)| (&**a, &**b, &**c)).collect();
        let journals = journals(&told);
        let rules = BookRules { post_sales, ..rules() };
        let (made, journalist) = day(rules, 1, &journals, Booked::new());
        prop_assert_eq!(journalist.check(&totals(&journals)), Ok(()));
        for (number, made) in (1..).zip(&made) {
            prop_assert_eq!(&made.about().id, &format!("JE-20261123-{number:06}"));
            prop_assert!(made.postings().len() >= 2);
            prop_assert_eq!(made.postings().iter().map(|line| line.amount.minor()).sum::<i64>(), 0);
        }
    }
    #[test]
    fn a_cart_that_is_cancelled_bit_by_bit_takes_back_its_sale_to_the_cent(
        cart in 1_i64..10_000, tax in 0_i64..10_000,
        parts in prop::collection::vec(1_i64..1_000, 0..12),
    ) {
        let mut story = format!("taken {0} USD | lost {0} declined", text(cart));
        let mut left = cart;
        for part in parts {
            let part = part.min(left);
            if part > 0 {
                story.push_str(&format!(" | debt reversed {} cancelled", text(part)));
                left -= part;
            }
        }
        if left > 0 {
            story.push_str(&format!(" | debt reversed {} cancelled", text(left)));
        }
        let tax = tax.min(cart);
        let journals = journals(&[("S1/T1", &text(tax), &story)]);
        let rules = BookRules { post_sales: true, ..rules() };
        let (made, _) = day(rules, 1, &journals, Booked::new());
        let mut left = BTreeMap::from([
            (Role::Sales, tax - cart),
            (Role::CancelledSales, cart - tax),
        ]);
        left.retain(|_, sum| *sum != 0);
        prop_assert_eq!(sums(&made), left);
    }
}

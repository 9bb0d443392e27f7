//! Money at its edges: the exponents of ISO 4217, and amounts divided to the last minor unit.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tripsettle::domain::{Currency, Exponents, Money};

/// The table of 2026-01-01; all others with minor units have two decimals.
const ZERO: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR: &str = "CLF UYW";
const TWO: &str = "\
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD \
    CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP \
    GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK \
    LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO \
    NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS \
    SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST \
    XCD YER ZAR ZMW";
/// Metals, funds and codes for nothing: no money of a shopper.
const NONE: &str = "XAU XAG XPD XPT XBA XBB XBC XBD XDR XSU XUA XTS XXX";

#[test]
fn every_currency_has_the_decimals_of_iso_4217() {
    let mut wrong = Vec::new();
    for (codes, exponent) in [(ZERO, 0), (TWO, 2), (THREE, 3), (FOUR, 4)] {
        for code in codes.split_whitespace() {
            let found = Currency::of(code).map(|currency| currency.exponent());
            if found != Ok(exponent) {
                wrong.push(format!("{code} should have {exponent}, has {found:?}"));
            }
        }
    }
    for code in NONE.split_whitespace() {
        if let Ok(currency) = Currency::of(code) {
            wrong.push(format!(
                "{code} is taken with {} decimals",
                currency.exponent()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No cent is lost, none is further than one unit from its exact share, no sign turns, and a
    /// weight of 0 gets nothing.
    #[test]
    fn parts_add_up_and_are_fair(
        minor in any::<i64>(),
        weights in prop::collection::vec(prop_oneof![0..5_u64, any::<u64>()], 1..20),
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let money = Money::of_minor(minor, Currency::of("USD").unwrap());
        let parts = money.allocate(&weights).unwrap();
        prop_assert_eq!(parts.len(), weights.len());
        let sum: i128 = parts.iter().map(|part| i128::from(part.minor())).sum();
        prop_assert_eq!(sum, i128::from(minor));
        let all: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(part.minor() == 0 || (part.minor() < 0) == (minor < 0));
            prop_assert!(*weight > 0 || part.minor() == 0);
            prop_assert!(!part.decimal_text().starts_with("-0.00") || part.minor() != 0);
            // |part * all - minor * weight| < all, with half of each so that it fits.
            let exact = i128::from(minor).checked_mul(i128::from(*weight));
            let given = i128::from(part.minor()).checked_mul(all);
            if let (Some(exact), Some(given)) = (exact, given) {
                prop_assert!((exact - given).abs() < all);
            }
        }
    }

    /// What an interface can hold comes back as it went.
    #[test]
    fn an_interface_gives_back_what_it_took(minor in any::<i64>(), digits in 0..7_u8) {
        for code in ["JPY", "USD", "KWD", "CLF"] {
            let mut exponents = Exponents::default();
            exponents.add(&format!("{code} {digits}")).unwrap();
            let money = Money::of_minor(minor, Currency::of(code).unwrap());
            if let Ok(units) = exponents.to_units(money) {
                prop_assert_eq!(exponents.from_units(units, money.currency()), Ok(money));
            } else {
                let more = digits > money.currency().exponent();
                let fewer = money.currency().exponent().saturating_sub(digits);
                let lossy = 10_i64.pow(u32::from(fewer));
                prop_assert!(more || minor % lossy != 0, "{} in {} digits", money, digits);
            }
        }
    }
}

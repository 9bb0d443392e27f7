//! Money at its edges: the exponents of ISO 4217, and those of interfaces that differ.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tripsettle::domain::{Currency, Exponents};

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

    /// An interface's units are taken at their exact value, or refused because there is none.
    #[test]
    fn an_interfaces_units_are_taken_exactly_or_not(units in any::<i64>(), digits in 0..7_u8) {
        for code in ["JPY", "USD", "KWD", "CLF"] {
            let mut exponents = Exponents::default();
            exponents.add(&format!("{code} {digits}")).unwrap();
            let currency = Currency::of(code).unwrap();
            let [ours, theirs] = [currency.exponent(), digits].map(|of| 10_i128.pow(of.into()));
            let scaled = i128::from(units) * ours;
            match exponents.from_units(units, currency) {
                Ok(money) => prop_assert_eq!(i128::from(money.minor()) * theirs, scaled),
                Err(_) => prop_assert!(
                    scaled % theirs != 0 || i64::try_from(scaled / theirs).is_err(),
                    "{} of {} in {} digits", units, code, digits
                ),
            }
        }
    }
}

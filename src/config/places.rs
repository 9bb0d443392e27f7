//! Where trips and requests belong: endpoints, calendars, policies, lifetimes.

use std::net::IpAddr;

use crate::domain::{Calendar, FeedRow, ProcessorName, SettlementPolicy, StoreId, Timestamp, Trip};
use crate::planted::{self, Bug};

use super::Config;

impl Config {
    /// The law's parameters for a store.
    pub fn policy_for(&self, store: &StoreId) -> SettlementPolicy {
        let own = self.stores.get(store).and_then(|store| store.on_decline);
        SettlementPolicy {
            on_decline: own.unwrap_or(self.settlement.on_decline),
            ..self.settlement
        }
    }

    /// A store's business day.
    pub fn calendar_for(&self, store: &StoreId) -> &Calendar {
        self.stores
            .get(store)
            .map_or(&self.company, |store| &store.calendar)
    }

    /// True when the configuration names the store.
    pub fn store_is_known(&self, store: &StoreId) -> bool {
        self.stores.contains_key(store)
    }

    /// Places a row of the feed in time: business date, processor, and how long its token lives.
    pub fn place(&self, row: &FeedRow) -> Trip {
        let of_store = self
            .stores
            .get(&row.key.store)
            .and_then(|store| store.processor.clone());
        let processor = row.processor.clone().or(of_store);
        let lifetime = processor.as_ref().map(|name| self.lifetime_of(name));
        let unknown_processor = lifetime.is_some_and(|lifetime| lifetime.is_none());
        let lifetime_ms = match lifetime {
            None => self.lifetime_ms,
            Some(known) => known.unwrap_or_else(|| self.shortest_lifetime_ms()),
        };
        let mut expires_at = row.started_at.plus_ms(lifetime_ms);
        if planted::is(Bug::LocalTimeDeadline) {
            let ms = planted::by_the_wall_clock(row.started_at.ms(), lifetime_ms);
            expires_at = Timestamp::of_ms(ms);
        }
        Trip {
            key: row.key.clone(),
            started_at: row.started_at,
            ended_at: row.ended_at,
            cart_total: row.amount,
            processor,
            purchase_id: row.purchase_id.clone(),
            preauth: row.preauth,
            tax: row.tax,
            business_date: self
                .calendar_for(&row.key.store)
                .business_date(row.started_at),
            expires_at,
            act_by: expires_at.plus_ms(self.margin_ms.saturating_neg()),
            unknown_processor,
        }
    }

    fn lifetime_of(&self, name: &ProcessorName) -> Option<i64> {
        self.processors
            .get(name)
            .map(|processor| processor.lifetime_ms)
    }

    /// The shortest life of any token, in milliseconds: a processor that is named but not
    /// configured might be any of them.
    pub fn shortest_lifetime_ms(&self) -> i64 {
        let configured = self
            .processors
            .values()
            .map(|processor| processor.lifetime_ms);
        configured
            .chain([self.lifetime_ms])
            .min()
            .unwrap_or(self.lifetime_ms)
    }
}

/// An URL without user info, query or fragment; https, except on this machine.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    let like = "write e.g. https://payments.example.com";
    // Before anything is repeated: a text that is no URL may hold a password as well.
    if text.contains('@') {
        return Err(format!("no user name or password in the URL; {like}"));
    }
    let uri: http::Uri = text
        .parse()
        .map_err(|why| format!("`{text}`: {why}; {like}"))?;
    let (host, authority) = (uri.host().unwrap_or_default(), uri.authority());
    let after_host = authority.map_or("", |all| all.as_str().trim_start_matches(host));
    let port_is_wrong = !after_host.is_empty() && uri.port_u16().is_none_or(|port| port == 0);
    if host.is_empty() || port_is_wrong || uri.query().is_some() || text.contains('#') {
        return Err(format!(
            "`{text}` is not scheme, host and perhaps a path; {like}"
        ));
    }
    match uri.scheme_str() {
        Some("https") => Ok(text.to_owned()),
        Some("http") if is_loopback(host) => Ok(text.to_owned()),
        Some("http") => Err(format!(
            "plain http is for this machine only, not for {host}; {like}"
        )),
        Some(_) | None => Err(format!("`{text}` is neither http nor https; {like}")),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

pub(super) fn region(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match !text.is_empty() && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not an AWS region such as us-east-1")),
    }
}

//! The law of a trip as a checker reads it: its own fold over the journal, which shares nothing
//! with the engine's.

use super::witness::{Entry, Row};

/// What is known of captures after an event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Known {
    pub doubt: bool,
    captured: bool,
    capture_step: Option<i64>,
    adjust_step: Option<i64>,
    /// Adjusts that were sent and not turned away at the door.
    pub adjusts: i64,
}

/// True when such a reply proves that nothing was done.
fn proves_undone(reply: &serde_json::Value) -> bool {
    match reply["reply"].as_str().unwrap_or("?") {
        "expired" | "refused" | "throttled" | "not_sent" => true,
        "unauthorized" => reply["by_service"] == true,
        _ => false,
    }
}

/// A doubt ends by evidence only, a capture is never followed by another one, nothing is written
/// off that may have been captured.
pub fn lawful(row: &Row, events: &[Entry], data_proves: bool) -> Result<Known, String> {
    let mut known = Known::default();
    for event in events {
        step(&mut known, event, &row.currency, data_proves)
            .map_err(|why| format!("{}, step {}: {why}", row.name, event.step))?;
    }
    Ok(known)
}

fn step(known: &mut Known, event: &Entry, code: &str, data_proves: bool) -> Result<(), String> {
    let call = event.call.as_deref();
    match event.kind.as_str() {
        "intent" if call == Some("capture") => {
            if known.doubt || known.captured {
                return Err("a second capture is intended".to_owned());
            }
            known.doubt = true;
            known.capture_step = Some(event.step);
        }
        "intent" if call == Some("adjust") => {
            known.adjusts += 1;
            known.adjust_step = Some(event.step);
        }
        "replied" if event.attempt == known.adjust_step && known.adjust_step.is_some() => {
            let reply = event.detail["reply"]["reply"].as_str();
            let is_turned_away = ["throttled", "not_sent"].map(Some).contains(&reply);
            known.adjusts -= i64::from(is_turned_away);
        }
        "intent" if call == Some("cancel") && (known.doubt || known.captured) => {
            return Err("a cancel beside a capture".to_owned());
        }
        "replied" if event.attempt == known.capture_step && known.capture_step.is_some() => {
            let reply = &event.detail["reply"];
            if known.doubt && proves_undone(reply) {
                known.doubt = false;
            } else if known.doubt && reply["reply"] == "initiated" {
                known.doubt = false;
                known.captured = true;
            }
        }
        "ruled" => {
            let by = event.detail["ruling"]["by"].as_str().unwrap_or("?");
            if by != "a person" && !data_proves {
                return Err(format!("a doubt ended by `{by}`, which proves nothing"));
            }
            match event.verdict.as_deref() {
                Some("captured") => (known.doubt, known.captured) = (false, true),
                Some("not_captured") => known.doubt = false,
                _ => {}
            }
        }
        "line" => {
            let amount = &event.detail["line"]["amount"];
            let shows = amount["currency"] == code && amount["minor"].as_i64() > Some(0);
            if shows {
                known.captured |= known.doubt;
                known.doubt = false;
            }
        }
        "lost" if known.doubt => return Err("a doubt is written off".to_owned()),
        _ => {}
    }
    Ok(())
}

//! tripsettle: THE MAP.
//!
//! A trip's road through the house, top to bottom; doors do I/O, the other rooms only think:
//!
//! ```text
//!   trip files ──▶ trips ──▶ settlement::admit ──▶ store (journal: taken, amended)
//!                                                     │
//!   clock, schedule ──▶ sweep: plan of what is due ◀──┘ open trips by act_by
//!                         │
//!   run::lanes:  decide ─▶ intent to disk ─▶ payment_service ─▶ reply to disk ─▶ decide …
//!                         │
//!   run::pull:   transactional data ──▶ evidence       processor reports ──▶ processor ──▶ lines
//!                         │                                                      │
//!   run::examine: reconcile ──▶ breaks opened and cured, debt reversed ◀─────────┘
//!                         │
//!   run::close:  books (ledger, control equation) + outputs (files) ──▶ commit ──▶ put in place
//!                         │
//!   run::outbox: mail
//! ```
//!
//! # Arrows
//!
//! `domain` imports nothing of ours. Doors (`trips`, `payment_service`, `store`, `processor`,
//! `mail`) and pure rooms (`sweep`, `settlement`, `reconcile`, `books`) import `domain` and not
//! each other;
//! `outputs` also the results of `reconcile` and `books`; `run` all of them; `cli` and `main` wire.
//! Doors and `outputs` may use `disk` (how names last); they, `config` and `run` may use `planted`
//! (defects for the proofs), `domain` and the pure rooms may not.
//! `sandbox` imports nothing of ours: it is a witness. `tests/tidy.rs` holds us to it.
//!
//! # Invariants, and who keeps them
//!
//! - No capture is sent that could be a second one: `settlement` refuses the intent, the triggers
//!   of `sql/migrations` refuse it again, `run::lanes` commits it before the first byte is sent.
//! - Silence is *in doubt*, never *failed*: `payment_service::classify`, in one place.
//! - A debt is never below zero: `settlement::debt`, the triggers again. What stands open is
//!   counted over all trips by `run::stakes`, never carried over from the ledger's entries.
//! - Every cent is in exactly one part: [`domain::Balances::hold`] for a trip, a CHECK in the
//!   database, [`domain::DayTotal::difference`] for a day; what does not balance is not published.
//! - Every transaction balances: [`books::Transaction`] has no other constructor, and
//!   [`books::Journalist::check`] holds a day's postings against its control equation and ledger.
//! - Status is derived: [`settlement::History`] alone makes one; the trip's row repeats it and is
//!   written in the same transaction as the event.
//! - The same night gives the same bytes: `run::render` is a function of the journal up to a place.
//! - What was written stays as it was: `store::chain` links the events by their hashes, and
//!   `run::verify` proves journal, rows, closed days and published files against each other.
//! - An attempt is named by the step of its intent. UNIQUE (trip, step) and the steps that a writer
//!   has seen are the compare-and-set: whoever comes second reads again and decides again.
//!
//! # Decided where the design is silent
//!
//! - Captured elsewhere for less than the total: the rest is bad debt `declined`; for more: the
//!   total is amended up and `elsewhere_above_total` is a break. After a Capture of ours was
//!   intended and certainly not executed, such a word parks the trip (`refused`, with the break
//!   `captured_elsewhere`): nothing more is captured, and no `retry` may.
//! - A processor's line on an open trip closes it as captured; we never capture it then.
//! - Evidence that ends a doubt books the intended amount; a line that differs is a break.
//! - Expired, cancel-unconfirmed, elsewhere-above-total and captured-after-write-off are told on
//!   their first day only; breaks of weight `info` never change an exit code.
//! - Half open, the capture breaker asks a read for its good reply.
//! - Transactional data is asked for in doubts too: as a hint, or as proof where configured, also
//!   of doubts whose data was here before (`run::proof`). Data that speaks against a capture, or
//!   that is shared, proves nothing; nor does any beside a capture by another hand, or once a
//!   person has ruled of a capture that it never was.
//! - Missed days are closed in order, all events on the pass's own books date; the first run ever
//!   closes the last ended day, empty or not.
//! - Reports of processors are taken by `run` and `backfill`, not by `settle`.
//! - A cumulative report's lines that earlier ones told are left out as it is taken; without
//!   `processor.NAME.cumulative` a second line of a capture is `captured_twice`, whatever it says.
//! - A file that cannot be read as a whole stays in the inbox, with one row in `rejected.csv`; one
//!   that changes while it is read stays too, and what was read of its end is not taken.
//! - The head of the journal is told outside (summaries, mails) in groups of digits, so that it
//!   never looks like a card's number. An edition tells the head at its own last event; a later
//!   edition that would differ in the head alone is not made.
//! - After `init --after-loss` the days that stand published count as closed.
//! - A backup knows that it is one, and a state that does not know an edition in `output_dir` is
//!   older than what happened: every command but `verify`, `backup` and `init` refuses both (65)
//!   until `init --after-restore` has put what is open in doubt. Days that were published since are
//!   closed again, with other postings under the same numbers: it names them, for people to void.
//! - While the output folder cannot be read nothing is sent (74): the state may be older than what
//!   stands there, and could capture twice. `check` opens the newest editions.
//! - `rule --file` writes each row on its own; the same verdict, name and note for a trip is never
//!   written twice, so that a list given again cannot end a doubt that came later.
//! - A list of a person's (`rule --file`, `debt recover --file`) is found in order as a whole, then
//!   written row by row: a row out of shape may have swallowed others, one that is wrong has not.
//! - Recovery and write-off move nothing but the open debt. A person's reversal says what the debt
//!   was instead: captured, or cancelled (never owed). A recovery, write-off or reversal is taken
//!   back whole, as an entry of its kind with a negative amount; the same words about a debt are
//!   taken once, but as often as one list has them.
//! - Money for a debt that was written off puts it back first, as accountants do: the write-off is
//!   taken back, the money booked, and what it leaves is written off again by the same person.
//! - A line that shows money of a debt that was given up, or said never to have been owed, takes
//!   that back; what was recovered stays so, and the break `captured_twice` says that it was paid
//!   twice.
//! - The feed names no person (a purchase id names a purchase): nobody is counted as a repeated
//!   non-payer.
//! - The day before a move to another zone or cut-off lasts until the move.
//! - A debt is a receivable until it is written off; only then is it a loss (`books::postings`).
//! - A recovery, write-off or reversal is taken back by the opposite of what it posted, whatever
//!   the method and the tax relief are by then; its accounts are called as on the day on which it
//!   is taken back, since who renames an account moves its balance.
//! - What postings are made by (accounts, formats, shapes) is kept with each edition: a later one
//!   is made by the same, plus what was switched on since, so that no posting ever changes.
//! - Xero's file has no currency, so that it takes one only, as does any `postings.csv` without a
//!   column for it; entries in others are told as `export_left_out` (info), what a target cannot
//!   hold as `export_refused` (warning). What cannot work is refused by `config::exports`.
//! - An edition that is gone from the output folder is made again by `backfill` of its day, not
//!   by `run`, which has tokens to save; one that comes out otherwise is not put in place.
//! - Where our clock alone would book a loss or close a day, one read asks for the service's clock,
//!   unless a reply of the pass has told it; a service that is silent keeps neither back.
//! - A `tripsettle.db` that is one file, as a backup is, with a log beside it is not opened (65):
//!   the log is another state's.
//! - What Kubernetes tells of a Service called `tripsettle…` (`TRIPSETTLE_SERVICE_HOST`, …) is no
//!   setting and no mistake (`config::service_links`).
//! - `demo` ends with 0 when the night was played, whatever the night's own exit code was.
//!
//! # What you were told → your room
//!
//! | symptom | look in |
//! |---|---|
//! | a row of the feed was rejected, or should have been | `trips::fields`, `settlement::feed` |
//! | a file of the inbox was not taken, or stays | `trips` (`inbox_files`), `run::inbox` |
//! | a trip was not settled tonight | `sweep` ([`sweep::is_due`]), `tripsettle plan` |
//! | the wrong call, or the wrong loss, for a trip | `settlement::decide`, `tripsettle show` |
//! | a reply was read wrongly | `payment_service::classify` |
//! | too fast, too slow, paused for ever | `payment_service::pacing`, `run::calling` |
//! | a doubt that should not be | `run::lanes`, `payment_service::breakers` |
//! | a doubt that ended, or should have | `run::proof`, `run::rule`, `reconcile` |
//! | "a second capture attempt", "changed meanwhile" | `store::appender`, `sql/migrations` |
//! | a break that should (not) be there | `reconcile` |
//! | the control equation does not hold | `books::control`, `run::stakes`, `run::render` |
//! | a debt that cannot be settled, a ledger entry | `settlement::debt`, `books`, `run::debt` |
//! | a day that begins or ends at the wrong moment | `domain::time`, `config::days` |
//! | a file's columns, bytes, place | `outputs`, `run::close` |
//! | what an event posts, and under which number | `books::postings`, `run::postings` |
//! | a file of postings that a program refuses | `outputs::postings` |
//! | a new edition without a reason, or none | `run::close` (`next_edition`) |
//! | the mail | `run::story`, `mail`; not delivered: `run::outbox` |
//! | the exit code | `run::report` |
//! | `verify` says DAMAGED | `run::verify`, `run::verify_files`, `store::chain` |
//! | a backup, or a state that is refused as older | `store::backup`, `run::restore` |
//! | configuration, paths, environment | `config` |
//!
//! # Glossary
//!
//! The words are those of the design, and no others: trip, payment token, business date (of a
//! trip), books date (of an event), run, settle pass, day close, sweep, plan, batch, call, attempt,
//! reply, in doubt, evidence, initiated / evidenced / settled, declined, bad debt, open debt,
//! write-off, recovery, reversal, journal, ledger, postings, processor line, match, break, publish,
//! edition. [`domain`] holds the types of the same names.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod books;
pub mod cli;
pub mod config;
pub mod disk;
pub mod domain;
pub mod mail;
pub mod outputs;
pub mod payment_service;
pub mod planted;
pub mod processor;
pub mod reconcile;
pub mod run;
pub mod sandbox;
pub mod settlement;
pub mod store;
pub mod sweep;
pub mod trips;

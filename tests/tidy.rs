//! The house rules that the compiler does not know, checked on every source file.
//!
//! Each rule is a function from sources to complaints. Next to it stands what it must complain
//! about, so that a rule that has gone blind is noticed.

#![allow(clippy::unwrap_used)]

mod tidy {
    pub mod arrows;
    pub mod lex;
    pub mod matches;
    pub mod sizes;
    pub mod source;
    pub mod sql;
    pub mod words;
}

use tidy::source::{Source, house, sql_files};
use tidy::{arrows, matches, sizes, sql, words};

/// Fails with all complaints of one rule at once.
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn each(folders: &[&str], rule: impl Fn(&Source) -> Vec<String>) {
    none(house(folders).iter().flat_map(rule).collect());
}

#[test]
fn rooms_import_only_what_their_arrows_allow() {
    each(&["src"], arrows::between_rooms);
}

#[test]
fn doors_keep_their_libraries_and_files_to_themselves() {
    each(&["src"], arrows::to_the_outside);
}

#[test]
fn lines_fit_100_columns() {
    each(&["src", "tests", "benches"], sizes::long_lines);
}

#[test]
fn functions_fit_70_lines() {
    // A test may be a long table; what runs at night may not.
    each(&["src", "benches"], sizes::long_functions);
}

#[test]
fn files_fit_350_lines() {
    each(&["src"], sizes::long_files);
}

#[test]
fn nothing_panics_on_purpose() {
    each(&["src"], words::panics);
}

#[test]
fn there_are_no_floats() {
    each(&["src"], words::floats);
}

#[test]
fn only_the_outermost_rooms_read_the_clock() {
    each(&["src"], words::clocks);
}

#[test]
fn a_match_on_our_own_enum_names_every_variant() {
    let sources = house(&["src"]);
    let enums = matches::own_enums(&sources);
    none(
        sources
            .iter()
            .flat_map(|source| matches::wildcards(source, &enums))
            .collect(),
    );
}

#[test]
fn sql_text_stands_only_in_sql() {
    each(&["src"], sql::text_in_rust);
}

#[test]
fn sql_files_are_named_after_their_callers_and_used() {
    none(sql::names(
        &sql_files("sql/migrations"),
        &sql_files("sql/queries"),
        &house(&["src"]),
    ));
}

#[test]
fn sql_never_reads_the_clock() {
    let files = [sql_files("sql/migrations"), sql_files("sql/queries")].concat();
    none(sql::clocks(&files));
}

#[test]
fn every_statement_prepares_against_the_migrated_schema() {
    none(sql::unprepared(
        &sql_files("sql/migrations"),
        &sql_files("sql/queries"),
    ));
}

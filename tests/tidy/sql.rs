//! SQL lives in `sql/`: numbered migrations, and queries of one statement named after their caller.

use rusqlite::Connection;

use super::lex::Kind;
use super::source::Source;

/// A SQL file as (path, text).
pub type SqlFile = (String, String);

/// Words that begin a statement about data, and the words of which one must follow before it is
/// believed. Statements about the connection (PRAGMA, BEGIN, SAVEPOINT) may stand in Rust.
const STATEMENTS: &[(&str, &[&str])] = &[
    ("SELECT", &["FROM", "WHERE"]),
    ("INSERT", &["INTO"]),
    ("REPLACE", &["INTO"]),
    ("UPDATE", &["SET"]),
    ("DELETE", &["FROM"]),
    ("WITH", &["SELECT"]),
    ("CREATE", &["TABLE", "INDEX", "TRIGGER", "VIEW"]),
    ("DROP", &["TABLE", "INDEX", "TRIGGER", "VIEW"]),
    ("ALTER", &["TABLE"]),
];

/// Complains about string literals that are SQL.
pub fn text_in_rust(source: &Source) -> Vec<String> {
    let texts = source
        .shipped
        .iter()
        .filter(|token| token.kind == Kind::Text);
    texts
        .filter(|token| is_statement(&token.text))
        .map(|token| source.complain(token.line, "SQL text outside of sql/"))
        .collect()
}

/// Sentences may begin with the same words; SQL shouts them, or speaks lower case throughout.
fn is_statement(text: &str) -> bool {
    let text = text.replace("\\n", " ");
    let words: Vec<_> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let spoken = |case: fn(&str) -> String| {
        STATEMENTS.iter().any(|(first, then)| {
            let follows = |word: &&str| then.iter().any(|then| *word == case(then));
            words.first() == Some(&case(first).as_str()) && words.iter().any(follows)
        })
    };
    spoken(str::to_owned) || spoken(str::to_lowercase)
}

/// Complains about migrations that are not numbered without a gap, and about queries that are not
/// named `<store file>_<function>` or that no store file mentions.
pub fn names(migrations: &[SqlFile], queries: &[SqlFile], sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (at, (path, _)) in migrations.iter().enumerate() {
        if !stem(path).starts_with(&format!("{:04}_", at + 1)) {
            complaints.push(format!("{path}: is not number {:04}", at + 1));
        }
    }
    let store: Vec<_> = sources
        .iter()
        .filter(|source| source.room() == "store")
        .collect();
    for (path, _) in queries {
        let name = stem(path);
        let users = || {
            store
                .iter()
                .filter(|it| it.text.contains(&format!("/{name}.sql")))
        };
        let is_namesake = |caller: &str| {
            name.strip_prefix(stem(caller))
                .is_some_and(|function| function.starts_with('_'))
        };
        if users().next().is_none() {
            complaints.push(format!("{path}: nobody in store uses it"));
        } else if !users().any(|user| user.path.split('/').any(is_namesake)) {
            complaints.push(format!(
                "{path}: does not begin with the name of a file that uses it"
            ));
        }
    }
    complaints
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

/// Complains about SQL that reads the clock: it takes instants as parameters.
pub fn clocks(files: &[SqlFile]) -> Vec<String> {
    let clock = |line: &str| {
        let code = line.split("--").next().unwrap_or(line).to_lowercase();
        [
            "'now'",
            "current_timestamp",
            "current_date",
            "current_time",
            "unixepoch()",
        ]
        .iter()
        .any(|clock| code.contains(clock))
    };
    let lines = files.iter().flat_map(|(path, text)| {
        text.lines()
            .enumerate()
            .map(move |(at, line)| (path, at + 1, line))
    });
    lines
        .filter(|(_, _, line)| clock(line))
        .map(|(path, at, _)| format!("{path}:{at}: reads the clock"))
        .collect()
}

/// Complains about migrations that fail on an empty database, and about queries that are not one
/// statement that prepares after all migrations.
pub fn unprepared(migrations: &[SqlFile], queries: &[SqlFile]) -> Vec<String> {
    let database = Connection::open_in_memory().unwrap();
    let mut complaints = Vec::new();
    for (path, text) in migrations {
        complaints.extend(
            database
                .execute_batch(text)
                .err()
                .map(|why| format!("{path}: {why}")),
        );
    }
    for (path, text) in queries {
        complaints.extend(
            database
                .prepare(text)
                .err()
                .map(|why| format!("{path}: {why}")),
        );
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Vec<SqlFile> {
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn sql_text_in_rust_is_seen() {
        for (text, found) in [
            (r#"c.prepare("SELECT id FROM trip")"#, 1),
            (r##"c.execute(r#"insert into trip values (1)"#)"##, 1),
            (r#"c.execute("\n  UPDATE trip SET status = ?")"#, 1),
            (r#"c.execute("CREATE UNIQUE INDEX a ON b (c)")"#, 1),
            (r#"c.execute("delete from trip where id = ?1")"#, 1),
            (r#"c.execute("WITH a AS (SELECT 1) SELECT * FROM a")"#, 1),
            (r#"c.execute_batch("PRAGMA journal_mode = WAL")"#, 0),
            (r#"include_str!("../../sql/queries/journal_append.sql")"#, 0),
            (
                r#"say("Select one from the list"); say("Delete it from there")"#,
                0,
            ),
            (
                "// SELECT id FROM a\n#[cfg(test)]\nconst A: &str = \"DROP TABLE a\";",
                0,
            ),
        ] {
            let complaints = text_in_rust(&Source::of("src/run/mod.rs", text));
            assert_eq!(complaints.len(), found, "{text}");
        }
    }

    #[test]
    fn misnamed_and_unused_files_are_seen() {
        let store = [Source::of(
            "src/store/journal.rs",
            "include_str!(\"q/journal_append.sql\"); include_str!(\"q/trip_step.sql\")",
        )];
        for (migrations, queries, found) in [
            (
                vec!["m/0001_initial.sql", "m/0002_more.sql"],
                vec!["q/journal_append.sql"],
                "",
            ),
            (
                vec!["m/0001_initial.sql", "m/0003_more.sql"],
                vec![],
                "0003_more.sql: is not number",
            ),
            (
                vec![],
                vec!["q/trip_step.sql"],
                "trip_step.sql: does not begin",
            ),
            (
                vec![],
                vec!["q/journal_lost.sql"],
                "journal_lost.sql: nobody",
            ),
        ] {
            let named =
                |paths: Vec<&str>| files(&paths.iter().map(|p| (*p, "")).collect::<Vec<_>>());
            let complaints = names(&named(migrations), &named(queries), &store);
            assert_eq!(
                complaints.len(),
                usize::from(!found.is_empty()),
                "{complaints:?}"
            );
            assert!(
                complaints.iter().all(|complaint| complaint.contains(found)),
                "{complaints:?}"
            );
        }
    }

    #[test]
    fn a_clock_in_sql_is_seen() {
        let bad = files(&[
            ("a.sql", "SELECT 1;\nSELECT datetime('now')"),
            ("b.sql", "CURRENT_DATE"),
        ]);
        assert_eq!(
            clocks(&bad),
            ["a.sql:2: reads the clock", "b.sql:1: reads the clock"]
        );
        assert!(clocks(&files(&[("a.sql", "SELECT :now -- not 'now'")])).is_empty());
    }

    #[test]
    fn statements_that_do_not_prepare_are_seen() {
        let schema = (
            "1.sql",
            "CREATE TABLE trip (id INTEGER PRIMARY KEY) STRICT;",
        );
        for (migrations, query, found) in [
            (vec![schema], "-- all\nSELECT id FROM trip;\n-- end\n", ""),
            (vec![], "SELECT id FROM trip", "no such table"),
            (vec![schema], "SELECT name FROM trip", "no such column"),
            (
                vec![schema],
                "SELECT id FROM trip; SELECT 2",
                "Multiple statements",
            ),
            (vec![schema], "-- nothing", "mpty"),
            (
                vec![schema, ("2.sql", "CREATE TABEL x (y)")],
                "SELECT 1",
                "2.sql: ",
            ),
        ] {
            let complaints = unprepared(&files(&migrations), &files(&[("q.sql", query)]));
            assert_eq!(
                complaints.len(),
                usize::from(!found.is_empty()),
                "{query}: {complaints:?}"
            );
            assert!(
                complaints.iter().all(|c| c.contains(found)),
                "{query}: {complaints:?}"
            );
        }
    }
}

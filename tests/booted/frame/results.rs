//! What the cases report, as a table: a row for each case, a column for each release.

use super::host::project;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};

/// What each case has reported on each release.
static RESULTS: Mutex<BTreeMap<&str, BTreeMap<&str, String>>> = Mutex::new(BTreeMap::new());

/// Where a soak writes the table.
const DOCUMENT: &str = "tests/booted/RESULTS.md";

/// What the document begins with.
const HEAD: &str = "# Nothing lost: results

`make soak` writes this file. Four senders number their messages and send as fast as they can. The test then looks for
each message in the journal. In the cases of a restarted, killed or stopped journal, each sender sends 1,000 messages a
second.

A cell shows messages sent / logged / lost, and the longest time that a sender waited. [README](../../README.md) lists
the cases in which messages can be lost.
";

/// Keeps what a case reports on a release.
pub fn keep(case: &'static str, suite: &'static str, seen: String) {
    let mut results = RESULTS.lock().unwrap_or_else(PoisonError::into_inner);
    results.entry(case).or_default().insert(suite, seen);
}

/// Writes the document if this was a whole soak, or else prints the table. Each column has a
/// release and a heading.
pub fn report(columns: &[(&str, String)], is_whole_soak: bool) {
    let Some(table) = table(columns) else {
        return;
    };
    if is_whole_soak {
        fs::write(project().join(DOCUMENT), format!("{HEAD}\n{table}")).expect(DOCUMENT);
        println!("booted: wrote {DOCUMENT}");
    } else {
        println!(
            "Messages sent / logged / lost; the longest time that a sender waited:\n\n{table}"
        );
    }
}

/// The table, if any case has reported anything.
fn table(columns: &[(&str, String)]) -> Option<String> {
    let results = RESULTS.lock().unwrap_or_else(PoisonError::into_inner);
    if results.is_empty() {
        return None;
    }
    let row = |first: &str, cells: Vec<&str>| format!("| {first} | {} |\n", cells.join(" | "));
    let headings = columns.iter().map(|(_, heading)| heading.as_str());
    let mut table = row("case", headings.collect());
    table += &row("---", columns.iter().map(|_| "---").collect());
    for (case, seen) in results.iter() {
        let cells = columns.iter().map(|(suite, _)| seen.get(suite).map_or("", String::as_str));
        table += &row(&case.replace('_', " "), cells.collect());
    }
    Some(table)
}

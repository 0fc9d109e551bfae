//! What the cases have seen, as a table: a row a case, a column a release.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What each case has seen on each release.
static RESULTS: Mutex<BTreeMap<&str, BTreeMap<&str, String>>> = Mutex::new(BTreeMap::new());

/// Keeps what a case has seen on a release.
pub fn keep(case: &'static str, suite: &'static str, seen: String) {
    let mut results = RESULTS.lock().unwrap_or_else(PoisonError::into_inner);
    results.entry(case).or_default().insert(suite, seen);
}

/// Prints what has been kept, if anything, in columns of these releases with these headings.
pub fn print(columns: &[(&str, String)]) {
    let results = RESULTS.lock().unwrap_or_else(PoisonError::into_inner);
    if results.is_empty() {
        return;
    }
    let row = |first: &str, cells: Vec<&str>| println!("| {first} | {} |", cells.join(" | "));
    println!("Messages sent / logged / lost; the longest that a sender waited:\n");
    row(
        "case",
        columns
            .iter()
            .map(|(_, heading)| heading.as_str())
            .collect(),
    );
    row("---", columns.iter().map(|_| "---").collect());
    for (case, seen) in results.iter() {
        let cells = columns
            .iter()
            .map(|(suite, _)| seen.get(suite).map_or("", String::as_str));
        row(&case.replace('_', " "), cells.collect());
    }
    println!();
}

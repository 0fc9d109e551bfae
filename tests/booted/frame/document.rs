//! The examples of the documents, as they stand there.

use super::host::project;
use std::fs;

/// Returns a document.
pub fn document(name: &str) -> String {
    fs::read_to_string(project().join(name)).expect(name)
}

/// Returns the example of foo(8) that follows a text.
pub fn example(after: &str) -> String {
    example_of("man/foo.8", after)
}

/// Returns the example of a manual page that follows a text.
pub fn example_of(page: &str, after: &str) -> String {
    let page = document(page);
    let example = page.split_once(after).and_then(|(_, rest)| rest.split_once("\n.Bd -literal"));
    let example = example.and_then(|(_, rest)| rest.split_once('\n')).expect(after).1;
    example.split_once(".Ed\n").expect(after).0.replace("\\e", "\\")
}

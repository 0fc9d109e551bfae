//! Each public function has a test and an example.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Returns the text of all Rust files below a directory of this package.
fn text_below(directory: &str) -> String {
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)];
    let mut text = String::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

/// Returns the code in the documentation of a source.
fn examples_in(source: &str) -> String {
    let mut is_code = false;
    let mut code = String::new();
    for line in source.lines().map(str::trim_start) {
        match line.strip_prefix("///").or(line.strip_prefix("//!")) {
            Some(text) if text.trim_start().starts_with("```") => is_code = !is_code,
            Some(text) if is_code => code.extend([text, "\n"]),
            _ => {}
        }
    }
    code
}

/// Returns the names in a text.
fn names(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_')).collect()
}

#[test]
fn each_public_function_has_a_test_and_an_example() {
    let source = text_below("src");
    let after =
        |before| source.split(before).skip(1).filter_map(|rest| rest.split(['(', '<']).next());
    let public: BTreeSet<_> = after("pub fn ").chain(after("pub const fn ")).collect();
    assert!(public.len() > 80, "only {public:?} seen");
    let examples = text_below("examples") + &examples_in(&source);
    for (what, text) in [("test", &text_below("tests")), ("example", &examples)] {
        let missing: Vec<_> = public.difference(&names(text)).copied().collect();
        assert!(missing.is_empty(), "no {what} names {missing:?}");
    }
}

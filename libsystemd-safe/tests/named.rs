//! Each public function is used in a test or an example.

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

#[test]
fn each_public_function_is_used_in_a_test_or_an_example() {
    let source = text_below("src");
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let public: BTreeSet<_> = source
        .split("pub fn ")
        .skip(1)
        .map(|rest| rest.split(|character| !is_name(character)).next().unwrap())
        .collect();
    assert!(public.len() > 30, "only {public:?} seen");
    let uses = text_below("tests") + &text_below("examples");
    let used: BTreeSet<_> = uses.split(|character| !is_name(character)).collect();
    let unused: Vec<_> = public.difference(&used).collect();
    assert!(unused.is_empty(), "no test or example names {unused:?}");
}

//! What the library exports is what is bound.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, process::Command};

/// The words after `prefix`, one a line, up to what ends a name.
fn names(text: &str, prefix: &str) -> BTreeSet<String> {
    let rest = text.lines().filter_map(|line| line.trim().split_once(prefix)).map(|(_, rest)| rest);
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    rest.map(|rest| rest.chars().take_while(|&character| is_name(character)).collect()).collect()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn every_function_is_bound() {
    let directory = output("pkg-config", &["--variable=libdir", "libsystemd"]);
    let symbols = output("nm", &["--dynamic", "--defined-only", &format!("{directory}/libsystemd.so")]);
    let exported = names(&symbols, " T ");
    let bindings = include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"));
    // Unformatted, they are all on a few lines.
    let bound = names(&bindings.replace("pub fn ", "\npub fn "), "pub fn ");
    let missing: Vec<_> =
        exported.iter().filter(|name| name.starts_with("sd_") && !bound.contains(*name)).collect();
    assert!(exported.len() > 500, "only {} functions seen", exported.len());
    assert!(missing.is_empty(), "exported and not bound: {missing:?}");
}

//! What the documents say is so: flags, files and commands.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{foo, foocl};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// The flags that a list of options begins its items with, as `-h` and `--help`.
fn flags<'a>(items: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let words = items.flat_map(|item| {
        item.split(|character: char| character.is_whitespace() || character == ',')
    });
    words
        .filter(|word| word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_flag_stands_in_the_help_and_in_the_manual_page() {
    for (program, page) in [(foo(), "man/foo.8"), (foocl(), "man/foocl.1")] {
        let help = Command::new(program).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        // What follows two spaces is what a flag does.
        let shown = help
            .lines()
            .filter_map(|line| line.trim_start().split("  ").next());
        let shown = flags(shown.filter(|item| item.starts_with('-')));
        let page_text = read(page);
        let items: Vec<_> = page_text
            .lines()
            .filter_map(|line| line.strip_prefix(".It "))
            .collect();
        let items: Vec<_> = items.iter().map(|item| item.replace("Fl ", "-")).collect();
        let documented = flags(items.iter().map(String::as_str));
        assert!(shown.contains("--help"), "{help}");
        assert_eq!(shown, documented, "--help and {page}");
    }
}

#[test]
fn the_layout_is_what_is_there() {
    let layout: String = ["README.md", "CONTRIBUTING.md"]
        .map(|document| {
            let text = read(document);
            let section = text.split("## Layout").nth(1).unwrap();
            section.split("```").nth(1).unwrap().to_owned()
        })
        .concat();
    let mut named = BTreeSet::new();
    for line in layout.lines() {
        let directory = if line.starts_with(' ') { "src/" } else { "" };
        let names = line
            .split("   ")
            .find(|column| !column.trim().is_empty())
            .unwrap_or_default();
        named.extend(
            names
                .split_whitespace()
                .map(|name| format!("{directory}{}", name.trim_end_matches('/'))),
        );
    }
    let missing: Vec<_> = named
        .iter()
        .filter(|path| !Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists())
        .collect();
    assert!(missing.is_empty(), "named and not there: {missing:?}");
    let sources = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let sources =
        sources.map(|entry| format!("src/{}", entry.unwrap().file_name().into_string().unwrap()));
    let unnamed: Vec<_> = sources
        .filter(|path| path != "src/lib.rs" && path != "src/bin" && !named.contains(path))
        .collect();
    assert!(unnamed.is_empty(), "there and not named: {unnamed:?}");
}

#[test]
fn every_make_command_is_there() {
    let makefile = read("Makefile");
    let targets: BTreeSet<_> = makefile
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    for document in [
        "README.md",
        "CONTRIBUTING.md",
        "tests/README.md",
        "libsystemd-sys/README.md",
    ] {
        // In code, but for what is fenced: prose makes other things, too.
        let text: String = read(document).split("```").step_by(2).collect();
        let indented = text.lines().filter(|line| line.starts_with("    "));
        let indented = indented.filter_map(|line| line.split('#').next());
        let code = indented.chain(text.split('`').skip(1).step_by(2));
        for command in code.flat_map(|code| code.split("make ").skip(1)) {
            let target = command
                .split(|character: char| !character.is_ascii_lowercase() && character != '-')
                .next();
            let target = target.filter(|target| !target.is_empty()).unwrap_or("all");
            assert!(targets.contains(target), "{document}: make {target}");
        }
    }
}

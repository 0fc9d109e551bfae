//! The dependencies are those that CONTRIBUTING.md gives reasons for, come from the one registry, and load no library
//! but libsystemd.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The crates in the first cell of each row of the table, and those of the sentence on what foo is linked with.
fn documented() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = read("CONTRIBUTING.md");
    let section = text.split("## Dependencies").nth(1).unwrap();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let direct = rows
        .skip(1)
        .flat_map(|cell| cell.split(", ").map(String::from));
    let linked = section
        .split("linked with ")
        .nth(1)
        .unwrap()
        .split('.')
        .next()
        .unwrap();
    let linked = linked.replace(" and ", ", ").replace('\n', " ");
    (
        direct.collect(),
        linked
            .split(", ")
            .map(|name| name.trim().to_owned())
            .collect(),
    )
}

/// What a manifest names in any of its tables of dependencies, but for the project's own.
fn named(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in read(manifest).lines() {
        if let Some(table) = line.strip_prefix('[') {
            inside = table.ends_with("dependencies]");
        } else if let (true, Some((name, value))) = (inside, line.split_once(" = ")) {
            names.extend((!value.contains("path = ")).then(|| name.to_owned()));
        }
    }
    names
}

#[test]
fn each_has_a_reason() {
    let manifests = ["Cargo.toml", "libsystemd-sys/Cargo.toml", "fuzz/Cargo.toml"];
    let named: BTreeSet<_> = manifests.into_iter().flat_map(named).collect();
    assert_eq!(named, documented().0);
}

#[test]
fn what_is_linked_is_told() {
    let tree = [
        "tree",
        "--locked",
        "--offline",
        "--package",
        "foo",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ];
    let output = Command::new(env!("CARGO")).args(tree).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates = tree
        .lines()
        .filter(|line| !line.contains("(/"))
        .filter_map(|line| line.split(' ').next());
    assert_eq!(
        crates.map(String::from).collect::<BTreeSet<_>>(),
        documented().1
    );
}

/// Each library more to load would show in the start. libsystemd's own come with it.
#[test]
fn only_libsystemd_and_libc_are_loaded() {
    for program in [env!("CARGO_BIN_EXE_foo"), env!("CARGO_BIN_EXE_foocl")] {
        let output = Command::new("readelf")
            .args(["--wide", "--dynamic", program])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let needed = text.lines().filter(|line| line.contains("(NEEDED)"));
        let names = needed
            .filter_map(|line| line.split(['[', ']']).nth(1))
            .filter(|name| !name.starts_with("ld-"));
        let names: BTreeSet<_> = names.collect();
        assert!(
            names.is_subset(&BTreeSet::from(["libsystemd.so.0", "libc.so.6"])),
            "{program}: {names:?}"
        );
        assert!(names.contains("libc.so.6"), "{program}: {text}");
    }
}

#[test]
fn all_come_from_one_registry() {
    let locks = [read("Cargo.lock"), read("fuzz/Cargo.lock")];
    let sources = locks.iter().flat_map(|lock| {
        lock.lines()
            .filter_map(|line| line.strip_prefix("source = "))
    });
    let sources: BTreeSet<_> = sources.collect();
    assert!(
        sources.len() == 1
            && sources
                .iter()
                .all(|source| source.starts_with("\"registry+")),
        "{sources:?}"
    );
}

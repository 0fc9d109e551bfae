//! `src/pregenerated.rs` has what bindgen generates from the headers of each release.
//!
//! With `PREGENERATE=1` in the environment, the test writes the file first.

mod common;

use common::{BINDINGS, filter, output};
use std::{collections::BTreeSet, env, fs};

/// The modules of the file, with those that they use.
const MODULES: [&str; 4] = ["system", "id128", "daemon", "journal"];

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pregenerated.rs");

/// Returns the items of a module, but for those that differ between processors.
fn items<'a>(bindings: &'a str, module: &str) -> Vec<&'a str> {
    let start = format!("pub mod {module} {{");
    let text = &bindings[bindings.find(&start).expect("the module") + start.len()..];
    let (mut items, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (end, byte) in (1..).zip(text.bytes()) {
        depth += i32::from(b"{[".contains(&byte)) - i32::from(b"}]".contains(&byte));
        if depth < 0 {
            break;
        }
        let is_last = match byte {
            b'}' => !text[end..].trim_start().starts_with(';'),
            byte => byte == b';',
        };
        if depth == 0 && is_last {
            // bindgen names itself in a comment before the first item.
            items.extend(text[begin..end].rsplit("*/").next());
            begin = end;
        }
    }
    // A va_list, and the alignment in bindgen's assertions.
    items.retain(|item| !item.contains("va_list") && !compact(item).contains("const_:()="));
    items
}

/// Returns an item without blanks, and a function without the names of its parameters, which
/// differ between releases.
fn compact(item: &str) -> String {
    let item = item.split_whitespace().collect::<String>().replace(",)", ")").replace(",}", "}");
    if !item.contains("fn") {
        return item;
    }
    let without_name = |part: &str| match part.split_once(':') {
        Some((name, rest))
            if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
        {
            rest.to_owned()
        }
        _ => part.to_owned(),
    };
    item.split_inclusive(['(', ',']).map(without_name).collect()
}

/// Writes the file.
fn pregenerate(version: &str) {
    let mut text = format!(
        "// What bindgen generates from the headers of libsystemd {version}, but for what differs \
         between processors.\n// A test compares it with them, and writes it: see CONTRIBUTING.md.\n"
    );
    for module in MODULES {
        let before = BINDINGS.split(&format!("pub mod {module} {{")).next().unwrap();
        let about = before.lines().last().unwrap();
        text +=
            &format!("\n{about}\npub mod {module} {{ {} }}\n", items(BINDINGS, module).concat());
    }
    fs::write(FILE, filter("rustfmt", &["--edition=2024"], &text)).unwrap();
}

#[test]
fn the_pregenerated_bindings_are_those_of_the_headers() {
    let version = output("pkg-config", &["--modversion", "libsystemd"]);
    let version = version.split(|digit: char| !digit.is_ascii_digit()).next().unwrap();
    if env::var_os("PREGENERATE").is_some() {
        pregenerate(version);
    }
    let pregenerated = fs::read_to_string(FILE).unwrap();
    let of_this_release = pregenerated.lines().next().unwrap().contains(version);
    for module in MODULES {
        let all = |bindings| -> BTreeSet<_> {
            items(bindings, module).into_iter().map(compact).collect()
        };
        let (ours, theirs) = (all(&pregenerated), all(BINDINGS));
        assert!(theirs.len() > 1, "only {theirs:?} seen in {module}");
        let missing: Vec<_> = theirs.difference(&ours).collect();
        assert!(missing.is_empty(), "{module} lacks what libsystemd {version} has: {missing:#?}");
        let added: Vec<_> = ours.difference(&theirs).collect();
        let none = added.is_empty() || !of_this_release;
        assert!(none, "{module} has what libsystemd {version} lacks: {added:#?}");
    }
}

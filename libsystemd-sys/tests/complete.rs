//! The bindings have everything that the library exports and that its headers declare.

mod common;

use common::{BINDINGS, headers, library, output, preprocess};
use std::collections::{BTreeMap, BTreeSet};

/// Returns each bound function: its module, its name and its address. The linker has to find each
/// of them.
fn functions() -> impl Iterator<Item = (&'static str, &'static str, *const ())> {
    let functions: &[(&str, &str, *const ())] =
        &include!(concat!(env!("OUT_DIR"), "/functions.rs"));
    functions.iter().copied()
}

/// Returns the names in C or Rust code that have a prefix of libsystemd.
fn names(text: &str) -> BTreeSet<&str> {
    let words =
        text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("sd_") || word.starts_with("SD_")).collect()
}

#[test]
fn every_function_is_bound() {
    let library = library();
    let symbols = output("nm", &["--dynamic", "--defined-only", library.to_str().unwrap()]);
    // In the output of nm, T marks a function, and B, D and R mark data.
    let exported = |kinds: &[&str]| -> BTreeSet<&str> {
        let symbols =
            symbols.lines().map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
        let symbols = symbols.filter(|symbol| kinds.contains(&symbol[0])).map(|symbol| symbol[1]);
        let names = symbols.map(|symbol| symbol.split('@').next().unwrap());
        names.filter(|name| name.starts_with("sd_")).collect()
    };
    let (exported, data) = (exported(&["T"]), exported(&["B", "D", "R"]));
    assert_eq!(data, BTreeSet::from(["sd_bus_object_vtable_format"]), "exported data");
    assert!(data.is_subset(&names(BINDINGS)), "not bound: {data:?}");
    let bound: BTreeSet<_> = functions().map(|(_, name, _)| name).collect();
    let missing: Vec<_> = exported.difference(&bound).collect();
    let none = if missing.is_empty() { "none" } else { "some" };
    let version = output("pkg-config", &["--modversion", "libsystemd"]);
    let version = version.trim();
    // A row of the table that `make check-releases` prints.
    println!("| {version} | {} | {} | {none} |", exported.len(), bound.len());
    assert!(exported.len() > 500, "only {} functions seen in {library:?}", exported.len());
    assert!(missing.is_empty(), "exported and not bound: {missing:?}");
    assert!(
        bound.is_subset(&exported),
        "bound and not exported: {:?}",
        bound.difference(&exported)
    );
    assert!(functions().all(|(_, _, address)| !address.is_null()));
}

#[test]
fn every_function_is_in_the_module_of_its_header() {
    let mut texts = BTreeMap::new();
    for (module, name, _) in functions() {
        let header = format!("sd-{}.h", module.replace('_', "-"));
        let text = texts.entry(module).or_insert_with(|| headers().remove(&header).unwrap());
        // A macro declares some of them in pairs, such as sd_bus_ref and sd_bus_unref.
        let stem = name.trim_end_matches("_unref").trim_end_matches("_ref");
        let names = names(text);
        assert!(
            names.contains(name) || names.contains(stem),
            "{name} is bound in {module}, but {header} does not declare it"
        );
    }
}

/// Returns whether a name needs no binding.
fn needs_no_binding(name: &str, declaration: &str) -> bool {
    // The library does not export inline functions. The other names only make an enumeration wider.
    declaration.contains("inline") || name.ends_with("_INT64_MIN") || name.ends_with("_INT64_MAX")
}

#[test]
fn every_declaration_is_bound() {
    let text = preprocess(&["-E", "-P"]);
    let bound = names(BINDINGS);
    let unbound: Vec<_> = names(&text).into_iter().filter(|name| !bound.contains(name)).collect();
    let declaration =
        |name: &str| text.split([';', '{', '}']).find(|text| names(text).contains(name)).unwrap();
    let missing: Vec<_> =
        unbound.into_iter().filter(|name| !needs_no_binding(name, declaration(name))).collect();
    assert!(missing.is_empty(), "declared and not bound: {missing:?}");
    let widens = BINDINGS.contains("_INT64_MIN") || BINDINGS.contains("_INT64_MAX");
    assert!(!widens, "what only widens an enumeration is bound");
}

/// Macros that have no value in Rust: initializers of an array element, or argument lists.
const NO_VALUE: [&str; 6] = [
    "SD_BUS_ERROR_MAP_END",
    "SD_BUS_NO_ARGS",
    "SD_BUS_NO_RESULT",
    "SD_BUS_VTABLE_END",
    "SD_JSON_BUILD_EMPTY_ARRAY",
    "SD_JSON_BUILD_EMPTY_OBJECT",
];

#[test]
fn every_macro_with_a_value_is_bound() {
    let text = preprocess(&["-E", "-dM"]);
    let defined = text.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let defined = defined.filter(|(name, value)| {
        name.starts_with("SD_") && !name.contains('(') && !value.is_empty()
    });
    let bound: BTreeSet<_> = BINDINGS
        .split("pub const ")
        .filter_map(|rest| rest.split_once(':'))
        .map(|(name, _)| name.trim())
        .collect();
    let (mut count, mut missing) = (0, Vec::new());
    for (name, value) in defined {
        count += 1;
        if !bound.contains(name) && !NO_VALUE.contains(&name) {
            missing.push((name, value));
        }
    }
    assert!(count > 150, "only {count} macros seen");
    assert!(missing.is_empty(), "defined and not bound: {missing:?}");
}

#[test]
fn each_module_links_to_its_manual_page() {
    for (header, page) in [("sd-daemon.h", "sd-daemon"), ("sd-bus-protocol.h", "sd-bus")] {
        let link = format!(
            "[{page}](https://www.freedesktop.org/software/systemd/man/latest/{page}.html)"
        );
        assert!(BINDINGS.contains(&format!("/// `<systemd/{header}>`: see {link}.\n")), "{header}");
    }
}

//! The documents name only options, commands, tests and files that exist.

mod common;

use common::{TempDir, foo, foocl, have, patient, persist};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// The Markdown files of the root and of its directories, without build output.
fn documents() -> Vec<String> {
    let list = Command::new("find")
        .args([".", "-maxdepth", "2", "-name", "*.md", "-not", "-path", "./target/*"])
        .current_dir(root())
        .output()
        .unwrap();
    let paths = String::from_utf8(list.stdout).unwrap();
    let paths: Vec<_> = paths.lines().map(str::to_owned).collect();
    assert!(paths.iter().any(|path| path == "./README.md"), "{paths:?}");
    paths
}

/// The words after each occurrence of `before`, up to the first character that no name contains.
fn names_after(text: &str, before: &str) -> Vec<String> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    text.split(before)
        .skip(1)
        .map(|rest| rest.chars().take_while(|&character| is_name(character)))
        .map(String::from_iter)
        .collect()
}

/// The options that a list of items begins with, such as `-h` and `--help`.
fn options<'a>(items: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    items
        .flat_map(|item| item.split([' ', ',', ')', '\'']))
        .filter(|word| word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_manual_page_and_completion_have_the_same_options() {
    for (program, page, completion) in
        [(foo(), "man/foo.8", "completions/foo"), (foocl(), "man/foocl.1", "completions/foocl")]
    {
        let help = Command::new(program).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        // Two spaces separate an option from its description.
        let items = help.lines().filter_map(|line| line.trim_start().split("  ").next());
        let in_help = options(items.filter(|item| item.starts_with('-')));
        assert!(in_help.contains("--help"), "{help}");

        let page_text = read(page).replace("Fl ", "-");
        let in_page = options(page_text.lines().filter_map(|line| line.strip_prefix(".It ")));
        assert_eq!(in_help, in_page, "--help and {page}");

        let is_long = |option: &String| option.starts_with("--");
        let long: BTreeSet<_> = in_help.into_iter().filter(is_long).collect();
        let completion_text = read(completion);
        let mut completed = options(completion_text.lines());
        // `compgen` separates its options from the word with `--`.
        completed.retain(|option| is_long(option) && option != "--");
        assert_eq!(long, completed, "--help and {completion}");
    }
}

#[test]
fn the_catalog_explains_each_report() {
    let ids = |file: &str, before: &str| {
        let ids = names_after(&read(file), before).into_iter().filter(|id| id.len() == 32);
        ids.collect::<BTreeSet<_>>()
    };
    let reports = ids("src/daemon/catalog.rs", "MESSAGE_ID=");
    assert!(!reports.is_empty(), "no report");
    assert_eq!(reports, ids("units/foo.catalog", "\n-- "), "the catalog");
}

#[test]
fn links_lead_to_files() {
    for document in documents() {
        for link in read(&document).split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap();
            let file = root().join(&document).with_file_name(target);
            assert!(
                target.starts_with("https://") || target.is_empty() || file.exists(),
                "{document} links to {target}, which does not exist"
            );
        }
    }
}

#[test]
fn commands_name_targets_and_tests_that_exist() {
    let makefile = read("Makefile");
    let manifest = read("Cargo.toml");
    for document in documents() {
        let text = read(&document);
        // Only commands in code: prose uses "make" as a verb.
        for target in [names_after(&text, "`make "), names_after(&text, "\n    make ")].concat() {
            assert!(
                target.is_empty() || makefile.contains(&format!("\n{target}:")),
                "{document}: make {target}"
            );
        }
        for test in names_after(&text, "--test ") {
            let files = ["", "libsystemd-safe/"].map(|package| format!("{package}tests/{test}"));
            let exists = files.iter().any(|file| {
                [".rs", "/main.rs"].iter().any(|end| root().join(format!("{file}{end}")).exists())
            });
            assert!(exists, "{document}: --test {test}");
        }
        for bench in names_after(&text, "--bench ") {
            let named = format!("name = \"{bench}\"");
            assert!(manifest.contains(&named), "{document}: --bench {bench}");
        }
    }
}

#[test]
fn each_way_to_send_works() {
    let readme = read("README.md");
    let dir = TempDir::new();
    let receiver = patient(dir.socket("foo.socket"));
    let code = |language: &str| {
        let code = readme.split(&format!("\n```{language}\n")).nth(1).expect(language);
        let code = code.split("```").next().unwrap();
        code.replace("/run/foo.socket", dir.join("foo.socket").to_str().unwrap())
    };
    let c =
        format!("#include <sys/socket.h>\n#include <sys/un.h>\nint main(void) {{{}}}", code("c"));
    let rust = format!(
        "use std::{{io, os::unix::net::UnixDatagram}};\nfn main() -> io::Result<()> {{{}Ok(())}}",
        code("rust")
    );
    for (program, package, file, source, command) in [
        ("python3", "python3", "send.py", code("python"), "python3 send.py"),
        ("cc", "gcc", "send.c", c, "cc -Wall -Werror -D_GNU_SOURCE -o c send.c && ./c"),
        ("rustc", "rustc", "send.rs", rust, "rustc --edition=2024 -o rust send.rs && ./rust"),
    ] {
        if !have(program, package, "each_way_to_send_works") {
            continue;
        }
        fs::write(dir.join(file), source).unwrap();
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", command]).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        let mut buffer = [0; 16];
        let length = persist(|| receiver.recv(&mut buffer)).unwrap();
        assert_eq!(&buffer[..length], b"hello", "{command}");
    }
}

#[test]
fn the_picture_is_drawn_from_its_source() {
    let source = read("docs/path.dot");
    let picture = read("docs/path.svg").replace("&#45;", "-");
    let labels = source.split("label=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let lines: Vec<_> = labels.flat_map(|label| label.split("\\n")).collect();
    assert!(lines.len() > 8, "{lines:?}");
    for line in lines {
        let text = line.replace('<', "&lt;").replace('>', "&gt;");
        assert!(picture.contains(&format!(">{text}<")), "make picture: {text}");
    }
}

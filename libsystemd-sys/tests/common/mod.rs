//! The library and the headers that the bindings are held against.
#![allow(dead_code, reason = "each test has its own use of them")]

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// What was generated.
pub const BINDINGS: &str = include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// The library that this process runs on.
pub fn library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps
        .lines()
        .find(|line| line.contains("/libsystemd.so"))
        .unwrap();
    PathBuf::from(&line[line.find('/').unwrap()..])
}

/// What a program writes; it has to succeed.
pub fn output(program: &str, arguments: &[&str]) -> String {
    filter(program, arguments, "")
}

/// What a program writes about its input; it has to succeed.
pub fn filter(program: &str, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    let command = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The compiler's arguments that let it find the headers, as pkg-config tells.
fn include_arguments() -> Vec<String> {
    let flags = output(
        "pkg-config",
        &["--cflags", "--keep-system-cflags", "libsystemd"],
    );
    // Where another system's headers are tested, those of its libc are named there.
    let flags = flags + &env::var("BINDGEN_EXTRA_CLANG_ARGS").unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

/// The text of each public header, by its name.
pub fn headers() -> BTreeMap<String, String> {
    let directories = include_arguments()
        .into_iter()
        .filter_map(|flag| flag.strip_prefix("-I").map(PathBuf::from));
    let directory = directories
        .map(|path| path.join("systemd"))
        .find(|path| path.is_dir())
        .unwrap();
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let headers = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let public = headers.filter(|(name, _)| name.starts_with("sd-"));
    public
        .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
        .collect()
}

/// What the C compiler makes of a program that includes all headers and ends with `code`.
pub fn compile(arguments: &[&str], code: &str) -> String {
    let include: Vec<_> = headers()
        .keys()
        .map(|name| format!("#include <systemd/{name}>\n"))
        .collect();
    let text = include.concat() + code;
    let found = include_arguments();
    let arguments: Vec<_> = found
        .iter()
        .map(String::as_str)
        .chain(arguments.iter().copied())
        .chain(["-x", "c", "-"])
        .collect();
    filter("cc", &arguments, &text)
}

/// What the preprocessor makes of all headers.
pub fn preprocess(arguments: &[&str]) -> String {
    compile(arguments, "")
}

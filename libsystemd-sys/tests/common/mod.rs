//! The library and the headers that the tests compare the bindings with.
#![allow(dead_code, reason = "each test uses only some of the functions")]

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The generated code.
pub const BINDINGS: &str = include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// Returns the path of the library that this process runs with.
pub fn library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.contains("/libsystemd.so")).unwrap();
    PathBuf::from(&line[line.find('/').unwrap()..])
}

/// Runs a program, which must succeed, and returns its output.
pub fn output(program: &str, arguments: &[&str]) -> String {
    filter(program, arguments, "")
}

/// Runs a program with an input. The program must succeed. Returns its output.
pub fn filter(program: &str, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the arguments with which the compiler finds the headers, from pkg-config.
fn include_arguments() -> Vec<String> {
    let flags = output("pkg-config", &["--cflags", "--keep-system-cflags", "libsystemd"]);
    // Has the directory of libc's headers if the headers of another system are tested.
    let flags = flags + &env::var("BINDGEN_EXTRA_CLANG_ARGS").unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

/// Returns the text of each public header, by file name.
pub fn headers() -> BTreeMap<String, String> {
    let directories = include_arguments()
        .into_iter()
        .filter_map(|flag| flag.strip_prefix("-I").map(PathBuf::from));
    let directory =
        directories.map(|path| path.join("systemd")).find(|path| path.is_dir()).unwrap();
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let headers = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let public = headers.filter(|(name, _)| name.starts_with("sd-"));
    public.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

/// Compiles a C program that includes all headers and ends with `code`. Returns the compiler's
/// output.
pub fn compile(arguments: &[&str], code: &str) -> String {
    let include: Vec<_> =
        headers().keys().map(|name| format!("#include <systemd/{name}>\n")).collect();
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

/// Returns the preprocessor's output for all headers.
pub fn preprocess(arguments: &[&str]) -> String {
    compile(arguments, "")
}

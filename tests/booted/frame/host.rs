//! The machine that the tests run on: its programs, and the project's directory.

use std::env;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// The project's directory.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Prints a line that the test harness does not capture.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "booted: {line}");
}

/// Returns whether a test that can't run is an error: `CI` is set.
pub fn must_run() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Returns whether this is a soak: cases run longer, and on all releases.
pub fn soaks() -> bool {
    env::var_os("FOO_SOAK").is_some_and(|value| !value.is_empty())
}

/// Returns how often a case repeats a step: `soak` times in a soak, at most four times otherwise.
pub fn times(soak: u64) -> u64 {
    if soaks() { soak } else { soak.min(4) }
}

/// Checks that containers can be booted. The error names the remedy.
pub fn can_boot() -> Result<(), String> {
    if fs::metadata("/proc/self").map_err(error)?.uid() != 0 {
        return Err("containers need root: run this as root".to_owned());
    }
    needs("systemd-nspawn", "systemd-container")?;
    needs("nsenter", "util-linux")
}

/// Checks that a program is installed. The error names its package.
pub fn needs(program: &str, package: &str) -> Result<(), String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|directory| directory.join(program).exists());
    if found { Ok(()) } else { Err(format!("{program} is missing: install {package}")) }
}

/// Runs a program that must succeed. Returns its output.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// Returns an error as text.
pub fn error(error: impl Display) -> String {
    error.to_string()
}

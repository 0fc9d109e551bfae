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

/// Says something, also where the test harness would keep it to itself.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "booted: {line}");
}

/// Whether whatever cannot run is an error.
pub fn must_run() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Whether cases take as long as they like, on all releases.
pub fn soaks() -> bool {
    env::var_os("FOO_SOAK").is_some_and(|value| !value.is_empty())
}

/// How often a case does something: so often in a soak, a few times in a check.
pub fn times(soak: u64) -> u64 {
    if soaks() { soak } else { soak.min(4) }
}

/// Whether containers can be booted here; if not, why and what would help.
pub fn can_boot() -> Result<(), String> {
    if fs::metadata("/proc/self").map_err(error)?.uid() != 0 {
        return Err("containers need root: run this as root".to_owned());
    }
    needs("systemd-nspawn", "systemd-container")?;
    needs("nsenter", "util-linux")
}

/// The program has to be there; otherwise the package to install is the answer.
pub fn needs(program: &str, package: &str) -> Result<(), String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|directory| directory.join(program).exists());
    if found {
        Ok(())
    } else {
        Err(format!("{program} is missing: install {package}"))
    }
}

/// Runs a program that has to succeed, and gives what it printed.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!(
            "{command:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}

/// An error as text.
pub fn error(error: impl Display) -> String {
    error.to_string()
}

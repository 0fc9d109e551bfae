//! The package under test, and a copy of it with an earlier version, to upgrade from.

use super::host::{error, needs, project, run, say};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The files that the package is built from.
const SOURCES: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "Makefile",
    "build.rs",
    "completions",
    "debian",
    "libsystemd-safe",
    "libsystemd-sys",
    "man",
    "src",
    "units",
];

/// The version of the package to upgrade from.
pub const OLD: &str = "1.2.99";

/// The directory that holds both, as `new.deb` and `old.deb`.
pub fn directory() -> PathBuf {
    project().join("target/package")
}

/// Makes both, unless they are newer than [`SOURCES`]. `FOO_PACKAGE_UNDER_TEST` names a package to
/// test in place of the one that `make deb` builds.
pub fn make() -> Result<(), String> {
    needs("dpkg-deb", "dpkg")?;
    let (new, old) = (directory().join("new.deb"), directory().join("old.deb"));
    // find(1) fails if there is none.
    let newer =
        run(Command::new("find").args(SOURCES).arg("-newer").arg(&old).current_dir(project()));
    let fresh = newer.is_ok_and(|files| files.is_empty());
    let other = env::var_os("FOO_PACKAGE_UNDER_TEST").map(PathBuf::from);
    if fresh && other.is_none() {
        return Ok(());
    }
    fs::create_dir_all(directory()).map_err(error)?;
    let _ = fs::remove_file(&old);
    let package = other.map_or_else(build, Ok)?;
    fs::copy(package, &new).map_err(error)?;
    age(&new, &old)?;
    // The next run must not find a package that this variable named.
    if env::var_os("FOO_PACKAGE_UNDER_TEST").is_some() {
        fs::File::open(&old)
            .and_then(|old| old.set_modified(SystemTime::UNIX_EPOCH))
            .map_err(error)?;
    }
    Ok(())
}

/// Builds the package for this machine. Its tests are left out, since `make check` runs them;
/// cargo's target directory is shared.
fn build() -> Result<PathBuf, String> {
    needs("dh", "debhelper")?;
    needs("dpkg-buildpackage", "dpkg-dev")?;
    say("building the package, which takes about a minute");
    let built = directory().join("dist");
    let _ = fs::remove_dir_all(&built);
    run(Command::new(project().join("tools/deb"))
        .args(["", ""])
        .arg(&built)
        .env("DEB_BUILD_OPTIONS", "nocheck")
        .env("CARGO_TARGET_DIR", project().join("target"))
        .stdin(std::process::Stdio::null()))?;
    let mut packages = fs::read_dir(&built).map_err(error)?.flatten().map(|entry| entry.path());
    let is_foo = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("foo_") && name.ends_with(".deb")
    };
    packages.find(is_foo).ok_or_else(|| format!("no package in {}", built.display()))
}

/// Packs the package again with the earlier version.
fn age(new: &Path, old: &Path) -> Result<(), String> {
    let tree = directory().join("tree");
    let _ = fs::remove_dir_all(&tree);
    run(Command::new("dpkg-deb").arg("--raw-extract").args([new, &tree]))?;
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).map_err(error)?;
    let line = |line| {
        if str::starts_with(line, "Version: ") {
            format!("Version: {OLD}\n")
        } else {
            format!("{line}\n")
        }
    };
    fs::write(&control, text.lines().map(line).collect::<String>()).map_err(error)?;
    run(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).args([&tree, old]))
        .map(drop)
}

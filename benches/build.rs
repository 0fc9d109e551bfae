//! The time of a clean build, and of the bindings alone.

use crate::contender::{Column, run};
use crate::figure::Figure;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Builds foo in a new directory, and removes it. libsystemd-sys is built first: bindgen with its
/// dependencies, and the bindings.
pub fn figures(out: &Path) -> [Figure; 2] {
    let target = out.join("build");
    let seconds = |arguments: &[&str]| {
        let start = Instant::now();
        let target = target.as_os_str();
        run(Command::new("cargo")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--release", "--locked", "--quiet", "--target-dir"])
            .arg(target)
            .args(arguments));
        start.elapsed().as_secs_f64()
    };
    let bindings = seconds(&["--package", "libsystemd-sys"]);
    let all = bindings + seconds(&[]);
    std::fs::remove_dir_all(&target).unwrap();
    let figure = |name, value| {
        let mut figure = Figure::new(name, "s");
        figure.add(Column::Foo, value);
        figure
    };
    [
        figure("build time of a clean `make`", all),
        figure("build time of libsystemd-sys alone (bindgen)", bindings),
    ]
}

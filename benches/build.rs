//! How long a clean build takes, and what of it the bindings.

use crate::contender::{Column, run};
use crate::figure::Figure;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Builds foo anew, in a directory that is removed: first libsystemd-sys, which is bindgen with its
/// dependencies and the making of the bindings, then the rest.
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
        figure("a clean `make`", all),
        figure("of that libsystemd-sys with bindgen", bindings),
    ]
}

//! The time of a clean build, and of the wrapper alone, with bindgen and without.

use crate::contender::{Column, run};
use crate::figure::Figure;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Builds foo and the wrapper in new directories, and removes them.
pub fn figures(out: &Path) -> [Figure; 3] {
    let target = out.join("build");
    let build = |arguments: &[&str]| {
        let _ = std::fs::remove_dir_all(&target);
        let (start, before) = (Instant::now(), processor_seconds());
        run(Command::new("cargo")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--release", "--locked", "--quiet", "--target-dir"])
            .arg(&target)
            .args(arguments));
        let seconds = (start.elapsed().as_secs_f64(), processor_seconds() - before);
        std::fs::remove_dir_all(&target).unwrap();
        seconds
    };
    let wrapper = ["--package", "libsystemd-safe"];
    let figure = |name, value| {
        let mut figure = Figure::new(name, "s");
        figure.add(Column::Foo, value);
        figure
    };
    [
        figure("build time of a clean `make`", build(&[]).0),
        figure("processor time of a clean build of libsystemd-safe", build(&wrapper).1),
        figure(
            "the same without the feature `bindgen`",
            build(&[&wrapper[..], &["--no-default-features"]].concat()).1,
        ),
    ]
}

/// Returns the processor time of all children that have ended, in seconds.
fn processor_seconds() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
}

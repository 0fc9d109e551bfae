//! Checks that the installed libsystemd has what the features need.

#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{env, process::ExitCode};

/// The releases of libsystemd that have a feature of their own.
const FEATURE_RELEASES: [u32; 3] = [254, 256, 258];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    // Set by `links` and `cargo::metadata` of libsystemd-sys.
    let version = env::var("DEP_SYSTEMD_VERSION").unwrap_or_else(|_| "an unknown version".into());
    let number = version.split(|digit: char| !digit.is_ascii_digit()).next();
    let number: u32 = number.and_then(|number| number.parse().ok()).unwrap_or(0);
    for release in FEATURE_RELEASES {
        if env::var_os(format!("CARGO_FEATURE_V{release}")).is_some() && number < release {
            println!(
                "cargo::error=the feature v{release} needs libsystemd {release} or newer, \
                 and this is {version}"
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

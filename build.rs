//! Passes the version of libsystemd to `foo --version`.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Set by `links` and `cargo::metadata` of libsystemd-sys.
    let version = env::var("DEP_SYSTEMD_VERSION").unwrap_or_else(|_| "an unknown version".into());
    println!("cargo::rustc-env=LIBSYSTEMD_VERSION={version}");
}

//! Hands the version of the libsystemd that libsystemd-sys found on, to `foo --version` and, as `libsystemd_254`
//! and the like, to the parts of the wrapper that need a newer one than 247; links the unwinder.

use std::env;

/// The releases that brought what the wrapper has.
const NEWER: [u32; 3] = [254, 256, 258];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Set by `links` and `cargo::metadata` of libsystemd-sys.
    let version = env::var("DEP_SYSTEMD_VERSION").unwrap_or_else(|_| "an unknown version".into());
    println!("cargo::rustc-env=LIBSYSTEMD_VERSION={version}");
    let number = version.split(|digit: char| !digit.is_ascii_digit()).next();
    let number: u32 = number.and_then(|number| number.parse().ok()).unwrap_or(0);
    for release in NEWER {
        println!("cargo::rustc-check-cfg=cfg(libsystemd_{release})");
        if number >= release {
            println!("cargo::rustc-cfg=libsystemd_{release}");
        }
    }
    // The C compiler's archive comes before libgcc_s, which is then not needed: to load it is a tenth of foo's start.
    if env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

//! Hands the version of the libsystemd that libsystemd-sys found on, to `foo --version` and, as `libsystemd_254`
//! and the like, to the parts of the wrapper that need a newer one than 247. Finds the unwinder that foo links.

use std::{env, path::PathBuf, process::Command};

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
    println!("cargo::rustc-check-cfg=cfg(libgcc_eh)");
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if let (true, Some(directory)) = (release && env::var_os("TARGET") == env::var_os("HOST"), libgcc_eh()) {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-cfg=libgcc_eh");
    }
}

/// The directory of the compiler's archive with the unwinder, where it has one.
fn libgcc_eh() -> Option<PathBuf> {
    let output = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output().ok()?;
    // Where there is none, the name comes back as it was.
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    path.parent().filter(|directory| directory.is_absolute()).map(PathBuf::from)
}

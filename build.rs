//! Hands the version of the libsystemd that libsystemd-sys found on, to `foo --version` and, as `libsystemd_254`
//! and the like, to the parts of the wrapper that need a newer one than 247. Links the unwinder.

use std::{env, path::Path, process::Command};

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
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if release && env::var_os("TARGET") == env::var_os("HOST") {
        link_unwinder();
    }
}

/// Links what std needs of the unwinder from the compiler's archive, which takes less memory and a shorter start
/// than libgcc_s does: the linker leaves that one out where nothing is left that needs it.
fn link_unwinder() {
    let Ok(output) = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output() else { return };
    let path = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    // Where there is none, the name comes back as it was, and libgcc_s stays.
    if let Some(directory) = Path::new(&path).parent().filter(|directory| directory.is_absolute()) {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:+whole-archive,-bundle=gcc_eh");
    }
}

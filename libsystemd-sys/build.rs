//! Finds libsystemd with pkg-config, and generates bindings from its headers, unless the feature
//! `bindgen` is off.

#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

#[cfg(feature = "bindgen")]
#[path = "build/constants.rs"]
mod constants;
#[cfg(feature = "bindgen")]
#[path = "build/generate.rs"]
mod generate;

use std::{error::Error, process::ExitCode};

/// Oldest supported libsystemd: the one of Debian 11.
const OLDEST_VERSION: &str = "247";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("libsystemd-sys: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let library = find_library()?;
    // Cargo passes it to the build scripts of dependent packages, as DEP_SYSTEMD_VERSION.
    println!("cargo::metadata=version={}", library.version);
    #[cfg(feature = "bindgen")]
    generate::generate(&library.include_paths)?;
    Ok(())
}

/// Finds libsystemd for the target with pkg-config.
fn find_library() -> Result<pkg_config::Library> {
    let library = pkg_config::Config::new().atleast_version(OLDEST_VERSION).probe("libsystemd");
    Ok(library.map_err(|error| {
        format!(
            "libsystemd {OLDEST_VERSION} or newer is needed, with its headers, and pkg-config.\n\
             Install libsystemd-dev (Debian, Ubuntu), systemd-devel (Fedora, openSUSE)\n\
             or systemd-libs (Arch), and pkg-config.\n\
             For a cross build see libsystemd-sys/README.md.\n{error}"
        )
    })?)
}

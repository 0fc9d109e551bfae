//! Finds libsystemd with pkg-config and generates its bindings from the headers found.

use std::{env, error::Error, path::PathBuf, process::ExitCode};

/// The oldest libsystemd that is supported: Debian 11's.
const OLDEST: &str = "247";

fn main() -> ExitCode {
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("libsystemd-sys: {error}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=wrapper.h");
    let library = pkg_config::Config::new()
        .atleast_version(OLDEST)
        .probe("libsystemd")
        .map_err(|error| {
            format!(
                "libsystemd {OLDEST} or newer, with its headers, is needed. Install the package\n\
                 libsystemd-dev (Debian, Ubuntu), systemd-devel (Fedora, openSUSE) or systemd-libs (Arch),\n\
                 and pkg-config; for a cross build let PKG_CONFIG_LIBDIR name the target's .pc files.\n{error}"
            )
        })?;
    // Reaches the packages that depend on this one as DEP_SYSTEMD_VERSION.
    println!("cargo::metadata=version={}", library.version);

    let include = |path: &PathBuf| format!("-I{}", path.display());
    let out = PathBuf::from(env::var("OUT_DIR")?).join("bindings.rs");
    bindgen::builder()
        .header("wrapper.h")
        .clang_args(library.include_paths.iter().map(include))
        .allowlist_item("_?(sd|SD)_.*")
        .generate_cstr(true)
        .wrap_unsafe_ops(true)
        .default_enum_style(bindgen::EnumVariation::ModuleConsts)
        .rust_target(bindgen::RustTarget::stable(82, 0).map_err(|_| "bindgen is too old")?)
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
        .generate()?
        .write_to_file(out)?;
    Ok(())
}

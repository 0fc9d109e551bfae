//! Finds libsystemd with pkg-config and generates its bindings from the headers found: one module a header,
//! so that newer headers bring newer modules and items by themselves.

#[path = "build/constants.rs"]
mod constants;

use constants::Macros;
use std::{
    env,
    error::Error,
    fs, panic,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The oldest libsystemd that is supported: Debian 11's.
const OLDEST: &str = "247";

/// What the headers take from the system's, and the libc crate has.
const FROM_LIBC: &str = "FILE|clockid_t|dev_t|gid_t|inotify_event|iovec|mode_t|pid_t|siginfo_t|signalfd_siginfo|\
    sockaddr|stat|timespec|uid_t";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A header of libsystemd.
struct Header {
    /// `sd-bus-vtable.h`
    file: String,
    /// `bus_vtable`
    module: String,
    /// Modules of the headers that it includes.
    includes: Vec<String>,
    macros: Macros,
}

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
    let library = library()?;
    // Reaches the packages that depend on this one as DEP_SYSTEMD_VERSION.
    println!("cargo::metadata=version={}", library.version);
    let headers = headers(&library.include_paths)?;
    let builder = builder(&library.include_paths)?;
    let (mut bindings, mut functions) = (bind_system(builder.clone(), &headers)?, String::new());
    for header in &headers {
        let (module, text) = (&header.module, bind(builder.clone(), header)?);
        for rest in text.split("pub fn ").filter(|rest| rest.starts_with("sd_")) {
            let name = rest.split('(').next().unwrap_or_default().trim();
            functions += &format!(
                "({module:?}, {name:?}, libsystemd_sys::{module}::{name} as *const ()),\n"
            );
        }
        bindings += &text;
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("bindings.rs"), bindings)?;
    // For the tests, which link each of them.
    fs::write(out.join("functions.rs"), format!("[{functions}]"))?;
    Ok(())
}

/// libsystemd, as pkg-config finds it for the target.
fn library() -> Result<pkg_config::Library> {
    let library = pkg_config::Config::new()
        .atleast_version(OLDEST)
        .probe("libsystemd");
    Ok(library.map_err(|error| {
        format!(
            "libsystemd {OLDEST} or newer, with its headers, is needed. Install the package\n\
             libsystemd-dev (Debian, Ubuntu), systemd-devel (Fedora, openSUSE) or systemd-libs (Arch),\n\
             and pkg-config; for a cross build see libsystemd-sys/README.md.\n{error}"
        )
    })?)
}

/// What all modules are generated with.
fn builder(include_paths: &[PathBuf]) -> Result<bindgen::Builder> {
    // bindgen panics if it is missing. The text below says more than the panic's.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let found = panic::catch_unwind(bindgen::clang_version);
    panic::set_hook(hook);
    found.map_err(|_| {
        "libclang is needed. Install the package libclang-dev (Debian, Ubuntu), clang-devel (Fedora, openSUSE)\n\
         or clang (Arch), or let LIBCLANG_PATH name the directory that it is in."
    })?;
    Ok(bindgen::builder()
        .clang_args(
            include_paths
                .iter()
                .map(|path| format!("-I{}", path.display())),
        )
        .generate_cstr(true)
        .wrap_unsafe_ops(true)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .prepend_enum_name(false)
        .blocklist_item("_sd_useless_.*")
        .rust_target(bindgen::RustTarget::stable(82, 0).map_err(|_| "bindgen is too old")?)
        .formatter(bindgen::Formatter::None)
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new())))
}

/// The public headers, wherever the compiler finds them.
fn headers(include_paths: &[PathBuf]) -> Result<Vec<Header>> {
    let directory = include_paths
        .iter()
        .map(PathBuf::as_path)
        .chain([Path::new("/usr/include")]);
    let directory = directory
        .map(|path| path.join("systemd"))
        .find(|path| path.join("sd-daemon.h").exists());
    let directory = directory.ok_or("libsystemd.pc is there and systemd/sd-daemon.h is not")?;
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut headers = Vec::new();
    for entry in fs::read_dir(&directory)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        let Some(module) = module(&file) else {
            continue;
        };
        let text = fs::read_to_string(directory.join(&file))?;
        let included = text
            .lines()
            .filter_map(|line| line.strip_prefix("#include \"")?.strip_suffix('"'));
        let includes = included.filter_map(self::module).collect();
        headers.push(Header {
            module,
            includes,
            macros: Macros::of(&text),
            file,
        });
    }
    headers.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(headers)
}

/// A module of the types that the headers use and don't declare.
fn bind_system(builder: bindgen::Builder, headers: &[Header]) -> Result<String> {
    let include: Vec<_> = headers
        .iter()
        .map(|header| format!("#include <systemd/{}>\n", header.file))
        .collect();
    let builder = builder
        .header_contents("system.h", &include.concat())
        .allowlist_file(".*/systemd/sd-[^/]*")
        .blocklist_file(".*/systemd/sd-[^/]*")
        .blocklist_type(FROM_LIBC)
        .opaque_type(FROM_LIBC);
    Ok(format!(
        "/// What the headers of libsystemd take from those of the system.\n\
         pub mod system {{ pub use libc::{{{}}}; {} }}\n",
        FROM_LIBC.replace('|', ", "),
        builder.generate()?
    ))
}

/// A module of what one header declares and, as in C, of what those declare that it includes.
fn bind(builder: bindgen::Builder, header: &Header) -> Result<String> {
    let Header {
        file,
        module,
        includes,
        macros,
    } = header;
    let builder = builder
        .header_contents(
            file,
            &format!("#include <systemd/{file}>\n{}", macros.variables()),
        )
        .allowlist_file(format!(".*/systemd/{file}"))
        .allowlist_var(format!("{}.*", constants::PREFIX))
        .allowlist_recursively(false);
    let includes: Vec<_> = includes
        .iter()
        .map(|module| format!("pub use super::{module}::*;"))
        .collect();
    let includes = includes.join(" ");
    let items = macros.complete(&builder.generate()?.to_string());
    Ok(format!(
        "/// `<systemd/{file}>`\npub mod {module} {{ use super::system::*; {includes} {items} }}\n"
    ))
}

/// `bus_vtable` for `sd-bus-vtable.h`; none for a header that is not public.
fn module(file: &str) -> Option<String> {
    Some(
        file.strip_prefix("sd-")?
            .strip_suffix(".h")?
            .replace('-', "_"),
    )
}

//! Generates the bindings from the installed headers: one module for each header. So newer headers
//! add modules and items without a change here.

use crate::{
    Result,
    constants::{self, Macros},
};
use std::{
    env, fs, panic,
    path::{Path, PathBuf},
};

/// Types that libsystemd's headers use, and that the libc crate declares.
const LIBC_TYPES: &str = "FILE|clockid_t|dev_t|gid_t|inotify_event|iovec|mode_t|pid_t|siginfo_t|\
    signalfd_siginfo|sockaddr|stat|timespec|uid_t";

/// Where systemd's manual pages are.
const MANUAL: &str = "https://www.freedesktop.org/software/systemd/man/latest/";

/// The manual pages of headers that have none of their own name.
const OTHER_PAGES: [(&str, &str); 5] = [
    ("sd-bus-protocol.h", "sd-bus"),
    ("sd-bus-vtable.h", "sd_bus_add_object_vtable"),
    ("sd-gpt.h", "systemd-gpt-auto-generator"),
    ("sd-messages.h", "systemd.journal-fields"),
    ("sd-varlink-idl.h", "sd-varlink"),
];

/// A header of libsystemd.
struct Header {
    /// File name, such as `sd-bus-vtable.h`.
    file: String,
    /// Module name, such as `bus_vtable`.
    module: String,
    /// Modules of the headers that this one includes.
    includes: Vec<String>,
    /// Macros that bindgen needs help with.
    macros: Macros,
}

/// Writes `bindings.rs` for lib.rs, and `functions.rs` for the tests.
pub fn generate(include_paths: &[PathBuf]) -> Result<()> {
    let headers = read_headers(include_paths)?;
    let builder = bindgen_builder(include_paths)?;
    let (mut bindings, mut functions) = (bind_system(builder.clone(), &headers)?, String::new());
    for header in &headers {
        let (module, text) = (&header.module, bind(builder.clone(), header)?);
        for item in text.split("pub fn ").filter(|item| item.starts_with("sd_")) {
            let name = item.split('(').next().unwrap_or_default().trim();
            functions += &format!(
                "({module:?}, {name:?}, libsystemd_sys::{module}::{name} as *const ()),\n"
            );
        }
        bindings += &text;
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("bindings.rs"), bindings)?;
    // The tests link each function.
    fs::write(out.join("functions.rs"), format!("[{functions}]"))?;
    Ok(())
}

/// Returns the bindgen settings that all modules share.
fn bindgen_builder(include_paths: &[PathBuf]) -> Result<bindgen::Builder> {
    // bindgen panics if libclang is missing. The error below is more helpful than the panic's.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let found = panic::catch_unwind(bindgen::clang_version);
    panic::set_hook(hook);
    found.map_err(|_| {
        "libclang is needed. Install libclang-dev (Debian, Ubuntu), clang-devel (Fedora,\n\
         openSUSE) or clang (Arch), or set LIBCLANG_PATH to the directory that it is in."
    })?;
    Ok(bindgen::builder()
        .clang_args(include_paths.iter().map(|path| format!("-I{}", path.display())))
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

/// Reads the public headers, from the directory in which the compiler finds them.
fn read_headers(include_paths: &[PathBuf]) -> Result<Vec<Header>> {
    let directory = include_paths.iter().map(PathBuf::as_path).chain([Path::new("/usr/include")]);
    let directory =
        directory.map(|path| path.join("systemd")).find(|path| path.join("sd-daemon.h").exists());
    let directory =
        directory.ok_or("pkg-config finds libsystemd, but systemd/sd-daemon.h is missing")?;
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut headers = Vec::new();
    for entry in fs::read_dir(&directory)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        let Some(module) = module_name(&file) else {
            continue;
        };
        let text = fs::read_to_string(directory.join(&file))?;
        let included =
            text.lines().filter_map(|line| line.strip_prefix("#include \"")?.strip_suffix('"'));
        let includes = included.filter_map(module_name).collect();
        headers.push(Header { module, includes, macros: Macros::parse(&text), file });
    }
    headers.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(headers)
}

/// Generates the module of the types that the headers use and do not declare.
fn bind_system(builder: bindgen::Builder, headers: &[Header]) -> Result<String> {
    let include: Vec<_> =
        headers.iter().map(|header| format!("#include <systemd/{}>\n", header.file)).collect();
    let builder = builder
        .header_contents("system.h", &include.concat())
        .allowlist_file(".*/systemd/sd-[^/]*")
        .blocklist_file(".*/systemd/sd-[^/]*")
        .blocklist_type(LIBC_TYPES)
        .opaque_type(LIBC_TYPES);
    Ok(format!(
        "/// Types that the headers of libsystemd take from the headers of the system.\n\
         pub mod system {{ pub use libc::{{{}}}; {} }}\n",
        LIBC_TYPES.replace('|', ", "),
        builder.generate()?
    ))
}

/// Generates the module of one header. As in C, it also has the items of the headers that this one
/// includes.
fn bind(builder: bindgen::Builder, header: &Header) -> Result<String> {
    let Header { file, module, includes, macros } = header;
    let builder = builder
        .header_contents(file, &format!("#include <systemd/{file}>\n{}", macros.variables()))
        .allowlist_file(format!(".*/systemd/{file}"))
        .allowlist_var(format!("{}.*", constants::PREFIX))
        .allowlist_recursively(false);
    let includes: Vec<_> =
        includes.iter().map(|module| format!("pub use super::{module}::*;")).collect();
    let includes = includes.join(" ");
    let items = macros.complete(&builder.generate()?.to_string());
    let page = manual_page(file);
    Ok(format!(
        "/// `<systemd/{file}>`: see [{page}]({MANUAL}{page}.html).\n\
         pub mod {module} {{ use super::system::*; {includes} {items} }}\n"
    ))
}

/// Returns the manual page that describes a header, without its section.
fn manual_page(file: &str) -> &str {
    let other = OTHER_PAGES.iter().find(|(header, _)| *header == file);
    other.map_or(file.trim_end_matches(".h"), |(_, page)| page)
}

/// Returns the module of a header, such as `bus_vtable` for `sd-bus-vtable.h`. Returns `None` if
/// the header is not public.
fn module_name(file: &str) -> Option<String> {
    Some(file.strip_prefix("sd-")?.strip_suffix(".h")?.replace('-', "_"))
}

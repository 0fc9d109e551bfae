//! A thin safe wrapper over libsystemd: each function is one call of the system's own library.
//!
//! Nothing here changes the environment, and no argument can make a call of a safe function undefined, or panic. One
//! function is unsafe, since only its caller can know what it asks:
//! [`listen_fds_with_names`](daemon::listen_fds_with_names). An error is what libsystemd returned, as an [`io::Error`], or `InvalidInput`, whose text tells
//! what is wrong with an argument.
//!
//! What takes a libsystemd newer than 247 says so, and comes with a feature of this package: `v254`, `v256`, `v258`.
//! For all else that the library can do, there is `libsystemd-sys`.

pub(crate) mod bounded;
pub mod daemon;
pub mod journal;

use std::{
    ffi::{CStr, OsStr, c_int, c_void},
    io,
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
};

/// Turns what libsystemd returns, a negative errno or a result, into a `Result`.
fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::from_raw_os_error(-result))
    } else {
        Ok(result)
    }
}

/// The error for an argument that libsystemd can't be given, with what is wrong with it.
fn invalid<T>(text: impl Into<String>) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, text.into()))
}

/// Path of the libsystemd that this process runs on, which may be newer than the one it was built with.
///
/// The name that symbolic links lead to is given, such as `libsystemd.so.0.35.0`: it tells one
/// release from another. `None` where the dynamic linker does not know. See dladdr(3).
///
/// ```
/// if let Some(path) = foo::systemd::library() {
///     println!("This runs on {}", path.display());
/// #   if let Some(root) = std::env::var_os("WRAPPER_ROOT") {
/// #       assert!(path.starts_with(root), "{path:?}");
/// #   }
/// }
/// ```
pub fn library() -> Option<PathBuf> {
    let function = libsystemd_sys::daemon::sd_notify as *const c_void;
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` has room for what is written, and any address may be asked for.
    if unsafe { libc::dladdr(function, info.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: all zeroes is a Dl_info, and dladdr succeeded, so its name is null or a string of
    // the dynamic linker's, which stays as long as the library is loaded: as long as this process.
    let name = unsafe {
        let info = info.assume_init();
        if info.dli_fname.is_null() {
            return None;
        }
        CStr::from_ptr(info.dli_fname)
    };
    PathBuf::from(OsStr::from_bytes(name.to_bytes()))
        .canonicalize()
        .ok()
}

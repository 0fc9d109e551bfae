//! A thin safe wrapper over libsystemd. Nearly every function makes one call of the system's
//! library.
//!
//! - [`daemon`]: sd-daemon(3), for services: passed sockets, notifications, watchdog.
//! - [`journal`]: the write side of sd-journal(3): structured entries, and streams of lines.
//!
//! `libsystemd-sys` has all other functions of the library.
//!
//! # Errors
//!
//! A function returns the error of libsystemd or of the kernel as an [`io::Error`] with its errno.
//! It returns `InvalidInput`, with a text that says what is wrong, for an argument that libsystemd
//! can't take.
//!
//! # Safety
//!
//! No argument of a safe function causes undefined behaviour or a panic. The only unsafe function
//! is [`listen_fds_with_names`](daemon::listen_fds_with_names): its caller promises that nothing
//! else owns the passed descriptors.
//!
//! # Threads and the environment
//!
//! Every function may be called from any thread, and from several at once. Functions read the
//! environment, such as `NOTIFY_SOCKET`, and never change it. [`std::env::set_var`] is unsafe, in
//! part because it must not run at the same time as such a read.
//!
//! # Versions
//!
//! Everything works with libsystemd 247 and newer. A function that needs a newer release says so,
//! and is behind one of the features `v254`, `v256` and `v258` of this package.

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

/// Converts a return value of libsystemd, which is a negative errno on failure.
fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::from_raw_os_error(-result)) } else { Ok(result) }
}

/// Returns `InvalidInput` with a text that says what is wrong with the argument.
fn invalid<T>(text: impl Into<String>) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, text.into()))
}

/// Returns the path of the libsystemd that this process runs with. It may be newer than the one it
/// was built with.
///
/// Symbolic links are resolved, so the file name identifies the release, such as
/// `libsystemd.so.0.35.0`. Returns `None` if the dynamic linker does not know the path, or if the
/// file is not there any more. See dladdr(3).
///
/// ```
/// if let Some(path) = foo::systemd::library() {
///     println!("This runs with {}", path.display());
/// #   if let Some(root) = std::env::var_os("WRAPPER_ROOT") {
/// #       assert!(path.starts_with(root), "{path:?}");
/// #   }
/// }
/// ```
pub fn library() -> Option<PathBuf> {
    let function = libsystemd_sys::daemon::sd_notify as *const c_void;
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` has room for what dladdr writes, and dladdr accepts any address.
    if unsafe { libc::dladdr(function, info.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: a Dl_info of zeros is valid, and dladdr succeeded. So the name is null, or a string
    // that the dynamic linker keeps while the library is loaded. The program links the library, so
    // that is until the process ends.
    let name = unsafe {
        let info = info.assume_init();
        if info.dli_fname.is_null() {
            return None;
        }
        CStr::from_ptr(info.dli_fname)
    };
    PathBuf::from(OsStr::from_bytes(name.to_bytes())).canonicalize().ok()
}

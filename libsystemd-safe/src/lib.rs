//! A thin safe wrapper over libsystemd. Nearly every function makes one call of the system's
//! library.
//!
//! - [`daemon`]: sd-daemon(3), for services: passed sockets, notifications, watchdog.
//! - [`journal`]: sd-journal(3): structured entries, streams of lines, and a reader.
//! - [`id128`]: sd-id128(3): IDs of the machine, the boot, the service's start and of messages.
//!
//! `libsystemd-sys` has all other functions of the library.
//!
//! # A complete service
//!
//! This service answers each connection to a socket that systemd listens on. `src/main.rs`:
//!
//! ```no_run
//! #![forbid(unsafe_code)]
//!
//! use libsystemd_safe::daemon::{NotifyState, listen_fds_with_names, notify};
//! use libsystemd_safe::journal::Priority;
//! use std::{io::Write, os::unix::net::UnixListener};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let passed = listen_fds_with_names()?.into_iter().next();
//!     let listener = UnixListener::try_from(passed.ok_or("start hello.socket")?)?;
//!     notify(&[NotifyState::READY, NotifyState::status("Saying hello")?])?;
//!     loop {
//!         let answered = listener.accept().and_then(|(mut client, _)| {
//!             client.write_all(b"Hello\n")
//!         });
//!         // The client may have closed the connection already, so the service goes on.
//!         if let Err(error) = answered {
//!             eprintln!("{}No answer to a client: {error}", Priority::Warning.prefix());
//!         }
//!     }
//! }
//! ```
//!
//! `Cargo.toml` names this package by its path or by its repository.
//!
//! ```toml
//! [package]
//! name = "hello"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [dependencies]
//! libsystemd-safe = { path = "../foo/libsystemd-safe" } # or { git = "…" }
//! ```
//!
//! The build needs the headers of libsystemd, libclang and pkg-config. On Debian these are in the
//! packages `libsystemd-dev`, `libclang-dev` and `pkg-config`. Build it with `cargo build
//! --release`, and install `target/release/hello` as `/usr/local/bin/hello`.
//!
//! Two units in `/etc/systemd/system` make it a service. `hello.socket`:
//!
//! ```ini
//! [Socket]
//! ListenStream=/run/hello.socket
//!
//! [Install]
//! WantedBy=sockets.target
//! ```
//!
//! `hello.service`:
//!
//! ```ini
//! [Service]
//! Type=notify
//! ExecStart=/usr/local/bin/hello
//! ```
//!
//! After `systemctl daemon-reload`, `systemctl enable --now hello.socket` starts the socket, now
//! and at each boot. The first connection starts the service: `socat - /run/hello.socket` shows its
//! answer, and `systemctl status hello` its state.
//!
//! # More
//!
//! - A line on standard error becomes an entry of the journal. It has the priority of its
//!   [prefix](journal::Priority::prefix).
//! - The directory `examples` has larger services; `cargo build --examples` builds them.
//!
//! # Errors
//!
//! A function returns the error of libsystemd or of the kernel as an [`io::Error`] with its errno.
//! It returns `InvalidInput`, with a text that says what is wrong, for an argument that libsystemd
//! can't take.
//!
//! # Safety
//!
//! All functions are safe: no argument causes undefined behaviour or a panic. So a program that uses
//! them can have `#![forbid(unsafe_code)]`. [`listen_fds_with_names`](daemon::listen_fds_with_names)
//! says how the passed descriptors get their only owner.
//!
//! # Threads and the environment
//!
//! Every function may be called from any thread, and from several at once; a
//! [`journal::Reader`] only from the thread that opened it. Functions read the
//! environment, such as `NOTIFY_SOCKET`, and never change it. [`std::env::set_var`] is unsafe, in
//! part because it must not run at the same time as such a read.
//!
//! # Versions
//!
//! A program starts with any libsystemd from 247 on, whichever it was built with. Some functions
//! need a newer release, and say so. They look their symbol up when they are called, and return
//! [`Unsupported`](io::ErrorKind::Unsupported) if it is missing.

#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![deny(clippy::missing_errors_doc, clippy::print_stderr, clippy::print_stdout)]

pub mod daemon;
pub mod id128;
pub mod journal;
mod newer;

use std::{
    ffi::{CStr, OsStr, c_int, c_void},
    io,
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    time::Duration,
};

/// Converts a return value of libsystemd, which is a negative errno on failure.
fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::from_raw_os_error(-result)) } else { Ok(result) }
}

/// Converts a return value of the C library, which is -1 on failure, with the error in errno.
fn cvt(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Returns the time of `CLOCK_MONOTONIC`, by which the service manager measures.
fn monotonic() -> io::Result<Duration> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes the time to `now`.
    cvt(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) })?;
    let seconds = Duration::from_secs(now.tv_sec.try_into().unwrap_or_default());
    Ok(seconds + Duration::from_nanos(now.tv_nsec.try_into().unwrap_or_default()))
}

/// Returns a time in microseconds, rounded down. The largest number stands for no timeout, so the
/// result is at most one less.
fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).min(u64::MAX - 1)
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
/// if let Some(path) = libsystemd_safe::library() {
///     println!("This runs with {}", path.display());
/// #   if let Some(root) = std::env::var_os("WRAPPER_ROOT") {
/// #       assert!(path.starts_with(root), "{path:?}");
/// #   }
/// }
/// ```
pub fn library() -> Option<PathBuf> {
    let object = object_of(libsystemd_sys::daemon::sd_notify as *const c_void)?;
    if object.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the name is a string that the dynamic linker keeps while the library is loaded. The
    // program links the library, so that is until the process ends.
    let name = unsafe { CStr::from_ptr(object.dli_fname) };
    PathBuf::from(OsStr::from_bytes(name.to_bytes())).canonicalize().ok()
}

/// Returns what the dynamic linker knows of the executable or library that an address is in.
fn object_of(address: *const c_void) -> Option<libc::Dl_info> {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` has room for what dladdr writes, and dladdr accepts any address. A Dl_info of
    // zeros is valid.
    unsafe { (libc::dladdr(address, info.as_mut_ptr()) != 0).then(|| info.assume_init()) }
}

//! Which descriptors the process was started with, recorded before the program runs.
//!
//! A descriptor that is open then was inherited, so nothing in the process owns it. A later look
//! can't tell it from one that the program has opened itself.

use super::listen::{LISTEN_FDS_START, flags};
use crate::object_of;
use std::{
    ffi::c_void,
    os::fd::RawFd,
    ptr,
    sync::atomic::{AtomicI32, Ordering},
};

/// The first number from [`LISTEN_FDS_START`] on that was not inherited. It is written once, before
/// there is a second thread.
static END: AtomicI32 = AtomicI32::new(LISTEN_FDS_START);

/// The C library calls this before `main`. The number orders it before everything that has none,
/// and before the standard library.
// SAFETY: the section holds pointers to functions of C. That `record` gets arguments which it does
// not have is harmless.
#[used]
#[unsafe(link_section = ".init_array.00098")]
static RECORD: extern "C" fn() = record;

extern "C" fn record() {
    // SAFETY: the name is a C string, and no thread changes the environment meanwhile.
    let is_promised = unsafe { !libc::getenv(c"LISTEN_FDS".as_ptr()).is_null() };
    if is_promised && is_in_executable() {
        let end = (LISTEN_FDS_START..).find(|&fd| !is_inherited(fd));
        END.store(end.unwrap_or(RawFd::MAX), Ordering::Relaxed);
    }
}

/// Returns whether this code is part of the executable. A library may be loaded at any time, when
/// the program has opened descriptors already.
fn is_in_executable() -> bool {
    // SAFETY: the call accepts any number.
    let entry = unsafe { libc::getauxval(libc::AT_ENTRY) };
    // Without a dynamic linker, which would know it, everything is part of the executable.
    object_of(ptr::without_provenance(entry as usize)).is_none_or(|executable| {
        let own = object_of(record as *const c_void);
        own.is_some_and(|own| own.dli_fbase == executable.dli_fbase)
    })
}

/// Returns whether a descriptor was inherited, and not taken yet. One that the program has opened
/// or taken is close-on-exec as a rule, which no descriptor is right after exec.
fn is_inherited(fd: RawFd) -> bool {
    flags(fd) == Some(0)
}

/// Returns the first number from [`LISTEN_FDS_START`] on whose descriptor the program may own.
pub(super) fn end() -> RawFd {
    let end = END.load(Ordering::Relaxed);
    (LISTEN_FDS_START..end).find(|&fd| !is_inherited(fd)).unwrap_or(end)
}

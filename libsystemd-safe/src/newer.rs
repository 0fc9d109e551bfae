//! Functions that the oldest supported libsystemd does not have. The dynamic linker would not start
//! a program that needs a missing function, so they are looked up when they are called.

use crate::check;
use libsystemd_sys::{id128::sd_id128_t, journal::sd_journal};
use std::{
    ffi::{c_char, c_int, c_void},
    hint, io, mem,
};

/// Defines each function with the release that added it, and with the parameters that its header
/// declares. The result is the one of [`check`], or `Unsupported` if the library is older.
macro_rules! newer {
    ($($release:literal: $name:ident($($parameter:ident: $type:ty),*);)*) => {$(
        /// # Safety
        ///
        /// That of the function of libsystemd.
        pub unsafe fn $name($($parameter: $type),*) -> io::Result<c_int> {
            let function = find(concat!(stringify!($name), "\0"), $release)?;
            // SAFETY: the symbol has this type in all releases that have it.
            let function = unsafe {
                mem::transmute::<*const c_void, unsafe extern "C" fn($($type),*) -> c_int>(function)
            };
            // SAFETY: the caller promises what the function needs.
            check(unsafe { function($($parameter),*) })
        }
    )*};
}

newer! {
    254: sd_journal_get_seqnum(
        journal: *mut sd_journal, number: *mut u64, sequence: *mut sd_id128_t
    );
    254: sd_pid_notify_barrier(pid: libc::pid_t, unset_environment: c_int, timeout: u64);
    255: sd_id128_get_app_specific(base: sd_id128_t, application: sd_id128_t, id: *mut sd_id128_t);
    256: sd_id128_get_invocation_app_specific(application: sd_id128_t, id: *mut sd_id128_t);
    256: sd_journal_stream_fd_with_namespace(
        namespace: *const c_char, identifier: *const c_char, priority: c_int, level_prefix: c_int
    );
    258: sd_pidfd_get_inode_id(pidfd: c_int, id: *mut u64);
}

/// Returns the address of a function that this process has from libsystemd. The name ends with a
/// NUL.
fn find(name: &'static str, release: u32) -> io::Result<*const c_void> {
    // The linker leaves out a library that the program refers to nowhere else.
    hint::black_box(libsystemd_sys::daemon::sd_booted as *const c_void);
    // SAFETY: the name is a C string.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast()) };
    if address.is_null() {
        let text = format!("{} needs libsystemd {release} or newer", name.trim_end_matches('\0'));
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    Ok(address)
}

//! foo(8): writes the datagrams of the sockets that systemd passes to the journal.

#![cfg_attr(target_env = "gnu", no_main)]

use libsystemd_safe::daemon::listen_fds_with_names;
#[cfg(target_env = "gnu")]
use {
    nix::sys::signal::{SigHandler, Signal, signal},
    std::{ffi::c_int, fs::File, mem, os::fd::AsRawFd},
};

// Links the C compiler's static unwinder instead of libgcc_s, whose loading takes a tenth of foo's
// start.
#[cfg_attr(target_env = "gnu", link(name = "gcc_eh", kind = "static", modifiers = "-bundle"))]
unsafe extern "C" {}

/// The entry point, which the C library calls. std's own one reads all of `/proc/self/maps`, which
/// takes a seventh of foo's instructions until it is ready, and only names a stack overflow.
#[cfg(target_env = "gnu")]
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    open_standard_descriptors();
    // SAFETY: no handler runs. If this fails, a closed log ends foo.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    run().into()
}

/// The entry point with another C library. Only glibc passes the arguments to std without std's own
/// one.
#[cfg(not(target_env = "gnu"))]
fn main() -> std::process::ExitCode {
    run().into()
}

/// Runs foo. Returns its exit status.
fn run() -> u8 {
    foo::daemon::main(listen_fds_with_names())
}

/// Opens what is closed of the first three descriptors, as std's start does. Otherwise a socket
/// could become standard error.
#[cfg(target_env = "gnu")]
fn open_standard_descriptors() {
    while let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        if null.as_raw_fd() > libc::STDERR_FILENO {
            break;
        }
        mem::forget(null);
    }
}

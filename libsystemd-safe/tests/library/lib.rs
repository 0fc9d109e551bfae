//! The wrapper as a part of a shared library, which a test loads.

/// Returns how many passed descriptors the wrapper takes, or -1 if it refuses to take any.
#[unsafe(no_mangle)]
extern "C" fn passed() -> i32 {
    libsystemd_safe::daemon::listen_fds_with_names().map_or(-1, |passed| passed.len() as i32)
}

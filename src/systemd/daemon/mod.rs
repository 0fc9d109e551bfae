//! sd-daemon(3): the sockets that were passed, what they are, notifications and the watchdog.

mod is;
mod listen;
mod notify;
mod state;

pub use is::{
    SocketType, is_fifo, is_mq, is_socket, is_socket_inet, is_socket_sockaddr, is_socket_unix,
    is_special,
};
pub use listen::{LISTEN_FDS_START, ListenFd, WrongKind, listen_fds_with_names};
#[cfg(feature = "v254")]
pub use notify::pid_notify_barrier;
pub use notify::{
    Notified, notify, notify_barrier, notify_with_fds, pid_notify, pid_notify_with_fds,
};
pub use state::{NotifyAccess, NotifyState};

use super::check;
use libsystemd_sys::daemon as sys;
use std::{io, time::Duration};

/// Whether the system was booted with systemd. sd_booted(3).
///
/// ```
/// if !foo::systemd::daemon::booted()? {
///     eprintln!("There is no service manager here");
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As access(2).
#[doc(alias = "sd_booted")]
pub fn booted() -> io::Result<bool> {
    // SAFETY: it takes nothing, and only looks at the file system.
    check(unsafe { sys::sd_booted() }).map(|booted| booted > 0)
}

/// The time within which the service manager expects each [`NotifyState::WATCHDOG`], to the microsecond;
/// `None` where it expects none of this process. Send them at half of it. sd_watchdog_enabled(3), since 209.
///
/// ```
/// use foo::systemd::daemon::{NotifyState, notify, watchdog_enabled};
///
/// if let Some(period) = watchdog_enabled()? {
///     println!("Every {:?}:", period / 2);
///     notify(&[NotifyState::WATCHDOG])?;
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `EINVAL` if `WATCHDOG_USEC` or `WATCHDOG_PID` is no number, or the first is 0 or without end; `ERANGE` if the
/// number is too large, or `WATCHDOG_PID` is 0.
#[doc(alias = "sd_watchdog_enabled")]
pub fn watchdog_enabled() -> io::Result<Option<Duration>> {
    let mut usec = 0;
    // SAFETY: `usec` is a valid place for the result.
    let enabled = check(unsafe { sys::sd_watchdog_enabled(0, &mut usec) })?;
    Ok((enabled > 0).then(|| Duration::from_micros(usec)))
}

/// The number that tells the process of a pidfd from all others since the system was booted, its inode.
/// sd_pidfd_get_inode_id(3), since 258: with the feature `v258`.
///
/// ```no_run
/// # let pidfd = std::fs::File::open("/dev/null")?;
/// // As pidfd_open(2) returns it.
/// println!("{}", foo::systemd::daemon::pidfd_get_inode_id(&pidfd)?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `EOPNOTSUPP` where the kernel, before 6.9, has no such number; `EBADF` where it is no pidfd.
#[cfg(feature = "v258")]
#[doc(alias = "sd_pidfd_get_inode_id")]
pub fn pidfd_get_inode_id(pidfd: impl std::os::fd::AsFd) -> io::Result<u64> {
    use std::os::fd::AsRawFd;
    let mut id = 0;
    // SAFETY: the descriptor is borrowed for the call, and `id` is a valid place for the result.
    check(unsafe { sys::sd_pidfd_get_inode_id(pidfd.as_fd().as_raw_fd(), &mut id) })?;
    Ok(id)
}

//! Notifications to the service manager: sd_notify(3).

use super::state::NotifyState;
use crate::{check, invalid, microseconds, newer};
use libsystemd_sys::daemon as sys;
use std::{
    ffi::{CString, c_int, c_uint},
    io,
    os::fd::BorrowedFd,
    time::Duration,
};

/// Largest number of descriptors in a message: `SCM_MAX_FD` of the kernel. libsystemd aborts the
/// process if there are more than about a million.
const FDS_MAX: usize = 253;

/// Whether a notification was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    /// The notification is in the service manager's queue. [`notify_barrier`] waits until it has
    /// been read.
    Queued,
    /// `NOTIFY_SOCKET` is not set, so there is no service manager to notify.
    Nobody,
}

/// Sends assignments to the service manager, all in one message. See sd_notify(3).
///
/// The service manager may still ignore the message, without an error here:
///
/// - systemd ignores a message of more than 4096 bytes, and one that `NotifyAccess=` of the unit
///   does not allow. See systemd.service(5).
/// - It ignores assignments that it does not know, such as those of newer releases.
/// - If one message has two `STATUS=`, the first counts.
///
/// ```
/// use libsystemd_safe::daemon::{Notified, NotifyState, notify};
///
/// let state = [NotifyState::READY, NotifyState::status("Waiting for messages")?];
/// if notify(&state)? == Notified::Nobody {
///     println!("Not run as a service");
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// - `InvalidInput`: there is no assignment.
/// - `EINVAL`, `EPROTO`, `EAFNOSUPPORT` or `ENAMETOOLONG`: `NOTIFY_SOCKET` is not an address.
/// - Otherwise the errors of socket(2) and sendmsg(2).
///
/// # Blocking
///
/// Like all functions that notify but [`try_notify`](super::try_notify()), this blocks while the
/// service manager's queue is full. A signal
/// whose handler was installed without `SA_RESTART` interrupts it with `EINTR`; nothing has been
/// sent then.
#[doc(alias = "sd_notify")]
pub fn notify(state: &[NotifyState]) -> io::Result<Notified> {
    let state = message(state)?;
    // SAFETY: the argument is a C string that outlives the call. libsystemd does not keep it.
    notified(unsafe { sys::sd_notify(0, state.as_ptr()) })
}

/// Like [`notify`], with descriptors for the descriptor store. See sd_pid_notify_with_fds(3).
///
/// With [`NotifyState::FDSTORE`], the service manager keeps duplicates of the descriptors, and
/// passes them to the next process of the service when it restarts. It closes them when the service
/// is stopped. The unit needs `FileDescriptorStoreMax=`. Without [`NotifyState::FDSTORE`], the
/// service manager closes its duplicates at once. The caller's descriptors stay open, and may be
/// closed after this call.
///
/// ```
/// use libsystemd_safe::daemon::{NotifyState, notify_with_fds};
/// use std::os::fd::AsFd;
///
/// let kept = std::fs::File::open("/proc/self/status")?;
/// notify_with_fds(&[NotifyState::FDSTORE, NotifyState::fd_name("kept")?], &[kept.as_fd()])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` if there are more than 253 descriptors, the most that a message can hold.
/// Otherwise the errors of [`notify`].
#[doc(alias = "sd_pid_notify_with_fds")]
pub fn notify_with_fds(state: &[NotifyState], fds: &[BorrowedFd<'_>]) -> io::Result<Notified> {
    pid_notify_with_fds(0, state, fds)
}

/// Like [`notify`], on behalf of another process; 0 stands for this one. See sd_pid_notify(3).
///
/// This requires privileges. If libsystemd fails to send for the other process, it sends for this
/// process instead, without an error.
///
/// ```
/// use libsystemd_safe::daemon::{NotifyState, pid_notify};
///
/// pid_notify(std::process::id(), &[NotifyState::status("I speak for myself")?])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` if `pid` is too large for a process ID. Otherwise the errors of [`notify`].
#[doc(alias = "sd_pid_notify")]
pub fn pid_notify(pid: u32, state: &[NotifyState]) -> io::Result<Notified> {
    let state = message(state)?;
    // SAFETY: as in notify.
    notified(unsafe { sys::sd_pid_notify(raw_pid(pid)?, 0, state.as_ptr()) })
}

/// Like [`notify_with_fds`], on behalf of another process as in [`pid_notify`]. See
/// sd_pid_notify_with_fds(3); since libsystemd 219.
///
/// ```
/// use libsystemd_safe::daemon::{NotifyState, pid_notify_with_fds};
///
/// let removal = [NotifyState::FDSTOREREMOVE, NotifyState::fd_name("kept")?];
/// pid_notify_with_fds(std::process::id(), &removal, &[])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of [`notify_with_fds`] and [`pid_notify`].
#[doc(alias = "sd_pid_notify_with_fds")]
pub fn pid_notify_with_fds(
    pid: u32,
    state: &[NotifyState],
    fds: &[BorrowedFd<'_>],
) -> io::Result<Notified> {
    let state = message(state)?;
    if fds.len() > FDS_MAX {
        return invalid(format!("a notification holds {FDS_MAX} descriptors, not {}", fds.len()));
    }
    // SAFETY: `state` is a C string. std guarantees that BorrowedFd has the layout of a descriptor,
    // so `fds` is an array of `fds.len()` descriptors. Both outlive the call, and libsystemd keeps
    // neither.
    notified(unsafe {
        sys::sd_pid_notify_with_fds(
            raw_pid(pid)?,
            0,
            state.as_ptr(),
            fds.as_ptr().cast(),
            fds.len() as c_uint,
        )
    })
}

/// Waits until the service manager has read all notifications that were sent before. See
/// sd_notify_barrier(3); since libsystemd 246.
///
/// Waits for at most the timeout, which is rounded down to microseconds, or without a limit if it
/// is `None`.
///
/// ```
/// use libsystemd_safe::daemon::{NotifyState, notify, notify_barrier};
/// use std::time::Duration;
///
/// notify(&[NotifyState::STOPPING])?;
/// notify_barrier(Some(Duration::from_secs(5)))?;
/// // The service manager has read it, so this process may end.
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `ETIMEDOUT` after the timeout. `EINTR` if a signal handler runs meanwhile, even one that was
/// installed with `SA_RESTART`. Otherwise the errors of [`notify`].
#[doc(alias = "sd_notify_barrier")]
pub fn notify_barrier(timeout: Option<Duration>) -> io::Result<Notified> {
    // SAFETY: all arguments are numbers.
    notified(unsafe { sys::sd_notify_barrier(0, timeout.map_or(u64::MAX, microseconds)) })
}

/// Like [`notify_barrier`], on behalf of another process as in [`pid_notify`]. See
/// sd_pid_notify_barrier(3); since libsystemd 254.
///
/// ```
/// use libsystemd_safe::daemon::pid_notify_barrier;
/// use std::{io::ErrorKind, time::Duration};
///
/// match pid_notify_barrier(std::process::id(), Some(Duration::from_secs(5))) {
///     Err(error) if error.kind() == ErrorKind::Unsupported => println!("{error}"),
///     notified => drop(notified?),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `Unsupported` if libsystemd is older. Otherwise the errors of [`notify_barrier`] and
/// [`pid_notify`].
#[doc(alias = "sd_pid_notify_barrier")]
pub fn pid_notify_barrier(pid: u32, timeout: Option<Duration>) -> io::Result<Notified> {
    let (pid, timeout) = (raw_pid(pid)?, timeout.map_or(u64::MAX, microseconds));
    // SAFETY: all arguments are numbers.
    unsafe { newer::sd_pid_notify_barrier(pid, 0, timeout) }.map(is_sent)
}

/// Joins assignments to the text of a message, with one on each line.
fn message(state: &[NotifyState]) -> io::Result<CString> {
    if state.is_empty() {
        return invalid("a notification needs an assignment");
    }
    let assignments: Vec<&str> = state.iter().map(|assignment| assignment.as_str()).collect();
    Ok(CString::new(assignments.join("\n"))?)
}

/// Converts the return value of a function that notifies.
fn notified(result: c_int) -> io::Result<Notified> {
    check(result).map(is_sent)
}

/// Converts a result that is not an error: it is 0 if `NOTIFY_SOCKET` is not set.
fn is_sent(result: c_int) -> Notified {
    if result > 0 { Notified::Queued } else { Notified::Nobody }
}

/// Converts a process ID to the type that C expects.
fn raw_pid(pid: u32) -> io::Result<libc::pid_t> {
    libc::pid_t::try_from(pid).or_else(|_| invalid(format!("{pid} is no process")))
}

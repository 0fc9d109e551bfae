//! What the service manager is told: sd_notify(3).

use super::state::{NotifyState, usec};
use crate::systemd::{check, invalid};
use libsystemd_sys::daemon as sys;
use std::{
    ffi::{CString, c_int, c_uint},
    io,
    os::fd::BorrowedFd,
    time::Duration,
};

/// Descriptors that a message can hold, `SCM_MAX_FD` of the kernel; libsystemd ends the process over a million.
const FDS_MAX: usize = 253;

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    /// It is in the service manager's queue; [`notify_barrier`] waits until it has been read.
    Queued,
    /// `NOTIFY_SOCKET` is not set: nobody wants to know.
    Nobody,
}

/// Sends the assignments to the service manager, all in one message. sd_notify(3).
///
/// ```
/// use foo::systemd::daemon::{Notified, NotifyState, notify};
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
/// `InvalidInput` for no assignment at all; as socket(2) and sendmsg(2); `EINVAL`, `EPROTO`,
/// `EAFNOSUPPORT` or `ENAMETOOLONG` for a `NOTIFY_SOCKET` that is no address.
///
/// # Blocking
///
/// Like all functions that notify, this blocks while the service manager's queue is full. A signal handler that runs
/// meanwhile makes it fail with `EINTR`; then nothing was sent.
#[doc(alias = "sd_notify")]
pub fn notify(state: &[NotifyState]) -> io::Result<Notified> {
    let state = text(state)?;
    // SAFETY: the string ends with NUL and outlives the call, which keeps nothing of it.
    notified(unsafe { sys::sd_notify(0, state.as_ptr()) })
}

/// As [`notify`], with descriptors to be stored until the service is started again. They stay the caller's, who may
/// close them then. sd_pid_notify_with_fds(3), for this process: libsystemd has no sd_notify_with_fds.
///
/// ```
/// use foo::systemd::daemon::{NotifyState, notify_with_fds};
/// use std::os::fd::AsFd;
///
/// let kept = std::fs::File::open("/proc/self/status")?;
/// notify_with_fds(&[NotifyState::FDSTORE, NotifyState::fd_name("kept")?], &[kept.as_fd()])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As [`notify`]; `InvalidInput` for more descriptors than a message can hold, 253.
#[doc(alias = "sd_pid_notify_with_fds")]
pub fn notify_with_fds(state: &[NotifyState], fds: &[BorrowedFd<'_>]) -> io::Result<Notified> {
    pid_notify_with_fds(0, state, fds)
}

/// As [`notify`], on behalf of another process, which takes privileges; 0 is this one. sd_pid_notify(3).
///
/// ```
/// use foo::systemd::daemon::{NotifyState, pid_notify};
///
/// pid_notify(std::process::id(), &[NotifyState::status("I speak for myself")?])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As [`notify`], and `InvalidInput` for what can be no process. Where privileges are missing, libsystemd sends in
/// this process's own name, without an error.
#[doc(alias = "sd_pid_notify")]
pub fn pid_notify(pid: u32, state: &[NotifyState]) -> io::Result<Notified> {
    let state = text(state)?;
    // SAFETY: as in notify.
    notified(unsafe { sys::sd_pid_notify(number(pid)?, 0, state.as_ptr()) })
}

/// [`pid_notify`] and [`notify_with_fds`] in one. sd_pid_notify_with_fds(3), since 219.
///
/// ```
/// use foo::systemd::daemon::{NotifyState, pid_notify_with_fds};
///
/// let removal = [NotifyState::FDSTOREREMOVE, NotifyState::fd_name("kept")?];
/// pid_notify_with_fds(std::process::id(), &removal, &[])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As those.
#[doc(alias = "sd_pid_notify_with_fds")]
pub fn pid_notify_with_fds(
    pid: u32,
    state: &[NotifyState],
    fds: &[BorrowedFd<'_>],
) -> io::Result<Notified> {
    let state = text(state)?;
    if fds.len() > FDS_MAX {
        return invalid(format!(
            "a notification holds {FDS_MAX} descriptors, not {}",
            fds.len()
        ));
    }
    // SAFETY: the string ends with NUL, and BorrowedFd has the layout of a descriptor, as std promises; both outlive
    // the call, which keeps nothing of them.
    notified(unsafe {
        sys::sd_pid_notify_with_fds(
            number(pid)?,
            0,
            state.as_ptr(),
            fds.as_ptr().cast(),
            fds.len() as c_uint,
        )
    })
}

/// Waits until the service manager has read all notifications that were sent before, at most for the timeout, to
/// the microsecond, or for ever where there is none. sd_notify_barrier(3), since 246.
///
/// ```
/// use foo::systemd::daemon::{NotifyState, notify, notify_barrier};
/// use std::time::Duration;
///
/// notify(&[NotifyState::STOPPING])?;
/// // Now it knows, even if this process ends at once.
/// notify_barrier(Some(Duration::from_secs(5)))?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `ETIMEDOUT` after the timeout; `EINTR` if a signal handler runs meanwhile, also one with `SA_RESTART`; otherwise as
/// [`notify`].
#[doc(alias = "sd_notify_barrier")]
pub fn notify_barrier(timeout: Option<Duration>) -> io::Result<Notified> {
    // SAFETY: it takes numbers only.
    notified(unsafe { sys::sd_notify_barrier(0, timeout.map_or(u64::MAX, usec)) })
}

/// As [`notify_barrier`], on behalf of another process, as with [`pid_notify`]. sd_pid_notify_barrier(3), since
/// 254: with the feature `v254`.
///
/// ```
/// use foo::systemd::daemon::pid_notify_barrier;
/// use std::time::Duration;
///
/// pid_notify_barrier(std::process::id(), Some(Duration::from_secs(5)))?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As those.
#[cfg(feature = "v254")]
#[doc(alias = "sd_pid_notify_barrier")]
pub fn pid_notify_barrier(pid: u32, timeout: Option<Duration>) -> io::Result<Notified> {
    // SAFETY: it takes numbers only.
    notified(unsafe { sys::sd_pid_notify_barrier(number(pid)?, 0, timeout.map_or(u64::MAX, usec)) })
}

/// The assignments as C has them, a line each.
fn text(state: &[NotifyState]) -> io::Result<CString> {
    if state.is_empty() {
        return invalid("a notification needs an assignment");
    }
    let assignments: Vec<&str> = state.iter().map(|assignment| assignment.as_str()).collect();
    Ok(CString::new(assignments.join("\n"))?)
}

/// Turns what libsystemd returns into what became of a notification.
fn notified(result: c_int) -> io::Result<Notified> {
    check(result).map(|sent| {
        if sent > 0 {
            Notified::Queued
        } else {
            Notified::Nobody
        }
    })
}

/// The number of a process as C has it.
fn number(pid: u32) -> io::Result<libc::pid_t> {
    libc::pid_t::try_from(pid).or_else(|_| invalid(format!("{pid} is no process")))
}

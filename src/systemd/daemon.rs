//! sd-daemon(3): the sockets that were passed, what they are, notifications and the watchdog.

use super::check;
use libsystemd_sys::daemon as sys;
use nix::time::{ClockId, clock_gettime};
use std::{
    ffi::{CStr, CString, OsString, c_char, c_int, c_void},
    fmt, io,
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStringExt,
    },
    ptr, slice,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Number of the first descriptor that is passed; the others follow it. See sd_listen_fds(3).
pub const LISTEN_FDS_START: RawFd = sys::SD_LISTEN_FDS_START as RawFd;

/// A descriptor that the service manager passed.
#[derive(Debug)]
pub struct ListenFd {
    /// `FileDescriptorName=` of the socket unit, by default the unit's name; `unknown` where none was passed.
    pub name: OsString,
    /// The descriptor itself: this is its only owner, and it is closed with it.
    pub fd: OwnedFd,
}

/// Takes the descriptors that the service manager passed, with their names, in the order of the units.
///
/// Empty where none were passed to this process. They are close-on-exec, and the environment is left as it
/// is. They can be taken once: a second call finds none. Call it before the program opens descriptors
/// of its own, so that a `LISTEN_FDS` that promises more than was passed cannot name one of those.
///
/// sd_listen_fds_with_names(3), since 227.
///
/// # Errors
///
/// `EINVAL` where `LISTEN_PID` or `LISTEN_FDS` is no number or `LISTEN_FDNAMES` has not as many names,
/// `EBADF` where a descriptor that was promised is not there.
#[doc(alias = "sd_listen_fds_with_names")]
pub fn listen_fds_with_names() -> io::Result<Vec<ListenFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.load(Ordering::Acquire) {
        return Ok(Vec::new());
    }
    let mut names: *mut *mut c_char = ptr::null_mut();
    // SAFETY: `names` is a valid place for the array, and is written only where the result is positive.
    let count = check(unsafe { sys::sd_listen_fds_with_names(0, &mut names) })?;
    if count == 0 || TAKEN.swap(true, Ordering::AcqRel) {
        return Ok(Vec::new());
    }
    // SAFETY: on success the array holds `count` strings, each from malloc like the array itself,
    // and all of them are the caller's.
    let names = unsafe { slice::from_raw_parts(names, count as usize) };
    let passed = (LISTEN_FDS_START..).zip(names).map(|(fd, &name)| {
        // SAFETY: the string ends with NUL, is this function's to free, and is not used after that.
        let owned_name = unsafe {
            let copy = CStr::from_ptr(name).to_bytes().to_vec();
            libc::free(name.cast());
            OsString::from_vec(copy)
        };
        // SAFETY: the descriptor is open, since libsystemd has just set close-on-exec on it, and it is the
        // service manager's gift to this process; TAKEN sees to it that it is owned once.
        ListenFd { name: owned_name, fd: unsafe { OwnedFd::from_raw_fd(fd) } }
    });
    let passed = passed.collect();
    // SAFETY: the array came from malloc, and what it pointed to has been freed above.
    unsafe { libc::free(names.as_ptr().cast_mut().cast::<c_void>()) };
    Ok(passed)
}

/// Whether this is a FIFO or a pipe. sd_is_fifo(3).
///
/// # Errors
///
/// As fstat(2).
#[doc(alias = "sd_is_fifo")]
pub fn is_fifo(fd: impl AsFd) -> io::Result<bool> {
    // SAFETY: the descriptor is borrowed for the call; a null path means any.
    check(unsafe { sys::sd_is_fifo(fd.as_fd().as_raw_fd(), ptr::null()) }).map(|is| is > 0)
}

/// Whether this is a regular file or a character device. sd_is_special(3).
///
/// # Errors
///
/// As fstat(2).
#[doc(alias = "sd_is_special")]
pub fn is_special(fd: impl AsFd) -> io::Result<bool> {
    // SAFETY: the descriptor is borrowed for the call; a null path means any.
    check(unsafe { sys::sd_is_special(fd.as_fd().as_raw_fd(), ptr::null()) }).map(|is| is > 0)
}

/// Whether this is a socket of the address family (`libc::AF_*`, where given) and type (`libc::SOCK_*`, where given).
/// sd_is_socket(3).
///
/// # Errors
///
/// As fstat(2) and getsockopt(2); `EINVAL` for a negative family or type.
#[doc(alias = "sd_is_socket")]
pub fn is_socket(fd: impl AsFd, family: Option<c_int>, kind: Option<c_int>) -> io::Result<bool> {
    let (family, kind) = (family.unwrap_or(libc::AF_UNSPEC), kind.unwrap_or(0));
    // SAFETY: the descriptor is borrowed for the call; -1 means listening or not.
    check(unsafe { sys::sd_is_socket(fd.as_fd().as_raw_fd(), family, kind, -1) }).map(|is| is > 0)
}

/// Whether this is an `AF_UNIX` socket of the type (`libc::SOCK_*`), whatever its address. sd_is_socket_unix(3).
///
/// # Errors
///
/// As fstat(2) and getsockopt(2); `EINVAL` for a negative type.
#[doc(alias = "sd_is_socket_unix")]
pub fn is_socket_unix(fd: impl AsFd, kind: c_int) -> io::Result<bool> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the descriptor is borrowed for the call; a null path means any.
    check(unsafe { sys::sd_is_socket_unix(fd, kind, -1, ptr::null(), 0) }).map(|is| is > 0)
}

/// An assignment of a notification to the service manager. sd_notify(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifyState<'a> {
    /// `READY=1`: start-up, or a reload, is finished.
    Ready,
    /// `RELOADING=1` with its `MONOTONIC_USEC=`; [`NotifyState::reloading`] makes one for now.
    Reloading {
        /// When the reload began, by `CLOCK_MONOTONIC`, in microseconds.
        monotonic_usec: u64,
    },
    /// `STOPPING=1`: the service is on its way out.
    Stopping,
    /// `STATUS=`: one line for `systemctl status`.
    Status(&'a str),
    /// `WATCHDOG=1`: the service is alive.
    Watchdog,
}

impl NotifyState<'_> {
    /// `RELOADING=1` with the time that it is now.
    ///
    /// # Errors
    ///
    /// As clock_gettime(2): none in practice.
    pub fn reloading() -> io::Result<Self> {
        let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
        let monotonic_usec = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        Ok(Self::Reloading { monotonic_usec })
    }
}

impl fmt::Display for NotifyState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("READY=1"),
            Self::Reloading { monotonic_usec } => {
                write!(f, "RELOADING=1\nMONOTONIC_USEC={monotonic_usec}")
            }
            Self::Stopping => f.write_str("STOPPING=1"),
            Self::Status(text) => write!(f, "STATUS={text}"),
            Self::Watchdog => f.write_str("WATCHDOG=1"),
        }
    }
}

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    /// It is in the service manager's queue; whether it was acted on is not known yet.
    Queued,
    /// `NOTIFY_SOCKET` is not set: nobody wants to know.
    Nobody,
}

/// Sends the assignments to the service manager, all in one message. sd_notify(3).
///
/// # Errors
///
/// `InvalidInput` where a text holds a NUL, which would end the message, or a newline, which would begin
/// another assignment; otherwise as socket(2) and sendmsg(2), and `EINVAL` or `EPROTO` for a
/// `NOTIFY_SOCKET` that is no address.
#[doc(alias = "sd_notify")]
pub fn notify(assignments: &[NotifyState<'_>]) -> io::Result<Notified> {
    let mut state = String::new();
    for assignment in assignments {
        if matches!(assignment, NotifyState::Status(text) if text.contains('\n')) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a notification's text holds a newline"));
        }
        if !state.is_empty() {
            state.push('\n');
        }
        state += &assignment.to_string();
    }
    let state = CString::new(state)?;
    // SAFETY: the string ends with NUL and outlives the call, which keeps nothing of it.
    let sent = check(unsafe { sys::sd_notify(0, state.as_ptr()) })?;
    Ok(if sent > 0 { Notified::Queued } else { Notified::Nobody })
}

/// The time within which the service manager expects each [`NotifyState::Watchdog`], to the microsecond;
/// `None` where it expects none of this process. Send them at half of it. sd_watchdog_enabled(3), since 209.
///
/// # Errors
///
/// `EINVAL` where `WATCHDOG_USEC` or `WATCHDOG_PID` is no number.
#[doc(alias = "sd_watchdog_enabled")]
pub fn watchdog_enabled() -> io::Result<Option<Duration>> {
    let mut usec = 0;
    // SAFETY: `usec` is a valid place for the result.
    let enabled = check(unsafe { sys::sd_watchdog_enabled(0, &mut usec) })?;
    Ok((enabled > 0).then(|| Duration::from_micros(usec)))
}

//! sd-journal(3), the write side.

use super::check;
use libsystemd_sys::{daemon as sd_daemon, journal as sys};
use nix::errno::Errno;
use std::{
    ffi::{CStr, c_int},
    io::{self, IoSlice},
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
};

/// How important a record is, as syslog(3) orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// System is unusable.
    Emerg,
    /// Action must be taken immediately.
    Alert,
    /// Critical conditions.
    Crit,
    /// Error conditions.
    Err,
    /// Warning conditions.
    Warning,
    /// Normal but significant condition.
    Notice,
    /// Informational.
    Info,
    /// Debug-level messages.
    Debug,
}

impl Priority {
    /// What a line on standard error begins with, so that the journal files it under this priority:
    /// `SD_NOTICE` and its like of sd-daemon(3).
    pub fn prefix(self) -> &'static str {
        let prefix = match self {
            Self::Emerg => sd_daemon::SD_EMERG,
            Self::Alert => sd_daemon::SD_ALERT,
            Self::Crit => sd_daemon::SD_CRIT,
            Self::Err => sd_daemon::SD_ERR,
            Self::Warning => sd_daemon::SD_WARNING,
            Self::Notice => sd_daemon::SD_NOTICE,
            Self::Info => sd_daemon::SD_INFO,
            Self::Debug => sd_daemon::SD_DEBUG,
        };
        // They are ASCII, so the empty string is never used.
        prefix.to_str().unwrap_or_default()
    }
}

/// Submits one entry to the journal, each field as `NAME=value` with any bytes in the value.
///
/// libsystemd adds `SYSLOG_IDENTIFIER=`, the program's name, where it is not among the fields. Where no
/// journal is there at all, the entry is dropped without an error. sd_journal_sendv(3).
///
/// # Errors
///
/// `EINVAL` for a field without `=` or with a name that the journal does not take, `E2BIG` or `ENOBUFS` for an
/// entry over its limits; otherwise as sendmsg(2) and memfd_create(2).
#[doc(alias = "sd_journal_sendv")]
pub fn sendv(fields: &[IoSlice<'_>]) -> io::Result<()> {
    let count = c_int::try_from(fields.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: IoSlice has the layout of iovec, as std promises; the fields outlive the call, which
    // only reads them.
    check(unsafe { sys::sd_journal_sendv(fields.as_ptr().cast(), count) }).map(drop)
}

/// Opens a stream to the journal, each line of which becomes an entry; the caller owns it.
///
/// Entries are filed under `identifier`, and under `priority` unless a line begins with the
/// [prefix](Priority::prefix) of another. sd_journal_stream_fd(3).
///
/// # Errors
///
/// As connect(2): `ENOENT` and `ECONNREFUSED` where no journal is there.
#[doc(alias = "sd_journal_stream_fd")]
pub fn stream_fd(identifier: &CStr, priority: Priority) -> io::Result<OwnedFd> {
    // SAFETY: the identifier ends with NUL and is only read.
    let fd = check(unsafe { sys::sd_journal_stream_fd(identifier.as_ptr(), priority as c_int, 1) })?;
    // SAFETY: on success it is a new descriptor that nobody else has.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// How many bytes written to a [stream](stream_fd) the journal has not read yet: `SIOCOUTQ` of unix(7).
///
/// # Errors
///
/// As ioctl(2): `ENOTTY` or `EINVAL` where it is no such stream.
pub fn unread(stream: impl AsFd) -> io::Result<usize> {
    let mut bytes: c_int = 0;
    // SAFETY: the call writes one integer, for which `bytes` is the place. SIOCOUTQ is TIOCOUTQ.
    Errno::result(unsafe { libc::ioctl(stream.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) })?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

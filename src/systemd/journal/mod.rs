//! sd-journal(3), the write side: entries of fields, and streams of lines.

mod entry;

pub use entry::{Entry, sendv};

use super::{check, invalid};
use libsystemd_sys::{daemon, journal as sys};
use nix::errno::Errno;
use std::{
    env,
    ffi::{CStr, c_int},
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
};

/// The longest identifier of a stream, in bytes; libsystemd ends the process over some millions.
const IDENTIFIER_MAX: usize = 4096;

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
            Self::Emerg => daemon::SD_EMERG,
            Self::Alert => daemon::SD_ALERT,
            Self::Crit => daemon::SD_CRIT,
            Self::Err => daemon::SD_ERR,
            Self::Warning => daemon::SD_WARNING,
            Self::Notice => daemon::SD_NOTICE,
            Self::Info => daemon::SD_INFO,
            Self::Debug => daemon::SD_DEBUG,
        };
        // They are ASCII, so the empty string is never used.
        prefix.to_str().unwrap_or_default()
    }
}

/// Opens a stream to the journal, each line of which becomes an entry; the caller owns it.
///
/// Entries are filed under `identifier`, and under `priority` unless a line begins with the
/// [prefix](Priority::prefix) of another. sd_journal_stream_fd(3).
///
/// ```
/// use foo::systemd::journal::{Priority, stream_fd};
/// use std::{fs::File, io::Write};
///
/// match stream_fd(c"example", Priority::Info) {
///     Ok(stream) => writeln!(File::from(stream), "A line")?,
///     Err(error) => println!("No journal: {error}"),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As connect(2): `ENOENT` and `ECONNREFUSED` where no journal is there. `InvalidInput` for an identifier of more than
/// 4096 bytes, or with a newline, after which another setting of the stream would begin.
#[doc(alias = "sd_journal_stream_fd")]
pub fn stream_fd(identifier: &CStr, priority: Priority) -> io::Result<OwnedFd> {
    check_identifier(identifier)?;
    // SAFETY: the identifier ends with NUL and is only read.
    owned(unsafe { sys::sd_journal_stream_fd(identifier.as_ptr(), priority as c_int, 1) })
}

/// As [`stream_fd`], to the journal of a namespace: `LogNamespace=` of systemd.exec(5).
/// sd_journal_stream_fd_with_namespace(3), since 256: with the feature `v256`.
///
/// ```
/// use foo::systemd::journal::{Priority, stream_fd_with_namespace};
///
/// if let Err(error) = stream_fd_with_namespace(c"noisy", c"example", Priority::Info) {
///     println!("No such journal: {error}");
/// }
/// ```
///
/// # Errors
///
/// As [`stream_fd`], and `EINVAL` for what can be no namespace.
#[cfg(feature = "v256")]
#[doc(alias = "sd_journal_stream_fd_with_namespace")]
pub fn stream_fd_with_namespace(
    namespace: &CStr,
    identifier: &CStr,
    priority: Priority,
) -> io::Result<OwnedFd> {
    check_identifier(identifier)?;
    let (namespace, identifier) = (namespace.as_ptr(), identifier.as_ptr());
    // SAFETY: both end with NUL and are only read.
    owned(unsafe {
        sys::sd_journal_stream_fd_with_namespace(namespace, identifier, priority as c_int, 1)
    })
}

/// Whether libsystemd, which copies it to the stack and to a line, can be given an identifier.
fn check_identifier(identifier: &CStr) -> io::Result<()> {
    let bytes = identifier.to_bytes();
    if bytes.len() <= IDENTIFIER_MAX && !bytes.contains(&b'\n') {
        return Ok(());
    }
    invalid(format!(
        "an identifier has at most {IDENTIFIER_MAX} bytes, and no newline among them"
    ))
}

/// Takes a descriptor that libsystemd has opened, or its error.
fn owned(result: c_int) -> io::Result<OwnedFd> {
    // SAFETY: on success it is a new descriptor that nobody else has.
    check(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns whether a descriptor is the stream to the journal that the service manager opened for this process, as
/// standard output or error: `JOURNAL_STREAM=` of systemd.exec(5) has its device and inode. Since 231.
///
/// ```
/// if foo::systemd::journal::is_stream(std::io::stderr())? {
///     println!("A line on standard error is an entry of the journal");
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As fstat(2).
pub fn is_stream(fd: impl AsFd) -> io::Result<bool> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the descriptor is borrowed for the call, and there is room for what is written. On success all of it is.
    let stat = unsafe {
        Errno::result(libc::fstat(fd.as_fd().as_raw_fd(), stat.as_mut_ptr()))?;
        stat.assume_init()
    };
    let stream = format!("{}:{}", stat.st_dev, stat.st_ino);
    Ok(env::var_os("JOURNAL_STREAM").is_some_and(|value| value == *stream))
}

/// Returns how many bytes written to a [stream](stream_fd) the journal has not read yet: `SIOCOUTQ` of unix(7). It is 0
/// for a stream that the journal has dropped, too.
///
/// ```
/// use foo::systemd::journal::{Priority, stream_fd, unread};
///
/// if let Ok(stream) = stream_fd(c"example", Priority::Info) {
///     println!("{} bytes are left", unread(&stream)?);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As ioctl(2): `ENOTTY` or `EINVAL` where it is no such stream.
pub fn unread(stream: impl AsFd) -> io::Result<usize> {
    let mut bytes: c_int = 0;
    // SAFETY: the call writes one integer, for which `bytes` is the place. SIOCOUTQ is TIOCOUTQ.
    Errno::result(unsafe {
        libc::ioctl(stream.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes)
    })?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

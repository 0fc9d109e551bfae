//! sd-journal(3): structured entries, streams of lines, and a reader.
//!
//! A line that a service writes to standard error becomes an entry anyway. This module is for more:
//!
//! | task | functions |
//! |---|---|
//! | set the priority of a line | [`Priority::prefix`] |
//! | write an entry with fields of its own, or with several lines | [`Entry`], [`sendv`] |
//! | write lines under another name, or from a process that is not a service | [`stream_fd`] |
//! | read the journal | [`Reader`] |
//! | write what a program logs through the crate `log` or `tracing` | features of these names |

mod entry;
#[cfg(feature = "tracing")]
mod layer;
#[cfg(feature = "log")]
mod logger;
mod reader;

pub use entry::{Entry, sendv};
#[cfg(feature = "tracing")]
pub use layer::Layer;
#[cfg(feature = "log")]
pub use logger::Logger;
pub use reader::{Data, FieldNames, OpenFlags, Reader, Unique, Wakeup, catalog_for_message_id};

use crate::{check, cvt, invalid, newer};
use libsystemd_sys::{daemon, journal as sys};
use std::{
    env,
    ffi::{CStr, c_int},
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    str::FromStr,
};

/// Longest identifier of a stream, in bytes. libsystemd 247 and 252 copy it to the stack and do not
/// check where the stack ends. 2 KiB and what else the call needs take less than a page, so they
/// can't skip the guard page, which has at least 4 KiB.
const IDENTIFIER_MAX: usize = 2048;

/// The priorities by number, with the names that systemd gives them.
const ALL: [(Priority, &str); 8] = [
    (Priority::Emerg, "emerg"),
    (Priority::Alert, "alert"),
    (Priority::Crit, "crit"),
    (Priority::Err, "err"),
    (Priority::Warning, "warning"),
    (Priority::Notice, "notice"),
    (Priority::Info, "info"),
    (Priority::Debug, "debug"),
];

/// The priority of an entry, from the most to the least important. See syslog(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// 0: the system is unusable.
    Emerg,
    /// 1: action must be taken immediately.
    Alert,
    /// 2: critical conditions.
    Crit,
    /// 3: error conditions.
    Err,
    /// 4: warning conditions.
    Warning,
    /// 5: normal, but significant conditions.
    Notice,
    /// 6: informational messages.
    Info,
    /// 7: debug messages.
    Debug,
}

impl Priority {
    /// Returns the prefix that gives a line this priority, such as `<4>`, for standard error of a
    /// service and for a [stream](stream_fd). These are `SD_WARNING` and the others of
    /// sd-daemon(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::Priority;
    ///
    /// eprintln!("{}The disk is nearly full", Priority::Warning.prefix());
    /// ```
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
        // All of them are ASCII, so the default is never used.
        prefix.to_str().unwrap_or_default()
    }
}

impl TryFrom<u8> for Priority {
    type Error = io::Error;

    /// Converts the number of a priority, 0 to 7.
    fn try_from(number: u8) -> io::Result<Self> {
        match ALL.get(usize::from(number)) {
            Some(&(priority, _)) => Ok(priority),
            None => invalid(format!("{number} is not a priority: it must be 0 to 7")),
        }
    }
}

impl FromStr for Priority {
    type Err = io::Error;

    /// Converts a name or a number, as `--priority=` of journalctl(1) takes it: `warning` or `4`.
    ///
    /// ```
    /// use libsystemd_safe::journal::Priority;
    ///
    /// assert_eq!("warning".parse::<Priority>()?, Priority::Warning);
    /// assert_eq!("4".parse::<Priority>()?, Priority::try_from(4)?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn from_str(text: &str) -> io::Result<Self> {
        let is = |&&(priority, name): &&(Self, &str)| {
            text == name || text == (priority as u8).to_string()
        };
        match ALL.iter().find(is) {
            Some(&(priority, _)) => Ok(priority),
            None => invalid(format!(
                "{text:?} is not a priority: it must be emerg, alert, crit, err, warning, notice, \
                 info, debug, or 0 to 7"
            )),
        }
    }
}

/// Opens a stream to the journal. Each line that is written to it becomes an entry. See
/// sd_journal_stream_fd(3).
///
/// The identifier becomes `SYSLOG_IDENTIFIER=` of each entry. A line has the priority of its
/// [prefix](Priority::prefix), or `priority` if it has none. The caller owns the descriptor, which
/// is close-on-exec and can't be read.
///
/// ```
/// use libsystemd_safe::journal::{Priority, stream_fd};
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
/// - `InvalidInput`: the identifier has more than 2048 bytes, or contains a newline, after which
///   the journal would read the stream's next setting.
/// - `ENOENT` or `ECONNREFUSED`: there is no journal.
/// - Otherwise the errors of socket(2), connect(2) and write(2).
///
/// # Blocking
///
/// This blocks while the journal's queue of new connections is full. Writes to the stream block
/// while the stream is full.
#[doc(alias = "sd_journal_stream_fd")]
pub fn stream_fd(identifier: &CStr, priority: Priority) -> io::Result<OwnedFd> {
    check_identifier(identifier)?;
    // SAFETY: the identifier is a C string, which the call only reads. The stack has room: see
    // IDENTIFIER_MAX.
    let fd = unsafe { sys::sd_journal_stream_fd(identifier.as_ptr(), priority as c_int, 1) };
    owned(check(fd))
}

/// Like [`stream_fd`], for the journal of a namespace. See sd_journal_stream_fd_with_namespace(3),
/// and `LogNamespace=` in systemd.exec(5); since libsystemd 256.
///
/// ```
/// use libsystemd_safe::journal::{Priority, stream_fd_with_namespace};
///
/// if let Err(error) = stream_fd_with_namespace(c"noisy", c"example", Priority::Info) {
///     println!("No such journal: {error}");
/// }
/// ```
///
/// # Errors
///
/// `EINVAL` if the namespace's name is not valid. `Unsupported` if libsystemd is older. Otherwise
/// the errors of [`stream_fd`].
#[doc(alias = "sd_journal_stream_fd_with_namespace")]
pub fn stream_fd_with_namespace(
    namespace: &CStr,
    identifier: &CStr,
    priority: Priority,
) -> io::Result<OwnedFd> {
    check_identifier(identifier)?;
    let (namespace, identifier) = (namespace.as_ptr(), identifier.as_ptr());
    // SAFETY: both are C strings, which the call only reads. The stack has room: see
    // IDENTIFIER_MAX.
    owned(unsafe {
        newer::sd_journal_stream_fd_with_namespace(namespace, identifier, priority as c_int, 1)
    })
}

/// Returns an error if libsystemd can't take an identifier: it would overflow the stack, or end its
/// line in the stream's header.
fn check_identifier(identifier: &CStr) -> io::Result<()> {
    let bytes = identifier.to_bytes();
    if bytes.len() <= IDENTIFIER_MAX && !bytes.contains(&b'\n') {
        return Ok(());
    }
    invalid(format!("an identifier must have at most {IDENTIFIER_MAX} bytes and no newline"))
}

/// Converts the result of a function that opens a descriptor.
fn owned(result: io::Result<c_int>) -> io::Result<OwnedFd> {
    // SAFETY: on success the result is a new descriptor, which nothing else owns.
    result.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns whether a descriptor is the stream to the journal that the service manager opened as
/// standard output or standard error of the service.
///
/// `JOURNAL_STREAM` has the device and the inode of that stream. Returns `false` if it is not set,
/// or malformed. See systemd.exec(5); since systemd 231.
///
/// ```
/// if libsystemd_safe::journal::is_stream(std::io::stderr())? {
///     println!("A line on standard error is an entry of the journal");
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of fstat(2).
pub fn is_stream(fd: impl AsFd) -> io::Result<bool> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the descriptor is open during the call, since it is borrowed. `stat` has room for
    // what fstat writes, and fstat writes all of it on success.
    let stat = unsafe {
        cvt(libc::fstat(fd.as_fd().as_raw_fd(), stat.as_mut_ptr()))?;
        stat.assume_init()
    };
    let stream = format!("{}:{}", stat.st_dev, stat.st_ino);
    Ok(env::var_os("JOURNAL_STREAM").is_some_and(|value| value == *stream))
}

/// Returns how much memory, in bytes, the kernel holds for data that was written to a
/// [stream](stream_fd) and not read yet. It is 0 if the journal has read everything, and also if
/// the journal has closed the stream. Otherwise it is larger than the data.
///
/// This is `SIOCOUTQ`, or `TIOCOUTQ`, of ioctl_tty(2). It works with any socket of the family
/// `AF_UNIX`.
///
/// ```
/// use libsystemd_safe::journal::{Priority, stream_fd, unread};
///
/// if let Ok(stream) = stream_fd(c"example", Priority::Info) {
///     println!("The journal has read everything: {}", unread(&stream)? == 0);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `ENOTTY` if the descriptor is neither a socket nor a terminal. `EINVAL` if it is a socket that
/// listens.
pub fn unread(stream: impl AsFd) -> io::Result<usize> {
    let mut bytes: c_int = 0;
    // SAFETY: the call writes one integer, to `bytes`. SIOCOUTQ is the same number as TIOCOUTQ.
    cvt(unsafe { libc::ioctl(stream.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) })?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

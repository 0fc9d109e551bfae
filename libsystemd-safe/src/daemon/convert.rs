//! Passed descriptors as the types of the standard library.

#![forbid(unsafe_code)]

use super::{ListenFd, SocketType, is_socket, is_socket_inet};
use std::{
    error, fmt, io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::{
        fd::AsRawFd,
        unix::net::{UnixDatagram, UnixListener, UnixStream},
    },
};

/// The error of a conversion from [`ListenFd`]: the descriptor is of another kind.
///
/// Its text says what the descriptor must be, and which setting the socket unit needs.
/// [`io::Error`] takes it whole, and [`io::Error::downcast`] gives it back. Its source is the error of
/// the check, if the check itself failed.
///
/// ```no_run
/// use libsystemd_safe::daemon::ListenFd;
/// use std::{io, os::unix::net::UnixListener};
///
/// fn listener(passed: ListenFd) -> io::Result<UnixListener> {
///     Ok(UnixListener::try_from(passed)?)
/// }
/// ```
pub struct WrongKind {
    /// The descriptor. It is open, and can be used as something else.
    pub passed: ListenFd,
    wanted: &'static str,
    /// Why the descriptor could not be checked.
    cause: Option<io::Error>,
}

impl fmt::Display for WrongKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, name) = (self.passed.fd.as_raw_fd(), self.passed.name.to_string_lossy());
        write!(f, "descriptor {number} ({name}) is not {}", self.wanted)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

/// The text, since a `main` that returns an error prints it in this form.
impl fmt::Debug for WrongKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for WrongKind {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

impl From<WrongKind> for io::Error {
    fn from(wrong: WrongKind) -> Self {
        let kind = wrong.cause.as_ref().map_or(io::ErrorKind::InvalidInput, Self::kind);
        Self::new(kind, wrong)
    }
}

/// Returns whether a descriptor is an `AF_UNIX` stream socket that has, or had, a peer.
fn is_connected(passed: &ListenFd) -> io::Result<bool> {
    if !is_socket(passed, Some(libc::AF_UNIX), Some(SocketType::Stream), Some(false))? {
        return Ok(false);
    }
    Ok(UnixStream::from(passed.fd.try_clone()?).peer_addr().is_ok())
}

/// Implements the conversion to a type: what the descriptor must be, and a check of that.
macro_rules! convert {
    ($($type:ty: $wanted:literal, $is:expr;)*) => {$(
        impl TryFrom<ListenFd> for $type {
            type Error = WrongKind;

            fn try_from(passed: ListenFd) -> Result<Self, WrongKind> {
                let is: fn(&ListenFd) -> io::Result<bool> = $is;
                match is(&passed) {
                    Ok(true) => Ok(passed.fd.into()),
                    is => Err(WrongKind { passed, wanted: $wanted, cause: is.err() }),
                }
            }
        }
    )*};
}

convert! {
    UnixDatagram: "an AF_UNIX datagram socket: its unit needs ListenDatagram= with a path or an \
        abstract name",
        |fd| is_socket(fd, Some(libc::AF_UNIX), Some(SocketType::Datagram), None);
    UnixListener: "a listening AF_UNIX stream socket: its unit needs ListenStream= with a path or \
        an abstract name, and Accept=no",
        |fd| is_socket(fd, Some(libc::AF_UNIX), Some(SocketType::Stream), Some(true));
    UnixStream: "a connected AF_UNIX stream socket: its unit needs ListenStream= with a path or \
        an abstract name, and Accept=yes",
        is_connected;
    UdpSocket: "a UDP socket: its unit needs ListenDatagram= with a port",
        |fd| is_socket_inet(fd, None, Some(SocketType::Datagram), None, None);
    TcpListener: "a listening TCP socket: its unit needs ListenStream= with a port, and Accept=no",
        |fd| is_socket_inet(fd, None, Some(SocketType::Stream), Some(true), None);
    TcpStream: "a connected TCP socket: its unit needs ListenStream= with a port, and Accept=yes",
        |fd| is_socket_inet(fd, None, Some(SocketType::Stream), Some(false), None);
}

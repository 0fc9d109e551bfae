//! Descriptors passed by the service manager: sd_listen_fds(3).

use super::{inherited, malformed::explained};
use crate::{check, cvt, invalid};
use libsystemd_sys::daemon as sys;
use std::{
    ffi::{CStr, OsString, c_char, c_int, c_void},
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::ffi::OsStringExt,
    },
    ptr, slice,
    sync::{Mutex, PoisonError},
};

/// The number of the first passed descriptor. The others follow it. See sd_listen_fds(3).
#[doc(alias = "SD_LISTEN_FDS_START")]
pub const LISTEN_FDS_START: RawFd = sys::SD_LISTEN_FDS_START;

/// A descriptor passed by the service manager, with its name.
///
/// `TryFrom` converts it to a socket type of the standard library. The conversion checks the
/// descriptor first, and gives it back in [`WrongKind`](super::WrongKind) if it is of another kind:
///
/// | type | what it takes |
/// |---|---|
/// | [`UnixDatagram`](std::os::unix::net::UnixDatagram) | an `AF_UNIX` datagram socket |
/// | [`UnixListener`](std::os::unix::net::UnixListener) | an `AF_UNIX` stream socket that listens |
/// | [`UnixStream`](std::os::unix::net::UnixStream) | an `AF_UNIX` stream socket that is, or was, connected |
/// | [`UdpSocket`](std::net::UdpSocket) | an internet datagram socket, IPv4 or IPv6 |
/// | [`TcpListener`](std::net::TcpListener) | an internet stream socket that listens |
/// | [`TcpStream`](std::net::TcpStream) | an internet stream socket that does not listen |
///
/// ```no_run
/// use libsystemd_safe::daemon::listen_fds_with_names;
/// use std::os::unix::net::UnixListener;
///
/// for passed in listen_fds_with_names()? {
///     let listener = UnixListener::try_from(passed)?;
///     let (_stream, _address) = listener.accept()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The standard library has no type for a SEQPACKET, vsock or netlink socket. socket2 and rustix
/// take these, and a FIFO is a [`File`](std::fs::File):
///
/// ```no_run
/// use libsystemd_safe::daemon::{ListenFd, SocketType, is_fifo, is_socket};
/// use std::{fs::File, io, io::Read, os::fd::OwnedFd};
///
/// fn read(passed: ListenFd, buffer: &mut [u8]) -> io::Result<usize> {
///     if is_socket(&passed, None, Some(SocketType::SequentialPacket), Some(true))? {
///         // ListenSequentialPacket=, of the families AF_UNIX and AF_VSOCK.
///         let (mut connection, _) = socket2::Socket::from(OwnedFd::from(passed)).accept()?;
///         connection.read(buffer)
///     } else if is_fifo(&passed, None)? {
///         File::from(passed.fd).read(buffer)
///     } else {
///         // ListenNetlink=.
///         Ok(rustix::net::recv(&passed, buffer, rustix::net::RecvFlags::empty())?.0)
///     }
/// }
/// ```
#[derive(Debug)]
pub struct ListenFd {
    /// `FileDescriptorName=` of the socket unit, which is the unit's name by default.
    ///
    /// It is `connection` for a unit with `Accept=yes`, `stored` for a descriptor that was stored
    /// without a name, and `unknown` if the service manager passed no names.
    ///
    /// libsystemd removes a backslash, and keeps the character after it, even a colon. systemd
    /// passes `FileDescriptorName=a\b` as it is, so the name here is `ab`.
    pub name: OsString,
    /// The descriptor. This is its only owner, so it is closed when this is dropped.
    pub fd: OwnedFd,
}

/// Takes ownership of the descriptors that the service manager passed, and returns them with their
/// names. See sd_listen_fds_with_names(3); since libsystemd 227.
///
/// Descriptors of one socket unit come in the order of the unit's settings. The order of several
/// units is undefined. Descriptors from the descriptor store come last, in any order.
///
/// All of them are close-on-exec. The result is empty if none were passed to this process, and
/// after a call that has taken them. The environment stays as it is.
///
/// ```
/// #![forbid(unsafe_code)]
///
/// for passed in libsystemd_safe::daemon::listen_fds_with_names()? {
///     println!("{} is {:?}", passed.name.to_string_lossy(), passed.fd);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Programs between systemd and this one
///
/// libsystemd takes nothing unless `LISTEN_PID` is the number of this process. Tools that start a
/// program for development, such as systemfd, leave the variable unset, and nothing is taken. A
/// shell can set it: `sh -c 'LISTEN_PID=$$ exec hello'`. Or use systemd-socket-activate(1).
///
/// systemd 259 and newer also set `LISTEN_PIDFDID`, and libsystemd takes nothing if it names
/// another process. A program that passes its descriptors to one that it starts sets `LISTEN_PID`,
/// and removes `LISTEN_PIDFDID`. An empty value is an error.
///
/// # Ownership
///
/// libsystemd trusts the environment: if `LISTEN_FDS` promises a descriptor that was not passed,
/// its number is that of the first descriptor that the program opens. This function takes only what
/// the process was started with. A function in `.init_array` records that before `main`, so a
/// program may call this one at any time.
///
/// From the start on, the passed descriptors belong to this package. Code that takes them without
/// it, such as the crate listenfd or `OwnedFd::from_raw_fd(3)`, breaks the rules of [`std::os::fd`]
/// in a program that also calls this function.
///
/// A shared library can't know what the process was started with. If this package is part of one,
/// and not of the executable, passed descriptors are an error.
///
/// # Errors
///
/// The text of the first three names the variable and its value. Their kind is that of the errno,
/// and their source is the error with the errno itself.
///
/// - `EINVAL`: `LISTEN_PID`, `LISTEN_PIDFDID` or `LISTEN_FDS` is not a number, `LISTEN_FDS` is 0 or
///   negative, or `LISTEN_FDNAMES` has another number of names.
/// - `ERANGE`: one of the numbers is too large, or `LISTEN_PID` is 0 or negative.
/// - `EBADF`: a promised descriptor is not open.
/// - `InvalidInput`: a promised descriptor is open, but the process was not started with it, or it
///   has been taken already.
///
/// The passed descriptors stay open on an error.
#[doc(alias = "sd_listen_fds")]
#[doc(alias = "sd_listen_fds_with_names")]
pub fn listen_fds_with_names() -> io::Result<Vec<ListenFd>> {
    static TAKEN: Mutex<bool> = Mutex::new(false);
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if *taken {
        return Ok(Vec::new());
    }
    // Before the call, which makes them close-on-exec.
    let end = inherited::end();
    let mut names: *mut *mut c_char = ptr::null_mut();
    // SAFETY: `names` has room for the pointer, which is written only if the result is positive.
    let count = check(unsafe { sys::sd_listen_fds_with_names(0, &mut names) });
    let count = count.map_err(explained)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    *taken = true;
    // SAFETY: on success the array holds `count` strings, and the caller owns all of it.
    let names = unsafe { take_names(names, count as usize) };
    if end < LISTEN_FDS_START + count {
        return invalid(format!(
            "LISTEN_FDS promises descriptor {end}, but this process was not started with it, or \
             has taken it already"
        ));
    }
    // SAFETY: the process was started with each of them, so nothing owns it. libsystemd has checked
    // that it is open. TAKEN makes sure that it is taken only once.
    let owned = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
    Ok((LISTEN_FDS_START..).zip(names).map(|(fd, name)| ListenFd { name, fd: owned(fd) }).collect())
}

/// Returns the flags of a descriptor number. `None` if it is not open.
pub(super) fn flags(fd: RawFd) -> Option<c_int> {
    // SAFETY: F_GETFD changes nothing, and accepts any number.
    cvt(unsafe { libc::fcntl(fd, libc::F_GETFD) }).ok()
}

/// Copies an array of C strings, and frees it.
///
/// # Safety
///
/// The array holds `count` C strings. The array and each string come from malloc, and nothing else
/// owns any of them.
unsafe fn take_names(names: *mut *mut c_char, count: usize) -> Vec<OsString> {
    // SAFETY: the caller promises that all pointers are valid. Each string, and then the array, is
    // freed once, after its last use.
    unsafe {
        let take = |&name: &*mut c_char| {
            let owned = OsString::from_vec(CStr::from_ptr(name).to_bytes().to_vec());
            libc::free(name.cast::<c_void>());
            owned
        };
        let taken = slice::from_raw_parts(names, count).iter().map(take).collect();
        libc::free(names.cast());
        taken
    }
}

impl ListenFd {
    /// Makes the descriptor non-blocking, as async runtimes require: tokio panics for a blocking
    /// one.
    ///
    /// `O_NONBLOCK` belongs to the open file, which the service manager shares. So it stays set for
    /// the next process of the service, even if that one expects a blocking socket.
    ///
    /// With tokio:
    ///
    /// ```no_run
    /// use libsystemd_safe::daemon::ListenFd;
    /// use std::{io, os::unix::net::UnixListener};
    ///
    /// // In an async function, or within Runtime::enter.
    /// fn listener(passed: ListenFd) -> io::Result<tokio::net::UnixListener> {
    ///     tokio::net::UnixListener::from_std(UnixListener::try_from(passed.nonblocking()?)?)
    /// }
    /// ```
    ///
    /// With async-io, on which smol and async-std stand:
    ///
    /// ```no_run
    /// use libsystemd_safe::daemon::ListenFd;
    /// use std::{io, os::unix::net::UnixListener};
    ///
    /// fn listener(passed: ListenFd) -> io::Result<async_io::Async<UnixListener>> {
    ///     async_io::Async::new_nonblocking(UnixListener::try_from(passed.nonblocking()?)?)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of fcntl(2), which does not fail in practice.
    pub fn nonblocking(self) -> io::Result<Self> {
        let fd = self.as_raw_fd();
        // SAFETY: the descriptor is open, since this owns it. Both calls take numbers only.
        unsafe {
            let flags = cvt(libc::fcntl(fd, libc::F_GETFL))?;
            cvt(libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK))?;
        }
        Ok(self)
    }
}

impl AsFd for ListenFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for ListenFd {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl IntoRawFd for ListenFd {
    fn into_raw_fd(self) -> RawFd {
        self.fd.into_raw_fd()
    }
}

impl From<ListenFd> for OwnedFd {
    fn from(passed: ListenFd) -> Self {
        passed.fd
    }
}

//! What kind of file a descriptor refers to: the sd_is_… functions of sd_is_fifo(3).

use crate::{check, invalid};
use libsystemd_sys::daemon as sys;
use std::{
    ffi::{CString, c_char, c_int},
    io, net,
    os::{
        fd::{AsFd, AsRawFd},
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net::SocketAddr as UnixAddr},
    },
    path::Path,
    ptr,
};

/// The type of a socket. See socket(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketType {
    /// `SOCK_STREAM`: a byte stream.
    Stream = libc::SOCK_STREAM as isize,
    /// `SOCK_DGRAM`: datagrams.
    Datagram = libc::SOCK_DGRAM as isize,
    /// `SOCK_SEQPACKET`: datagrams over a connection, in order.
    SequentialPacket = libc::SOCK_SEQPACKET as isize,
    /// `SOCK_RAW`: raw access to a network protocol.
    Raw = libc::SOCK_RAW as isize,
}

/// Returns the number of a socket type as libsystemd expects it: 0 matches any type.
fn type_or_any(socket_type: Option<SocketType>) -> c_int {
    socket_type.map_or(0, |socket_type| socket_type as c_int)
}

/// Returns the `listening` parameter as libsystemd expects it: -1 matches both states.
fn listening_or_any(listening: Option<bool>) -> c_int {
    listening.map_or(-1, c_int::from)
}

/// Converts the return value of an sd_is_… function.
fn is_positive(result: c_int) -> io::Result<bool> {
    check(result).map(|result| result > 0)
}

/// Calls one of the functions that take a descriptor and a path; null matches any path.
fn is_at_path(
    function: unsafe extern "C" fn(c_int, *const c_char) -> c_int,
    fd: impl AsFd,
    path: Option<&Path>,
) -> io::Result<bool> {
    let path = path.map(|path| CString::new(path.as_os_str().as_bytes())).transpose()?;
    let path = path.as_ref().map_or(ptr::null(), |path| path.as_ptr());
    // SAFETY: the descriptor is open during the call, since it is borrowed. The path is null or a C
    // string that outlives the call.
    is_positive(unsafe { function(fd.as_fd().as_raw_fd(), path) })
}

/// Returns whether a descriptor refers to a FIFO or a pipe. If a path is given, it must be the FIFO
/// at that path. See sd_is_fifo(3).
///
/// Returns `false`, not an error, if there is no file at the path.
///
/// ```
/// use std::{fs::File, io, path::Path};
///
/// let null = File::open("/dev/null")?;
/// assert!(!libsystemd_safe::daemon::is_fifo(&null, None)?);
/// assert!(libsystemd_safe::daemon::is_special(&null, Some(Path::new("/dev/null")))?);
/// # Ok::<(), io::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` if the path contains a NUL. Otherwise the errors of fstat(2) and stat(2).
#[doc(alias = "sd_is_fifo")]
pub fn is_fifo(fd: impl AsFd, path: Option<&Path>) -> io::Result<bool> {
    is_at_path(sys::sd_is_fifo, fd, path)
}

/// Returns whether a descriptor refers to a regular file or a character device. If a path is given,
/// it must be the file at that path, or the same device as the one at that path. See
/// sd_is_special(3).
///
/// Returns `false`, not an error, if there is no file at the path. [`is_fifo`] has an example.
///
/// # Errors
///
/// The errors of [`is_fifo`].
#[doc(alias = "sd_is_special")]
pub fn is_special(fd: impl AsFd, path: Option<&Path>) -> io::Result<bool> {
    is_at_path(sys::sd_is_special, fd, path)
}

/// Returns whether a descriptor refers to a POSIX message queue. If a name is given, such as
/// `/jobs`, it must be the queue of that name. See sd_is_mq(3) and mq_overview(7).
///
/// libsystemd looks for the name in `/dev/mqueue`.
///
/// ```
/// let null = std::fs::File::open("/dev/null")?;
/// assert!(!libsystemd_safe::daemon::is_mq(&null, None)?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` if the name contains a NUL. For a message queue: `EINVAL` if the name does not
/// begin with a slash, and `ENOENT` if there is no queue of that name. Otherwise the errors of
/// fstat(2) and stat(2).
#[doc(alias = "sd_is_mq")]
pub fn is_mq(fd: impl AsFd, name: Option<&Path>) -> io::Result<bool> {
    is_at_path(sys::sd_is_mq, fd, name)
}

/// Returns whether a descriptor refers to a socket of an address family (`libc::AF_*`) and a type
/// that listens, or does not listen. `None` matches anything. See sd_is_socket(3).
///
/// ```
/// use libsystemd_safe::daemon::{SocketType, is_socket};
///
/// let (here, _there) = std::os::unix::net::UnixStream::pair()?;
/// assert!(is_socket(&here, Some(libc::AF_UNIX), Some(SocketType::Stream), Some(false))?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `EINVAL` if the family is negative. Otherwise the errors of fstat(2), getsockopt(2) and
/// getsockname(2).
#[doc(alias = "sd_is_socket")]
pub fn is_socket(
    fd: impl AsFd,
    family: Option<c_int>,
    socket_type: Option<SocketType>,
    listening: Option<bool>,
) -> io::Result<bool> {
    let (fd, family) = (fd.as_fd(), family.unwrap_or(libc::AF_UNSPEC));
    // SAFETY: the descriptor is open during the call, since it is borrowed. All arguments are
    // numbers.
    is_positive(unsafe {
        sys::sd_is_socket(
            fd.as_raw_fd(),
            family,
            type_or_any(socket_type),
            listening_or_any(listening),
        )
    })
}

/// Like [`is_socket`], for an internet socket that is bound to a port. The family is
/// `libc::AF_INET` or `libc::AF_INET6`; `None` matches both. Port 0 matches any port, as `None`
/// does. See sd_is_socket_inet(3).
///
/// ```
/// use libsystemd_safe::daemon::{SocketType, is_socket_inet};
///
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let port = listener.local_addr()?.port();
/// assert!(is_socket_inet(&listener, None, Some(SocketType::Stream), Some(true), Some(port))?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `EINVAL` if the family is another one. Otherwise the errors of [`is_socket`].
#[doc(alias = "sd_is_socket_inet")]
pub fn is_socket_inet(
    fd: impl AsFd,
    family: Option<c_int>,
    socket_type: Option<SocketType>,
    listening: Option<bool>,
    port: Option<u16>,
) -> io::Result<bool> {
    let (fd, family) = (fd.as_fd(), family.unwrap_or(libc::AF_UNSPEC));
    // SAFETY: as in is_socket.
    is_positive(unsafe {
        sys::sd_is_socket_inet(
            fd.as_raw_fd(),
            family,
            type_or_any(socket_type),
            listening_or_any(listening),
            port.unwrap_or(0),
        )
    })
}

/// Like [`is_socket`], for a socket that is bound to an internet address. Port 0, flow information
/// 0 and scope ID 0 match any. See sd_is_socket_sockaddr(3); since libsystemd 233.
///
/// ```
/// use libsystemd_safe::daemon::is_socket_sockaddr;
///
/// let socket = std::net::UdpSocket::bind("[::1]:0")?;
/// assert!(is_socket_sockaddr(&socket, None, &socket.local_addr()?, None)?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of fstat(2), getsockopt(2) and getsockname(2).
#[doc(alias = "sd_is_socket_sockaddr")]
pub fn is_socket_sockaddr(
    fd: impl AsFd,
    socket_type: Option<SocketType>,
    address: &net::SocketAddr,
    listening: Option<bool>,
) -> io::Result<bool> {
    let (fd, socket_type, listening) =
        (fd.as_fd().as_raw_fd(), type_or_any(socket_type), listening_or_any(listening));
    let is_bound_to = |address: *const libc::sockaddr, size: usize| {
        // SAFETY: the descriptor is open during the call, since it is borrowed. `address` points to
        // an address of `size` bytes that outlives the call.
        is_positive(unsafe {
            sys::sd_is_socket_sockaddr(fd, socket_type, address, size as u32, listening)
        })
    };
    match address {
        net::SocketAddr::V4(address) => {
            let address = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                sin_zero: [0; 8],
            };
            is_bound_to((&raw const address).cast(), size_of_val(&address))
        }
        net::SocketAddr::V6(address) => {
            let address = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            };
            is_bound_to((&raw const address).cast(), size_of_val(&address))
        }
    }
}

/// Like [`is_socket`], for an `AF_UNIX` socket that is bound to a path or an abstract name. See
/// sd_is_socket_unix(3).
///
/// The path must be the one that the socket was bound with, byte for byte. All bytes of an abstract
/// name count, including NULs.
///
/// ```
/// use libsystemd_safe::daemon::{SocketType, is_socket_unix};
/// use std::os::{linux::net::SocketAddrExt, unix::net::{SocketAddr, UnixDatagram}};
///
/// let address = SocketAddr::from_abstract_name(format!("example of {}", std::process::id()))?;
/// let socket = UnixDatagram::bind_addr(&address)?;
/// assert!(is_socket_unix(&socket, Some(SocketType::Datagram), None, Some(&address))?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` if the address has neither a path nor a name. Otherwise the errors of fstat(2),
/// getsockopt(2) and getsockname(2).
#[doc(alias = "sd_is_socket_unix")]
pub fn is_socket_unix(
    fd: impl AsFd,
    socket_type: Option<SocketType>,
    listening: Option<bool>,
    address: Option<&UnixAddr>,
) -> io::Result<bool> {
    // As libsystemd expects it: an abstract name begins with a NUL and has a length; a path ends
    // with a NUL, and its length is 0.
    let name = match address.map(|address| (address.as_pathname(), address.as_abstract_name())) {
        None => None,
        Some((Some(path), _)) => Some(([path.as_os_str().as_bytes(), b"\0"].concat(), 0)),
        Some((_, Some(name))) => Some(([b"\0", name].concat(), name.len() + 1)),
        Some((None, None)) => return invalid("an address without a name"),
    };
    let (name, length) =
        name.as_ref().map_or((ptr::null(), 0), |(name, length)| (name.as_ptr(), *length));
    // SAFETY: the descriptor is open during the call, since it is borrowed. The name outlives the
    // call. It is null, has `length` bytes, or is a C string if `length` is 0.
    is_positive(unsafe {
        sys::sd_is_socket_unix(
            fd.as_fd().as_raw_fd(),
            type_or_any(socket_type),
            listening_or_any(listening),
            name.cast(),
            length,
        )
    })
}

//! What a descriptor is: the sd_is_… functions of sd_is_fifo(3).

use crate::systemd::{check, invalid};
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

/// How a socket carries data. socket(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketType {
    /// `SOCK_STREAM`: a stream of bytes.
    Stream = libc::SOCK_STREAM as isize,
    /// `SOCK_DGRAM`: datagrams.
    Datagram = libc::SOCK_DGRAM as isize,
    /// `SOCK_SEQPACKET`: a connection of datagrams.
    SequentialPacket = libc::SOCK_SEQPACKET as isize,
    /// `SOCK_RAW`: packets of the network.
    Raw = libc::SOCK_RAW as isize,
}

/// The number of a type, or 0 for any.
fn number(socket_type: Option<SocketType>) -> c_int {
    socket_type.map_or(0, |socket_type| socket_type as c_int)
}

/// Whether a socket has to listen, or -1 for either.
fn flag(listening: Option<bool>) -> c_int {
    listening.map_or(-1, c_int::from)
}

/// Asks about a descriptor and, where one is given, a path.
fn ask(
    question: unsafe extern "C" fn(c_int, *const c_char) -> c_int,
    fd: impl AsFd,
    path: Option<&Path>,
) -> io::Result<bool> {
    let path = path
        .map(|path| CString::new(path.as_os_str().as_bytes()))
        .transpose()?;
    let path = path.as_ref().map_or(ptr::null(), |path| path.as_ptr());
    // SAFETY: the descriptor is borrowed for the call; the path is null, for any, or ends with NUL and
    // outlives the call.
    check(unsafe { question(fd.as_fd().as_raw_fd(), path) }).map(|is| is > 0)
}

/// Whether this is a FIFO or a pipe and, where a path is given, the one there. sd_is_fifo(3).
///
/// ```
/// use std::{fs::File, io, path::Path};
///
/// let null = File::open("/dev/null")?;
/// assert!(!foo::systemd::daemon::is_fifo(&null, None)?);
/// assert!(foo::systemd::daemon::is_special(&null, Some(Path::new("/dev/null")))?);
/// # Ok::<(), io::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` for a path that holds a NUL; otherwise as fstat(2) and stat(2).
#[doc(alias = "sd_is_fifo")]
pub fn is_fifo(fd: impl AsFd, path: Option<&Path>) -> io::Result<bool> {
    ask(sys::sd_is_fifo, fd, path)
}

/// Whether this is a regular file or a character device and, where a path is given, the one there.
/// sd_is_special(3); [`is_fifo`] has an example.
///
/// # Errors
///
/// As [`is_fifo`].
#[doc(alias = "sd_is_special")]
pub fn is_special(fd: impl AsFd, path: Option<&Path>) -> io::Result<bool> {
    ask(sys::sd_is_special, fd, path)
}

/// Whether this is a POSIX message queue and, where a name is given, such as `/jobs`, that one. sd_is_mq(3).
///
/// ```
/// let null = std::fs::File::open("/dev/null")?;
/// assert!(!foo::systemd::daemon::is_mq(&null, None)?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As [`is_fifo`], and `EINVAL` for a name that does not begin with a slash.
#[doc(alias = "sd_is_mq")]
pub fn is_mq(fd: impl AsFd, name: Option<&Path>) -> io::Result<bool> {
    ask(sys::sd_is_mq, fd, name)
}

/// Whether this is a socket of the address family (`libc::AF_*`) and of the type, and listens or does not; what
/// is `None` may be anything. sd_is_socket(3).
///
/// ```
/// use foo::systemd::daemon::{SocketType, is_socket};
///
/// let (here, _there) = std::os::unix::net::UnixStream::pair()?;
/// assert!(is_socket(&here, Some(libc::AF_UNIX), Some(SocketType::Stream), Some(false))?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As fstat(2) and getsockopt(2); `EINVAL` for a negative family.
#[doc(alias = "sd_is_socket")]
pub fn is_socket(
    fd: impl AsFd,
    family: Option<c_int>,
    socket_type: Option<SocketType>,
    listening: Option<bool>,
) -> io::Result<bool> {
    let (fd, family) = (fd.as_fd(), family.unwrap_or(libc::AF_UNSPEC));
    // SAFETY: the descriptor is borrowed for the call, which takes nothing else but numbers.
    check(unsafe {
        sys::sd_is_socket(fd.as_raw_fd(), family, number(socket_type), flag(listening))
    })
    .map(|is| is > 0)
}

/// As [`is_socket`], for a socket of the internet: of `libc::AF_INET` or `libc::AF_INET6`, and bound to the
/// port. sd_is_socket_inet(3).
///
/// ```
/// use foo::systemd::daemon::{SocketType, is_socket_inet};
///
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let port = listener.local_addr()?.port();
/// assert!(is_socket_inet(&listener, None, Some(SocketType::Stream), Some(true), Some(port))?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As [`is_socket`], and `EINVAL` for another family.
#[doc(alias = "sd_is_socket_inet")]
pub fn is_socket_inet(
    fd: impl AsFd,
    family: Option<c_int>,
    socket_type: Option<SocketType>,
    listening: Option<bool>,
    port: Option<u16>,
) -> io::Result<bool> {
    let (fd, family, port) = (
        fd.as_fd(),
        family.unwrap_or(libc::AF_UNSPEC),
        port.unwrap_or(0),
    );
    // SAFETY: as in is_socket.
    check(unsafe {
        sys::sd_is_socket_inet(
            fd.as_raw_fd(),
            family,
            number(socket_type),
            flag(listening),
            port,
        )
    })
    .map(|is| is > 0)
}

/// As [`is_socket`], for a socket that is bound to an address of the internet; port 0 is any port.
/// sd_is_socket_sockaddr(3), since 233.
///
/// ```
/// use foo::systemd::daemon::is_socket_sockaddr;
///
/// let socket = std::net::UdpSocket::bind("[::1]:0")?;
/// assert!(is_socket_sockaddr(&socket, None, &socket.local_addr()?, None)?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// As fstat(2), getsockopt(2) and getsockname(2).
#[doc(alias = "sd_is_socket_sockaddr")]
pub fn is_socket_sockaddr(
    fd: impl AsFd,
    socket_type: Option<SocketType>,
    address: &net::SocketAddr,
    listening: Option<bool>,
) -> io::Result<bool> {
    let (fd, socket_type, listening) =
        (fd.as_fd().as_raw_fd(), number(socket_type), flag(listening));
    let ask = |address: *const libc::sockaddr, size: usize| {
        // SAFETY: the descriptor is borrowed for the call, and the address is one of `size` bytes.
        check(unsafe {
            sys::sd_is_socket_sockaddr(fd, socket_type, address, size as u32, listening)
        })
    };
    let is = match address {
        net::SocketAddr::V4(address) => {
            let address = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            ask((&raw const address).cast(), size_of_val(&address))
        }
        net::SocketAddr::V6(address) => {
            let address = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            };
            ask((&raw const address).cast(), size_of_val(&address))
        }
    };
    is.map(|is| is > 0)
}

/// As [`is_socket`], for an `AF_UNIX` socket that is bound to an address, with a path or an abstract name.
/// sd_is_socket_unix(3).
///
/// ```
/// use foo::systemd::daemon::{SocketType, is_socket_unix};
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
/// `InvalidInput` for an address without a name; otherwise as fstat(2), getsockopt(2) and getsockname(2).
#[doc(alias = "sd_is_socket_unix")]
pub fn is_socket_unix(
    fd: impl AsFd,
    socket_type: Option<SocketType>,
    listening: Option<bool>,
    address: Option<&UnixAddr>,
) -> io::Result<bool> {
    // An abstract name begins with a NUL, and its length counts; a path ends with one.
    let name = match address.map(|address| (address.as_pathname(), address.as_abstract_name())) {
        None => None,
        Some((Some(path), _)) => Some([path.as_os_str().as_bytes(), b"\0"].concat()),
        Some((_, Some(name))) => Some([b"\0", name].concat()),
        Some((None, None)) => return invalid("an address without a name"),
    };
    let (name, length) = match &name {
        None => (ptr::null(), 0),
        Some(name) if name.starts_with(b"\0") => (name.as_ptr(), name.len()),
        Some(name) => (name.as_ptr(), name.len() - 1),
    };
    let (fd, socket_type, listening) =
        (fd.as_fd().as_raw_fd(), number(socket_type), flag(listening));
    // SAFETY: the descriptor is borrowed for the call; the name is null, for any, or one of `length` bytes,
    // with a NUL after it where it is a path.
    check(unsafe { sys::sd_is_socket_unix(fd, socket_type, listening, name.cast(), length) })
        .map(|is| is > 0)
}

//! What std has no function for: the only unsafe code of the tests.

use std::io::{Error, Result};
use std::mem::size_of_val;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// One place turns a negative return into an error.
fn check(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

/// Binds a datagram socket to a path that may fill all 108 bytes: std wants room for a NUL, the
/// kernel doesn't.
pub fn bind_long(path: &Path) -> Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    let mut address =
        libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
    for (to, from) in address.sun_path.iter_mut().zip(path.as_os_str().as_bytes()) {
        *to = *from as libc::c_char;
    }
    let size = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address lives through the call, and `size` is its size.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size) })?;
    Ok(socket)
}

/// Lets a socket send datagrams of up to twice this size (the kernel doubles it), or of what
/// `net.core.wmem_max` allows.
pub fn set_send_buffer(socket: &UnixDatagram, bytes: libc::c_int) -> Result<()> {
    let size = size_of_val(&bytes) as libc::socklen_t;
    let (fd, value) = (socket.as_raw_fd(), (&raw const bytes).cast());
    // SAFETY: `value` points to an int that lives through the call, and `size` is its size.
    check(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_SNDBUF, value, size) })?;
    Ok(())
}

/// A sequenced-packet socket, which std doesn't know.
pub fn seqpacket() -> Result<OwnedFd> {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the call takes no pointers.
    let fd = check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: the descriptor was opened just now and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets a descriptor pass to the programs that this process becomes.
pub fn keep_on_exec(fd: &impl AsRawFd) -> Result<()> {
    // SAFETY: the call takes no pointers.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0) }).map(drop)
}

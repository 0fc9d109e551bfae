//! System calls that std has no function for. With tests/wrapper/receive.rs, the only unsafe code
//! of the tests.

use std::io::{Error, Result};
use std::mem::{self, size_of_val};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::{ptr, slice};

/// Turns a negative return value into an error.
fn errno_if_negative(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

/// Binds a datagram socket to a path of up to 108 bytes. std allows one byte less, for a NUL.
pub fn bind_long(path: &Path) -> Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    let mut address =
        libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
    for (to, from) in address.sun_path.iter_mut().zip(path.as_os_str().as_bytes()) {
        *to = *from as libc::c_char;
    }
    let size = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address lives through the call, and `size` is its size.
    errno_if_negative(unsafe {
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size)
    })?;
    Ok(socket)
}

/// Sets the send buffer. The kernel doubles the value, up to `net.core.wmem_max`.
pub fn set_send_buffer(socket: &impl AsRawFd, bytes: libc::c_int) -> Result<()> {
    set_option(socket, libc::SO_SNDBUF, bytes)
}

/// Asks for the credentials of senders.
pub fn ask_for_credentials(socket: &UnixDatagram) -> Result<()> {
    set_option(socket, libc::SO_PASSCRED, 1)
}

/// Makes a socket report the time of each datagram, before all other control messages.
pub fn ask_for_timestamps(socket: &UnixDatagram) -> Result<()> {
    set_option(socket, libc::SO_TIMESTAMP, 1)
}

fn set_option(socket: &impl AsRawFd, option: libc::c_int, value: libc::c_int) -> Result<()> {
    let size = size_of_val(&value) as libc::socklen_t;
    let (fd, value) = (socket.as_raw_fd(), (&raw const value).cast());
    // SAFETY: `value` points to an int that lives through the call, and `size` is its size.
    errno_if_negative(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, value, size) })?;
    Ok(())
}

/// A socket of any family and type that the kernel has.
pub fn socket(family: libc::c_int, kind: libc::c_int) -> Result<OwnedFd> {
    // SAFETY: the call takes no pointers.
    let fd = errno_if_negative(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: the descriptor was opened just now and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Keeps a descriptor open on exec.
pub fn keep_on_exec(fd: &impl AsRawFd) -> Result<()> {
    // SAFETY: the call takes no pointers.
    errno_if_negative(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0) }).map(drop)
}

/// Sends from a connected socket with attached descriptors, and optionally with the sender's
/// credentials.
pub fn send_with(
    socket: &UnixDatagram,
    payload: &[u8],
    fds: &[OwnedFd],
    credentials: bool,
) -> Result<()> {
    let fds: Vec<_> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    // SAFETY: both calls only read the process's own numbers.
    let own =
        unsafe { libc::ucred { pid: libc::getpid(), uid: libc::getuid(), gid: libc::getgid() } };
    let own = if credentials { slice::from_ref(&own) } else { &[] };
    // Words, so that the headers in it are aligned.
    let mut control = [0_u64; 140];
    let mut vector =
        libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
    // SAFETY: all zeroes is an empty header. What it points to lives through the call, which only
    // reads it, and the control buffer has room for 253 descriptors and the credentials.
    unsafe {
        let mut header: libc::msghdr = mem::zeroed();
        (header.msg_iov, header.msg_iovlen) = (&raw mut vector, 1);
        header.msg_control = control.as_mut_ptr().cast();
        attach(&mut header, libc::SCM_RIGHTS, &fds);
        attach(&mut header, libc::SCM_CREDENTIALS, own);
        errno_if_negative(libc::sendmsg(socket.as_raw_fd(), &header, 0).try_into().unwrap_or(0))?;
    }
    Ok(())
}

/// Appends a control message, unless there are no items.
///
/// # Safety
///
/// The header's control buffer has room for the message.
unsafe fn attach<T: Copy>(header: &mut libc::msghdr, kind: libc::c_int, items: &[T]) {
    if items.is_empty() {
        return;
    }
    let size = size_of_val(items) as libc::c_uint;
    // SAFETY: the caller promises the room. The place is aligned, since the size of every control
    // message is.
    unsafe {
        let place: *mut libc::cmsghdr =
            header.msg_control.cast::<u8>().add(header.msg_controllen).cast();
        header.msg_controllen += libc::CMSG_SPACE(size) as usize;
        (*place).cmsg_level = libc::SOL_SOCKET;
        (*place).cmsg_type = kind;
        (*place).cmsg_len = libc::CMSG_LEN(size) as _;
        ptr::copy_nonoverlapping(items.as_ptr().cast(), libc::CMSG_DATA(place), size as usize);
    }
}

/// Opens a descriptor for a process, which std has no stable function for.
pub fn pidfd(pid: u32) -> Result<OwnedFd> {
    // SAFETY: the call takes no pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_long::from(pid), 0) };
    // SAFETY: the descriptor was opened just now and nobody else knows it.
    errno_if_negative(fd as libc::c_int).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

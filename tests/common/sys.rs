//! System calls that std has no function for. With tests/wrapper/receive.rs, the only unsafe code
//! of the tests.

use nix::sys::socket::sockopt::{PassCred, SndBuf};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, UnixCredentials, sendmsg, setsockopt};
use std::io::{Error, IoSlice, Result};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

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
pub fn set_send_buffer(socket: &impl AsFd, bytes: usize) -> Result<()> {
    Ok(setsockopt(socket, SndBuf, &bytes)?)
}

/// Asks for the credentials of senders.
pub fn ask_for_credentials(socket: &UnixDatagram) -> Result<()> {
    Ok(setsockopt(socket, PassCred, &true)?)
}

/// Asks for pidfds of senders. Fails with `ENOPROTOOPT` before Linux 6.5.
pub fn ask_for_pidfds(socket: &UnixDatagram) -> Result<()> {
    const SO_PASSPIDFD: libc::c_int = 76;
    let (yes, size): (libc::c_int, _) = (1, size_of::<libc::c_int>() as libc::socklen_t);
    let (fd, place) = (socket.as_raw_fd(), (&raw const yes).cast());
    // SAFETY: the call reads an integer from `yes`.
    errno_if_negative(unsafe {
        libc::setsockopt(fd, libc::SOL_SOCKET, SO_PASSPIDFD, place, size)
    })?;
    Ok(())
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
    let own = UnixCredentials::new();
    let mut control = Vec::new();
    control.extend((!fds.is_empty()).then_some(ControlMessage::ScmRights(&fds)));
    control.extend(credentials.then_some(ControlMessage::ScmCredentials(&own)));
    let payload = [IoSlice::new(payload)];
    let nowhere_else = None::<&UnixAddr>;
    sendmsg(socket.as_raw_fd(), &payload, &control, MsgFlags::empty(), nowhere_else)?;
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

/// While this lives, its thread runs before all others as soon as it can. Children do not inherit that.
pub struct RunsFirst(PhantomData<*const ()>);

impl RunsFirst {
    /// Takes root.
    pub fn begin() -> Result<Self> {
        schedule(libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, 1)?;
        Ok(Self(PhantomData))
    }
}

impl Drop for RunsFirst {
    fn drop(&mut self) {
        schedule(libc::SCHED_OTHER, 0).expect("the usual policy");
    }
}

/// Sets the scheduling policy of this thread.
fn schedule(policy: libc::c_int, sched_priority: libc::c_int) -> Result<()> {
    let priority = libc::sched_param { sched_priority };
    // SAFETY: the call reads from `priority`. 0 is this thread.
    errno_if_negative(unsafe { libc::sched_setscheduler(0, policy, &priority) }).map(drop)
}

/// Opens a descriptor for a process, which std has no stable function for.
pub fn pidfd(pid: u32) -> Result<OwnedFd> {
    // SAFETY: the call takes no pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_long::from(pid), 0) };
    // SAFETY: the descriptor was opened just now and nobody else knows it.
    errno_if_negative(fd as libc::c_int).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

//! A notification that does not wait for the service manager.

use super::{Notified, NotifyState, notify};
use crate::cvt;
use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        fd::AsRawFd,
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

/// Like [`notify`], but returns `WouldBlock` if the service manager's queue is full.
///
/// This asks the kernel with poll(2), on a socket of its own, whether the queue has room. If so, it
/// makes the one call of [`notify`]. It uses no signals, so any thread of any program may call it.
///
/// ```
/// use libsystemd_safe::daemon::{NotifyState, try_notify};
/// use std::io::ErrorKind;
///
/// match try_notify(&[NotifyState::WATCHDOG]) {
///     Err(error) if error.kind() == ErrorKind::WouldBlock => println!("Again at the next turn"),
///     other => drop(other?),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `WouldBlock` if the queue is full; nothing has been sent then. Otherwise the errors of
/// [`notify`] and poll(2).
///
/// # Blocking
///
/// It still blocks in two cases:
///
/// - Another process fills the queue between the poll and the call. Then it waits until the service
///   manager reads one message.
/// - `NOTIFY_SOCKET` is neither the path nor the abstract name of a socket that the standard library
///   can connect to, such as a vsock address. Then this is [`notify`] itself.
///
/// Where even that is too long, a thread makes the call, and the program waits for the thread at
/// most a given time. The thread goes on until the service manager reads again. Under tokio:
///
/// ```
/// use libsystemd_safe::daemon::{Notified, NotifyState, notify};
/// use std::{io, time::Duration};
/// use tokio::{task::spawn_blocking, time::timeout};
///
/// async fn notify_within(limit: Duration, state: Vec<NotifyState>) -> io::Result<Notified> {
///     timeout(limit, spawn_blocking(move || notify(&state))).await??
/// }
/// ```
#[doc(alias = "sd_notify")]
pub fn try_notify(state: &[NotifyState]) -> io::Result<Notified> {
    if let Some(address) = env::var_os("NOTIFY_SOCKET").as_deref().and_then(unix_address) {
        let probe = UnixDatagram::unbound()?;
        // If it can't connect, nor can libsystemd, which reports why without waiting.
        if probe.connect_addr(&address).is_ok() && !has_room(&probe)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
    }
    notify(state)
}

/// Returns the address that libsystemd sends to, if it is a path or an abstract name.
fn unix_address(text: &OsStr) -> Option<SocketAddr> {
    match text.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(text).ok(),
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok(),
        _ => None,
    }
}

/// Returns whether the queue of the peer of a datagram socket has room.
fn has_room(socket: &UnixDatagram) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: `poll` is one entry, which outlives the call. With a timeout of 0 it does not wait.
    Ok(cvt(unsafe { libc::poll(&mut poll, 1, 0) })? > 0)
}

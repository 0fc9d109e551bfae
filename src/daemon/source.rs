//! A socket to receive from, with its two states: it works, or it had a transient error.
//!
//! `receive` moves it from one to the other. A permanent error ends foo.

#![forbid(unsafe_code)]

use super::{activation::Socket, blocked::RETRY_AFTER, catalog, datagram::Batch, log::Log};
use libsystemd_safe::journal::Priority;
use nix::errno::Errno;
use std::{io, time::Instant};

/// A socket and its state.
pub struct Source {
    /// The socket.
    pub socket: Socket,
    /// When to retry. Set by a transient error, and reset by the next success.
    pub retry_at: Option<Instant>,
}

impl Source {
    /// Receives a batch. Returns how many datagrams it has.
    ///
    /// A transient error is logged, and the socket is not used for [`RETRY_AFTER`].
    ///
    /// # Errors
    ///
    /// Fails with a permanent error. Also fails if nothing is queued and the socket was shut down,
    /// as `maybe_shut_down` suggests.
    pub fn receive(
        &mut self,
        batch: &mut Batch,
        log: &mut Log,
        maybe_shut_down: bool,
    ) -> io::Result<usize> {
        let Self { socket: Socket { name, fd, passes }, retry_at } = self;
        if retry_at.is_some_and(|at| at >= Instant::now()) {
            return Ok(0);
        }
        let error = match batch.receive(fd, *passes) {
            Ok(count) => {
                if retry_at.take().is_some() {
                    log.line(Priority::Notice, format_args!("Receiving from {name} again"));
                }
                return Ok(count);
            }
            Err(error) => error,
        };
        match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
            // No more datagrams arrive, but poll(2) would return at once each time.
            Errno::EAGAIN if maybe_shut_down => Err(io::Error::other("it was shut down")),
            Errno::EAGAIN | Errno::EINTR => Ok(0),
            errno if is_permanent(errno) => Err(error),
            _ => {
                if retry_at.replace(Instant::now() + RETRY_AFTER).is_none() {
                    let text = format!("Unable to receive from {name}, trying again: {error}");
                    log.report(Priority::Err, catalog::SOCKET_FAILED, text);
                }
                Ok(0)
            }
        }
    }
}

/// Returns whether a socket with this error fails from now on.
fn is_permanent(errno: Errno) -> bool {
    use Errno::{EBADF, EFAULT, EINVAL, ENOSYS, ENOTSOCK, EOPNOTSUPP};
    matches!(errno, EBADF | ENOTSOCK | EINVAL | EFAULT | EOPNOTSUPP | ENOSYS)
}

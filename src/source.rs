//! A socket to receive from, and whether it works just now.

#![forbid(unsafe_code)]

use crate::{
    activation::Socket, blocked::RETRY_AFTER, datagram::Batch, log::Log, systemd::journal::Priority,
};
use nix::errno::Errno;
use std::{io, time::Instant};

/// A socket, and whether it works just now.
pub struct Source {
    /// The socket.
    pub socket: Socket,
    /// When to try again, from a transient error until the socket works again.
    pub retry_at: Option<Instant>,
}

impl Source {
    /// Receives a batch. Returns how many datagrams it has. A transient error is logged, and the socket is left alone for
    /// a while.
    ///
    /// # Errors
    ///
    /// Fails with a permanent error, or if the socket was shut down, as poll(2) suspects, and nothing is queued.
    pub fn receive(
        &mut self,
        batch: &mut Batch,
        log: &mut Log,
        is_suspected: bool,
    ) -> io::Result<usize> {
        let Self {
            socket:
                Socket {
                    name,
                    fd,
                    credentials,
                },
            retry_at,
        } = self;
        if retry_at.is_some_and(|at| at >= Instant::now()) {
            return Ok(0);
        }
        let error = match batch.receive(fd, *credentials) {
            Ok(count) => {
                if retry_at.take().is_some() {
                    log.line(
                        Priority::Notice,
                        format_args!("Receiving from {name} again"),
                    );
                }
                return Ok(count);
            }
            Err(error) => error,
        };
        match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
            // Nothing comes any more, but poll(2) would not wait.
            Errno::EAGAIN if is_suspected => Err(io::Error::other("it was shut down")),
            Errno::EAGAIN | Errno::EINTR => Ok(0),
            errno if is_permanent(errno) => Err(error),
            _ => {
                if retry_at.replace(Instant::now() + RETRY_AFTER).is_none() {
                    let text = format!("Unable to receive from {name}, trying again: {error}");
                    log.line(Priority::Err, text);
                }
                Ok(0)
            }
        }
    }
}

/// Returns whether a socket that failed so will go on to fail.
fn is_permanent(errno: Errno) -> bool {
    use Errno::{EBADF, EFAULT, EINVAL, ENOSYS, ENOTSOCK, EOPNOTSUPP};
    matches!(
        errno,
        EBADF | ENOTSOCK | EINVAL | EFAULT | EOPNOTSUPP | ENOSYS
    )
}

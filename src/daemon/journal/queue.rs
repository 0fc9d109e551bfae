//! The journal's queue of entries.
//!
//! libsystemd sends the entries from a socket that foo can't use. A second socket, connected to the
//! same address, shows whether the queue has room. An empty datagram from it marks a place in the
//! queue: once it is read, all entries before it are.

#![forbid(unsafe_code)]

use super::{facts::SOCKET, machine::Outcome};
use crate::daemon::bounded::bounded;
use libsystemd_safe::journal;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    io::{self, ErrorKind, IoSlice},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixDatagram,
    },
    path::Path,
};

/// A socket that is connected to the queue.
pub struct Queue(UnixDatagram);

impl Queue {
    /// Connects to the queue.
    ///
    /// # Errors
    ///
    /// Fails as connect(2) does: with `NotFound` or `ConnectionRefused` if there is no journal.
    pub fn connect() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(SOCKET)?;
        Ok(Self(socket))
    }

    /// Sends an entry.
    pub fn send(&self, fields: &[IoSlice<'_>]) -> Outcome {
        if !exists() {
            return Outcome::Missing;
        }
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut fds, PollTimeout::ZERO) == Ok(0) {
            return Outcome::Full;
        }
        // Another process may have taken the room since.
        match bounded(|| journal::sendv(fields)) {
            // If the file was removed only just after, the journal has the entry twice.
            Ok(()) if exists() => Outcome::OK,
            Ok(()) => Outcome::Missing,
            Err(error) if error.kind() == ErrorKind::Interrupted => Outcome::Full,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Outcome::Closed,
            Err(_) => Outcome::Failed,
        }
    }

    /// Sends a mark. [`Outcome::Closed`] if the queue was closed since [`Queue::connect`].
    pub fn mark(&self) -> Outcome {
        match self.0.send(&[]) {
            Ok(_) => Outcome::OK,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Outcome::Full,
            Err(_) => Outcome::Closed,
        }
    }

    /// Returns how much memory unread marks take up. It is 0 for a queue that was closed as well, so
    /// another mark shows whether it was.
    pub fn unread(&self) -> Outcome {
        match journal::unread(&self.0) {
            Ok(unread @ 1..) => Outcome::Unread(unread),
            _ if self.mark() == Outcome::Closed => Outcome::Closed,
            _ => Outcome::Unread(0),
        }
    }
}

/// Returns whether the socket's file is there. If that can't be seen, it is.
fn exists() -> bool {
    Path::new(SOCKET).try_exists().unwrap_or(true)
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

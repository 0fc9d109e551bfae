//! The journal's queue of entries.
//!
//! libsystemd sends the entries from a socket that foo can't use. A second socket, connected to the
//! same address, shows whether the queue has room. An empty datagram from it, which journald
//! ignores, marks a place in the queue: once journald has read the mark, it has read all entries
//! before it.
//!
//! A queue is unmarked after `count_sent`, and marked after `check_read` has sent the mark.

#![forbid(unsafe_code)]

use crate::daemon::blocked::Blocked;
use libsystemd_safe::journal;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    io::{self, ErrorKind},
    mem,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixDatagram,
    },
    path::Path,
};

/// The path of the socket at which journald receives entries.
const SOCKET: &str = "/run/systemd/journal/socket";

/// The queue, while journald may not have read entries of foo.
pub struct Queue {
    socket: UnixDatagram,
    /// Entries that journald may not have read yet. They are lost if it closes the queue.
    unconfirmed: usize,
    /// Whether the mark is in the queue behind all entries, or was read.
    is_marked: bool,
}

impl Queue {
    /// Returns whether the journal's socket exists.
    pub fn exists() -> bool {
        Path::new(SOCKET).exists()
    }

    /// Connects to the queue. It has no entries of foo yet.
    ///
    /// # Errors
    ///
    /// Fails as connect(2) does: with `NotFound` or `ConnectionRefused` if there is no journal.
    pub fn connect() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(SOCKET)?;
        Ok(Self { socket, unconfirmed: 0, is_marked: false })
    }

    /// Returns whether libsystemd can send an entry without blocking. Another process may still
    /// take the room first.
    pub fn has_room(&self) -> bool {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLOUT)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
    }

    /// Counts an entry that was sent.
    pub fn count_sent(&mut self) {
        (self.unconfirmed, self.is_marked) = (self.unconfirmed + 1, false);
    }

    /// Returns how many entries journald may not have read yet.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed
    }

    /// Returns whether the queue is open: its socket was not stopped since [`Queue::connect`].
    pub fn is_open(&self) -> bool {
        !matches!(self.mark(), Ok(false))
    }

    /// Sends a mark. Returns `false` if the queue was closed.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if there is no room.
    fn mark(&self) -> Result<bool, Blocked> {
        match self.socket.send(&[]) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Blocked::QueueFull),
            Err(_) => Ok(false),
        }
    }

    /// Checks that no entry is left in the queue. Returns `false` if it was closed, which drops its
    /// entries.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if entries may be left.
    pub fn check_read(&mut self) -> Result<bool, Blocked> {
        if journal::unread(&self.socket).unwrap_or(0) > 0 {
            return Err(Blocked::Unread);
        }
        let is_open = self.mark()?;
        // If the first mark was read, the second one only shows whether the queue was closed.
        if is_open && !mem::replace(&mut self.is_marked, true) {
            return Err(Blocked::Unread);
        }
        Ok(is_open)
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

//! The journal's queue of entries, as a socket of ours shows it: libsystemd's own can't be asked.

#![forbid(unsafe_code)]

use crate::{blocked::Blocked, systemd::journal};
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

/// Where the journal takes entries.
const SOCKET: &str = "/run/systemd/journal/socket";

/// The queue, while it may hold entries that journald has not read.
pub struct Queue {
    socket: UnixDatagram,
    /// Entries that journald may not have read yet. They are lost if it closes the queue.
    sent: usize,
    /// Whether an empty datagram of ours, which journald ignores, stands behind all of them.
    is_marked: bool,
}

impl Queue {
    /// Returns whether its socket is there.
    pub fn exists() -> bool {
        Path::new(SOCKET).exists()
    }

    /// The queue, in which nothing is ours yet.
    ///
    /// # Errors
    ///
    /// As connect(2): `NotFound` and `ConnectionRefused` if there is no journal.
    pub fn connect() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(SOCKET)?;
        Ok(Self {
            socket,
            sent: 0,
            is_marked: false,
        })
    }

    /// Returns whether libsystemd can send an entry without blocking, unless somebody else is faster.
    pub fn has_room(&self) -> bool {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLOUT)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
    }

    /// Counts an entry that was sent.
    pub fn count_sent(&mut self) {
        (self.sent, self.is_marked) = (self.sent + 1, false);
    }

    /// Returns how many entries journald may not have read yet.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Returns how many entries were dropped when no entry is left in the queue: none if journald has read the mark
    /// behind them and takes another one.
    ///
    /// # Errors
    ///
    /// Says what to wait for if entries may be left.
    pub fn count_dropped(&mut self) -> Result<usize, Blocked> {
        if journal::unread(&self.socket).unwrap_or(0) > 0 {
            return Err(Blocked::Unread);
        }
        match self.socket.send(&[]) {
            Ok(_) if mem::replace(&mut self.is_marked, true) => Ok(0),
            Ok(_) => Err(Blocked::Unread),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Blocked::QueueFull),
            Err(_) => Ok(self.sent),
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

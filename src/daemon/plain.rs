//! An output that is no stream to the journal: a file, a device, a pipe, a socket or a terminal.

#![forbid(unsafe_code)]

use super::{blocked::Blocked, bounded::bounded, lines::Lines};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    fs::File,
    io::{self, ErrorKind, IsTerminal, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::FileTypeExt,
    },
};

/// Most bytes that are written at once to a pipe, a socket or a terminal: PIPE_BUF. A write of this
/// length does not block after poll(2) reported POLLOUT.
const WRITE_MAX: usize = 4096;

/// An output that is no stream to the journal.
pub struct Plain {
    output: File,
    /// Whether it is a pipe, a socket or a terminal. Other processes may use it, so it stays
    /// blocking.
    may_block: bool,
}

impl Plain {
    /// # Errors
    ///
    /// Fails if fstat(2) does.
    pub fn new(output: File) -> io::Result<Self> {
        let file_type = output.metadata()?.file_type();
        Ok(Self {
            may_block: file_type.is_fifo() || file_type.is_socket() || output.is_terminal(),
            output,
        })
    }

    /// Writes all lines, without blocking.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if not everything was written. After an error the lines wait, and so
    /// do senders: a disk may have room again, and foo must not receive what it can't log.
    pub fn flush(&mut self, lines: &mut Lines) -> Result<(), Blocked> {
        let mut has_failed = false;
        while !lines.unwritten().is_empty() {
            match self.try_write(lines.unwritten()) {
                Ok(count) => lines.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Blocked::Full),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if has_failed => return Err(Blocked::Failed),
                Err(_) => has_failed = true,
            }
        }
        Ok(())
    }

    /// Writes what the output accepts without blocking. Returns how many bytes that were.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = &self.output;
        if !self.may_block {
            return output.write(bytes);
        }
        let mut fds = [PollFd::new(output.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut fds, PollTimeout::ZERO)? == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        // Another process may have taken the room since.
        bounded(|| output.write(&bytes[..bytes.len().min(WRITE_MAX)]))
    }
}

impl AsFd for Plain {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

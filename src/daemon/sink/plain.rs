//! An output that is no stream to the journal: a file, a device, a pipe, a socket or a terminal.

#![forbid(unsafe_code)]

use super::{Lost, count_lines};
use crate::daemon::{blocked::Blocked, bounded::bounded};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    fs::File,
    io::{self, ErrorKind, IsTerminal, Write},
    mem,
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
    lost: Lost,
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
            lost: Lost::default(),
        })
    }

    /// See [`Sink::write`](super::Sink::write).
    pub fn write(&mut self, lines: &[u8], written: &mut usize) -> Result<(), Blocked> {
        let (output, may_block) = (&self.output, self.may_block);
        self.lost.report(&lines[..*written], |report| try_write(output, may_block, report));
        let mut has_failed = false;
        while *written < lines.len() {
            match try_write(output, may_block, &lines[*written..]) {
                Ok(count) => *written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Blocked::Full),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if !mem::replace(&mut has_failed, true) => {}
                Err(_) => {
                    self.lost.0 += count_lines(&lines[*written..]);
                    *written = lines.len();
                }
            }
        }
        Ok(())
    }
}

impl AsFd for Plain {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

/// Writes what the output accepts without blocking. Returns how many bytes that were.
fn try_write(mut output: &File, may_block: bool, bytes: &[u8]) -> io::Result<usize> {
    if !may_block {
        return output.write(bytes);
    }
    let mut fds = [PollFd::new(output.as_fd(), PollFlags::POLLOUT)];
    if poll(&mut fds, PollTimeout::ZERO)? == 0 {
        return Err(ErrorKind::WouldBlock.into());
    }
    // Another process may have taken the room since.
    bounded(|| output.write(&bytes[..bytes.len().min(WRITE_MAX)]))
}

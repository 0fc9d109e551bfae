//! The output of the log: a stream to the journal, or what else standard error is.
//!
//! No call blocks, except for the few milliseconds that [`bounded`](crate::daemon::bounded)
//! allows. The caller keeps what can't be written now.

#![forbid(unsafe_code)]

mod plain;
mod queue;
mod stream;

use crate::daemon::blocked::Blocked;
use libsystemd_safe::journal::{self, Priority};
use plain::Plain;
use std::{
    ffi::CString,
    fs::File,
    io::{self, IoSlice},
    mem,
    os::fd::{AsFd, BorrowedFd},
};
use stream::Stream;

/// Standard error, or the stream that replaced it after journald dropped it.
pub enum Sink {
    Journal(Stream),
    Plain(Plain),
}

impl Sink {
    /// Duplicates standard error. `identifier` is the `SYSLOG_IDENTIFIER=` of a stream that replaces
    /// it.
    ///
    /// # Errors
    ///
    /// Fails if there is no descriptor left.
    pub fn open(identifier: CString) -> io::Result<Self> {
        let stderr = io::stderr().as_fd().try_clone_to_owned()?;
        Ok(if journal::is_stream(&stderr)? {
            Self::Journal(Stream::new(stderr, identifier)?)
        } else {
            Self::Plain(Plain::new(File::from(stderr))?)
        })
    }

    /// Returns whether the output is a stream to the journal.
    pub fn is_journal(&self) -> bool {
        matches!(self, Self::Journal(_))
    }

    /// Writes `lines[*written..]` and updates `written`. It moves back to the start of a line of
    /// which a dropped stream took a part.
    ///
    /// Lines that can't be written because of a permanent error are lost, and count as written. A
    /// line in the log reports how many lines may have been lost.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if not everything was written.
    pub fn write(&mut self, lines: &[u8], written: &mut usize) -> Result<(), Blocked> {
        if *written == lines.len() {
            return Ok(());
        }
        match self {
            Self::Journal(stream) => stream.write(lines, written),
            Self::Plain(plain) => plain.write(lines, written),
        }
    }

    /// Sends fields to the journal as one entry. Returns `false` if the entry must become a line.
    ///
    /// # Errors
    ///
    /// Returns what to wait for before the next try.
    pub fn send(&mut self, fields: &[IoSlice<'_>]) -> Result<bool, Blocked> {
        match self {
            Self::Journal(stream) => stream.send(fields),
            Self::Plain(_) => Ok(false),
        }
    }

    /// Returns how many bytes of lines journald has not read yet.
    pub fn unread_bytes(&self) -> usize {
        match self {
            Self::Journal(stream) => stream.unread_bytes(),
            Self::Plain(_) => 0,
        }
    }

    /// Checks that journald has read everything written so far.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if it has not.
    pub fn check_all_read(&mut self) -> Result<(), Blocked> {
        match self {
            Self::Journal(stream) => stream.check_all_read(),
            Self::Plain(_) => Ok(()),
        }
    }

    /// Stops lines and entries from waiting for each other, and entries for a full queue. Called at
    /// the end, if journald does not read. Returns whether they waited until now.
    pub fn give_up_order(&mut self) -> bool {
        match self {
            Self::Journal(stream) => stream.give_up_order(),
            Self::Plain(_) => false,
        }
    }

    /// Returns the descriptor to poll for POLLOUT before the next try; `None` if only a delay
    /// helps.
    pub fn ready_fd(&self, blocked: Blocked) -> Option<BorrowedFd<'_>> {
        match (self, blocked) {
            (Self::Journal(stream), Blocked::Full) => Some(stream.as_fd()),
            (Self::Journal(stream), Blocked::QueueFull) => stream.queue_fd(),
            (Self::Plain(plain), Blocked::Full) => Some(plain.as_fd()),
            _ => None,
        }
    }
}

/// Lines and entries that may have been lost, and are not reported yet.
#[derive(Default)]
struct Lost(usize);

impl Lost {
    /// Writes a line that reports them, if `before` ends with a complete line. Returns how many
    /// were reported.
    fn report(&mut self, before: &[u8], write: impl FnOnce(&[u8]) -> io::Result<usize>) -> usize {
        if self.0 == 0 || start_of_line(before) != before.len() {
            return 0;
        }
        // Begins with a newline, since a failed write may have been partial.
        let (warning, lost) = (Priority::Warning.prefix(), self.0);
        let report = format!("\n{warning}Up to {lost} lines before this one were lost\n");
        if write(report.as_bytes()).is_ok_and(|count| count == report.len()) {
            mem::take(&mut self.0)
        } else {
            0
        }
    }
}

/// Returns where the last line starts. It may be incomplete, or empty.
fn start_of_line(lines: &[u8]) -> usize {
    lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1)
}

/// Returns how many newlines there are.
fn count_lines(lines: &[u8]) -> usize {
    lines.iter().filter(|&&byte| byte == b'\n').count()
}

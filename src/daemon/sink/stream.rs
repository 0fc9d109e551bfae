//! A stream to the journal, with the queue of entries that belongs to it.
//!
//! journald reads a stream of lines and a queue of entries, in no defined order. Two states keep
//! the order:
//!
//! - Lines: `queue` is `None`, and lines are written. `send` changes to entries once journald has
//!   read all lines.
//! - Entries: `queue` is `Some`, and entries are sent. `write` changes to lines once no entry is
//!   left in the queue.
//!
//! `reopen` replaces a stream that journald has dropped. `give_up_order` ends the waiting.
//!
//! What journald has not confirmed is lost if it drops the stream. It confirms lines, and the
//! entries before them, by reading the stream to its end.

#![forbid(unsafe_code)]

use super::{Lost, count_lines, queue::Queue, start_of_line};
use crate::daemon::{blocked::Blocked, bounded::bounded};
use libsystemd_safe::journal::{self, Priority};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    ffi::CString,
    fs::File,
    io::{self, ErrorKind, IoSlice, Write},
    mem,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

/// Longest time that an entry waits for a missing queue. It covers a restart of journald. After
/// that it becomes a line, which the journal splits.
const MISSING_TIMEOUT: Duration = Duration::from_secs(2);

/// Most entries without a confirmation. Without a bound, a journald that is stopped would make foo
/// report all entries since the last line as lost.
const ENTRIES_MAX: usize = 1000;

/// A stream to the journal, and its queue.
pub struct Stream {
    /// The stream. It is non-blocking, since no other process writes to it.
    stream: File,
    /// The `SYSLOG_IDENTIFIER=` of lines on a reopened stream.
    identifier: CString,
    /// Lines written that journald may not have read yet.
    unconfirmed: usize,
    /// A queue whose entries were read, by journald or by another.
    read: Option<Queue>,
    /// The queue, while it may hold entries. Meanwhile no line is written.
    queue: Option<Queue>,
    /// Whether lines and entries wait for each other. Never set again once it is false.
    in_order: bool,
    /// Since when the queue is missing.
    missing_since: Option<Instant>,
    lost: Lost,
}

impl Stream {
    /// # Errors
    ///
    /// Fails if the stream can't be made non-blocking.
    pub fn new(stream: OwnedFd, identifier: CString) -> io::Result<Self> {
        Ok(Self {
            stream: nonblocking(stream)?,
            identifier,
            unconfirmed: 0,
            read: None,
            queue: None,
            in_order: true,
            missing_since: None,
            lost: Lost::default(),
        })
    }

    /// See [`Sink::write`](super::Sink::write).
    pub fn write(&mut self, lines: &[u8], written: &mut usize) -> Result<(), Blocked> {
        // Unread lines confirm nothing yet, but more may follow them.
        let _ = self.check_lines_read();
        self.check_entries_read()?;
        // If the report is lost too, the next report includes its count.
        self.unconfirmed +=
            self.lost.report(&lines[..*written], |report| self.stream.write(report));
        let mut has_failed = false;
        while *written < lines.len() {
            match self.stream.write(&lines[*written..]) {
                Ok(count) => {
                    self.unconfirmed += count_lines(&lines[*written..*written + count]);
                    *written += count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Blocked::Full),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    // journald was stopped or restarted. The lines wait until it is back.
                    *written = start_of_line(&lines[..*written]);
                    self.reopen(mem::replace(&mut has_failed, true))?;
                }
            }
        }
        Ok(())
    }

    /// See [`Sink::send`](super::Sink::send).
    pub fn send(&mut self, fields: &[IoSlice<'_>]) -> Result<bool, Blocked> {
        if self.queue.as_ref().is_some_and(|entries| entries.unconfirmed() >= ENTRIES_MAX) {
            self.check_entries_read()?;
        }
        if self.queue.is_none() {
            let lines_read = self.check_lines_read();
            if self.in_order {
                lines_read?;
            }
            self.queue = Queue::connect().ok();
        }
        let Some(entries) = self.queue.as_mut().filter(|_| Queue::exists()) else {
            return self.wait_for_queue();
        };
        self.missing_since = None;
        if !entries.has_room() {
            return if self.in_order { Err(Blocked::QueueFull) } else { Ok(false) };
        }
        match bounded(|| journal::sendv(fields)) {
            // If the socket's file is missing, libsystemd drops the entry and reports success. If
            // the file was removed only just after, the journal has the entry twice.
            Ok(()) if Queue::exists() => {
                entries.count_sent();
                Ok(true)
            }
            Ok(()) => Err(Blocked::Gone),
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(Blocked::QueueFull),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                // The queue was closed.
                let closed = self.queue.take();
                self.lose_entries(closed);
                self.wait_for_queue()
            }
            Err(_) => Ok(false),
        }
    }

    /// Returns `false` if the entry must become a line: the queue is missing for
    /// [`MISSING_TIMEOUT`], or the order was given up.
    ///
    /// An earlier line could be lost in part, since a journald that stops still reads its stream
    /// for a while.
    ///
    /// # Errors
    ///
    /// Returns what to wait for before the next try.
    fn wait_for_queue(&mut self) -> Result<bool, Blocked> {
        if self.is_hung_up() {
            self.reopen(false)?;
        }
        let since = *self.missing_since.get_or_insert_with(Instant::now);
        if !self.in_order || since.elapsed() >= MISSING_TIMEOUT {
            Ok(false)
        } else {
            Err(Blocked::Gone)
        }
    }

    /// See [`Sink::unread_bytes`](super::Sink::unread_bytes).
    pub fn unread_bytes(&self) -> usize {
        journal::unread(&self.stream).unwrap_or(0)
    }

    /// See [`Sink::check_all_read`](super::Sink::check_all_read).
    pub fn check_all_read(&mut self) -> Result<(), Blocked> {
        self.check_entries_read()?;
        self.check_lines_read()
    }

    /// See [`Sink::give_up_order`](super::Sink::give_up_order).
    pub fn give_up_order(&mut self) -> bool {
        mem::take(&mut self.in_order)
    }

    /// Returns the descriptor that is writable while the queue has room.
    pub fn queue_fd(&self) -> Option<BorrowedFd<'_>> {
        self.queue.as_ref().map(AsFd::as_fd)
    }

    /// Checks that no line is left in the stream. If journald has read them, this confirms all lines
    /// and the entries before them.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if lines are left.
    fn check_lines_read(&mut self) -> Result<(), Blocked> {
        if self.unread_bytes() > 0 {
            return Err(Blocked::Unread);
        }
        // A stream that is dropped hangs up before its unread bytes become none.
        if !self.is_hung_up() {
            self.unconfirmed = 0;
            let closed = self.read.take().filter(|read| !read.is_open());
            self.lose_entries(closed);
        }
        Ok(())
    }

    /// Checks that no entry is left in the queue, so that lines may follow.
    ///
    /// journald may not be who has read them: the service manager empties the queue before it stops
    /// journald's socket. So an empty line, which journald ignores, follows them on the stream. They
    /// are confirmed if the queue is still open when journald has read that line. A stream may
    /// survive the stop, but the queue does not.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if entries may be left.
    fn check_entries_read(&mut self) -> Result<(), Blocked> {
        let Some(entries) = self.queue.as_mut().filter(|_| self.in_order) else {
            return Ok(());
        };
        let is_read = entries.check_read()?;
        let mut dropped = self.queue.take();
        if is_read {
            // If this fails, journald has dropped the stream, which `write` finds out.
            let _ = self.stream.write(b"\n");
            // One that is still unconfirmed belongs to a stream that has hung up.
            mem::swap(&mut dropped, &mut self.read);
        }
        self.lose_entries(dropped);
        Ok(())
    }

    /// Counts the entries of a queue as lost.
    fn lose_entries(&mut self, queue: Option<Queue>) {
        self.lost.0 += queue.map_or(0, |queue| queue.unconfirmed());
    }

    /// Replaces the stream that journald has dropped, unless `was_tried`. Counts what is
    /// unconfirmed as lost.
    ///
    /// # Errors
    ///
    /// Returns [`Blocked::Gone`] if there is no new stream.
    fn reopen(&mut self, was_tried: bool) -> Result<(), Blocked> {
        self.lost.0 += mem::take(&mut self.unconfirmed);
        for queue in [self.queue.take(), self.read.take()] {
            self.lose_entries(queue);
        }
        if was_tried {
            return Err(Blocked::Gone);
        }
        let stream = bounded(|| journal::stream_fd(&self.identifier, Priority::Notice))
            .and_then(nonblocking);
        self.stream = stream.map_err(|_| Blocked::Gone)?;
        Ok(())
    }

    /// Returns whether journald has dropped the stream.
    fn is_hung_up(&self) -> bool {
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::empty())];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Returns a stream in non-blocking mode.
fn nonblocking(stream: OwnedFd) -> io::Result<File> {
    let stream = UnixStream::from(stream);
    stream.set_nonblocking(true)?;
    Ok(OwnedFd::from(stream).into())
}

//! The output of the log: a stream to the journal, or what else standard error is.
//!
//! No call blocks, except for the few milliseconds that [`bounded`] allows. The caller keeps what
//! can't be written now.
//!
//! journald reads a stream of lines and a queue of entries, in no defined order. A stream to the
//! journal has two states that keep the order:
//!
//! - Lines: `queue` is `None`, and lines are written. `send` changes to entries once journald has
//!   read all lines.
//! - Entries: `queue` is `Some`, and entries are sent. `write` changes to lines once journald has
//!   read all entries, or the queue was closed.
//!
//! `reopen` replaces a stream that journald has dropped. `give_up_order` ends the waiting.

#![forbid(unsafe_code)]

use crate::{
    blocked::Blocked,
    queue::Queue,
    systemd::{
        bounded::bounded,
        journal::{self, Priority},
    },
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    ffi::CString,
    fs::File,
    io::{self, ErrorKind, IoSlice, IsTerminal, Write},
    mem,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{fs::FileTypeExt, net::UnixStream},
    },
    time::{Duration, Instant},
};

/// Most bytes that are written at once to a pipe, a socket or a terminal: PIPE_BUF. A write of this
/// length does not block after poll(2) reported POLLOUT.
const WRITE_MAX: usize = 4096;

/// Longest time that an entry waits for a missing queue. It covers a restart of journald. After
/// that it becomes a line, which the journal splits.
const MISSING_TIMEOUT: Duration = Duration::from_secs(2);

/// Standard error, or the stream that replaced it after journald dropped it.
pub struct Sink {
    output: File,
    kind: Kind,
    /// The `SYSLOG_IDENTIFIER=` of lines on a reopened stream.
    identifier: CString,
    /// Lines and entries that may have been lost, and are not reported yet.
    lost: usize,
}

enum Kind {
    /// A stream to the journal. It is non-blocking, since no other process writes to it.
    Journal {
        /// Lines written that journald may not have read yet. They are lost if it drops the stream.
        /// Reset by a successful write to a stream of which journald had read everything.
        unconfirmed: usize,
        /// The queue, while it may hold entries that journald has not read. Meanwhile no line is
        /// written.
        queue: Option<Queue>,
        /// Whether lines and entries wait for each other. Never set again once it is false.
        in_order: bool,
        /// Since when the queue is missing.
        missing_since: Option<Instant>,
    },
    /// A pipe, a socket or a terminal. Other processes may use it, so it stays blocking.
    Shared,
    /// A file or a device. It never blocks.
    Other,
}

impl Sink {
    /// Duplicates standard error.
    ///
    /// # Errors
    ///
    /// Fails if there is no descriptor left.
    pub fn open(identifier: CString) -> io::Result<Self> {
        let output = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        if journal::is_stream(&output)? {
            let kind = Kind::Journal {
                unconfirmed: 0,
                queue: None,
                in_order: true,
                missing_since: None,
            };
            return Ok(Self {
                output: nonblocking(output.into())?,
                kind,
                identifier,
                lost: 0,
            });
        }
        let file_type = output.metadata()?.file_type();
        let may_block = file_type.is_fifo() || file_type.is_socket() || output.is_terminal();
        Ok(Self {
            output,
            kind: if may_block { Kind::Shared } else { Kind::Other },
            identifier,
            lost: 0,
        })
    }

    /// Returns whether the output is a stream to the journal.
    pub fn is_journal(&self) -> bool {
        matches!(self.kind, Kind::Journal { .. })
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
        self.check_entries_read()?;
        self.report_lost(&lines[..*written]);
        // SIOCOUTQ is also 0 on a dropped stream, so this counts only after a successful write.
        let mut is_confirmed = self.is_journal() && self.unread_bytes() == 0;
        let mut has_failed = false;
        while *written < lines.len() {
            match self.try_write(&lines[*written..]) {
                Ok(count) => {
                    if let Kind::Journal { unconfirmed, .. } = &mut self.kind {
                        if mem::take(&mut is_confirmed) {
                            *unconfirmed = 0;
                        }
                        *unconfirmed += count_lines(&lines[*written..*written + count]);
                    }
                    *written += count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Blocked::Full),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if self.is_journal() => {
                    // journald was stopped or restarted. The lines wait until it is back.
                    *written = start_of_line(&lines[..*written]);
                    self.reopen(mem::replace(&mut has_failed, true))?;
                }
                Err(_) if !has_failed => has_failed = true,
                Err(_) => {
                    self.lost += count_lines(&lines[*written..]);
                    *written = lines.len();
                }
            }
        }
        Ok(())
    }

    /// Sends fields to the journal as one entry. Returns `false` if the entry must become a line.
    ///
    /// # Errors
    ///
    /// Returns what to wait for before the next try.
    pub fn send(&mut self, fields: &[IoSlice<'_>]) -> Result<bool, Blocked> {
        let has_unread_lines = self.unread_bytes() > 0;
        let Kind::Journal {
            queue,
            in_order,
            missing_since,
            ..
        } = &mut self.kind
        else {
            return Ok(false);
        };
        if queue.is_none() {
            if has_unread_lines && *in_order {
                return Err(Blocked::Unread);
            }
            *queue = Queue::connect().ok();
        }
        let Some(entries) = queue.as_mut().filter(|_| Queue::exists()) else {
            return self.wait_for_queue();
        };
        *missing_since = None;
        if !entries.has_room() {
            return if *in_order {
                Err(Blocked::QueueFull)
            } else {
                Ok(false)
            };
        }
        match bounded(|| journal::sendv(fields)) {
            // If the socket's file is missing, libsystemd drops the entry and reports success.
            Ok(()) if Queue::exists() => {
                entries.count_sent();
                Ok(true)
            }
            Ok(()) => Err(Blocked::Gone),
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(Blocked::QueueFull),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                // The queue was closed, and its entries were dropped.
                self.lost += entries.unconfirmed();
                *queue = None;
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
        if is_hung_up(&self.output) {
            self.reopen(false)?;
        }
        let Kind::Journal {
            in_order: true,
            missing_since,
            ..
        } = &mut self.kind
        else {
            return Ok(false);
        };
        let since = *missing_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= MISSING_TIMEOUT {
            Ok(false)
        } else {
            Err(Blocked::Gone)
        }
    }

    /// Returns how many bytes of lines journald has not read yet.
    pub fn unread_bytes(&self) -> usize {
        if self.is_journal() {
            journal::unread(&self.output).unwrap_or(0)
        } else {
            0
        }
    }

    /// Checks that journald has read everything written so far.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if it has not.
    pub fn check_all_read(&mut self) -> Result<(), Blocked> {
        self.check_entries_read()?;
        if self.unread_bytes() > 0 {
            Err(Blocked::Unread)
        } else {
            Ok(())
        }
    }

    /// Stops lines and entries from waiting for each other, and entries for a full queue. Called at
    /// the end, if journald does not read. Returns whether they waited until now.
    pub fn give_up_order(&mut self) -> bool {
        match &mut self.kind {
            Kind::Journal { in_order, .. } => mem::take(in_order),
            _ => false,
        }
    }

    /// Returns the descriptor to poll for POLLOUT before the next try; `None` if only a delay
    /// helps.
    pub fn ready_fd(&self, blocked: Blocked) -> Option<BorrowedFd<'_>> {
        match (blocked, &self.kind) {
            (Blocked::Full, _) => Some(self.output.as_fd()),
            (Blocked::QueueFull, Kind::Journal { queue, .. }) => queue.as_ref().map(AsFd::as_fd),
            _ => None,
        }
    }

    /// Checks that journald has read all entries, so that lines may follow.
    ///
    /// While journald is being stopped, the service manager empties the queue and drops the
    /// entries. journald has dropped its stream by then, so entries read from then on count as
    /// lost.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if entries may be left.
    fn check_entries_read(&mut self) -> Result<(), Blocked> {
        let Kind::Journal {
            queue,
            in_order: true,
            ..
        } = &mut self.kind
        else {
            return Ok(());
        };
        if let Some(entries) = queue {
            let dropped = entries.count_dropped()?;
            self.lost += if is_hung_up(&self.output) {
                entries.unconfirmed()
            } else {
                dropped
            };
            *queue = None;
        }
        Ok(())
    }

    /// Writes a line that reports lost lines, if `before` ends with a complete line.
    fn report_lost(&mut self, before: &[u8]) {
        if self.lost == 0 || before.last().is_some_and(|&byte| byte != b'\n') {
            return;
        }
        // Begins with a newline, since a failed write may have been partial.
        let (warning, lost) = (Priority::Warning.prefix(), self.lost);
        let report = format!("\n{warning}Up to {lost} lines before this one were lost\n");
        if self
            .try_write(report.as_bytes())
            .is_ok_and(|count| count == report.len())
        {
            self.lost = 0;
            // If the report is lost too, the next report includes its count.
            if let Kind::Journal { unconfirmed, .. } = &mut self.kind {
                *unconfirmed += lost;
            }
        }
    }

    /// Writes what the output accepts without blocking. Returns how many bytes that were.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !matches!(self.kind, Kind::Shared) {
            return self.output.write(bytes);
        }
        if poll(
            &mut [PollFd::new(self.output.as_fd(), PollFlags::POLLOUT)],
            PollTimeout::ZERO,
        )? == 0
        {
            return Err(ErrorKind::WouldBlock.into());
        }
        // Another process may have taken the room since.
        bounded(|| self.output.write(&bytes[..bytes.len().min(WRITE_MAX)]))
    }

    /// Replaces the stream that journald has dropped, unless `was_tried`. Counts its unconfirmed
    /// lines and entries as lost.
    ///
    /// # Errors
    ///
    /// Returns [`Blocked::Gone`] if there is no new stream.
    fn reopen(&mut self, was_tried: bool) -> Result<(), Blocked> {
        if let Kind::Journal {
            unconfirmed, queue, ..
        } = &mut self.kind
        {
            self.lost +=
                mem::take(unconfirmed) + queue.take().map_or(0, |entries| entries.unconfirmed());
        }
        if was_tried {
            return Err(Blocked::Gone);
        }
        let stream = bounded(|| journal::stream_fd(&self.identifier, Priority::Notice))
            .and_then(nonblocking);
        self.output = stream.map_err(|_| Blocked::Gone)?;
        Ok(())
    }
}

/// Returns a stream to the journal in non-blocking mode.
fn nonblocking(stream: OwnedFd) -> io::Result<File> {
    let stream = UnixStream::from(stream);
    stream.set_nonblocking(true)?;
    Ok(OwnedFd::from(stream).into())
}

/// Returns how many newlines there are.
fn count_lines(lines: &[u8]) -> usize {
    lines.iter().filter(|&&byte| byte == b'\n').count()
}

/// Returns where the last line starts. It may be incomplete.
fn start_of_line(lines: &[u8]) -> usize {
    lines
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1)
}

/// Returns whether journald has dropped a stream.
fn is_hung_up(stream: &File) -> bool {
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

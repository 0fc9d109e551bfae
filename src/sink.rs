//! What the log's lines are written to, and why nothing can be written to it now.
//!
//! Nothing here blocks, but for the few milliseconds that [`bounded`] lets libsystemd have. What can't be written now is
//! the caller's to keep.
//!
//! The journal reads a stream of lines and a queue of entries, in no order. So an entry is sent when journald has
//! read all lines, and a line is written when it has read all entries.

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

/// Bytes that a pipe, a socket or a terminal takes without blocking when poll(2) says that it takes any: PIPE_BUF.
const ROOM: usize = 4096;

/// The longest that an entry waits for a missing queue. Then it is a line, which the journal cuts.
const MISSING_FOR: Duration = Duration::from_secs(2);

/// Standard error, or a stream of our own to the journal after that one broke.
pub struct Sink {
    to: File,
    kind: Kind,
    /// What entries of a stream of our own are filed under.
    identifier: CString,
    /// Lines that were lost, or may have been, and are not reported yet.
    lost: usize,
}

enum Kind {
    /// A stream to the journal. It is non-blocking: nobody else writes to it.
    Journal {
        /// Lines written that journald may not have read yet. They are lost if it drops the stream. Reset when a write
        /// succeeds to a stream of which it had read everything.
        unconfirmed: usize,
        /// The queue, while it may hold entries that journald has not read. No line is written then.
        queue: Option<Queue>,
        /// Whether lines and entries wait for each other.
        in_order: bool,
        /// Since when the queue is missing, if it is.
        missing_since: Option<Instant>,
    },
    /// A pipe, a socket or a terminal. Others may use it too, so it stays blocking.
    Shared,
    /// A file or a device, which never blocks.
    Other,
}

impl Sink {
    /// Takes standard error.
    ///
    /// # Errors
    ///
    /// Fails if there is no descriptor left for it.
    pub fn open(identifier: CString) -> io::Result<Self> {
        let to = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        if journal::is_stream(&to)? {
            let kind = Kind::Journal {
                unconfirmed: 0,
                queue: None,
                in_order: true,
                missing_since: None,
            };
            return Ok(Self {
                to: nonblocking(to.into())?,
                kind,
                identifier,
                lost: 0,
            });
        }
        let file_type = to.metadata()?.file_type();
        let may_block = file_type.is_fifo() || file_type.is_socket() || to.is_terminal();
        Ok(Self {
            to,
            kind: if may_block { Kind::Shared } else { Kind::Other },
            identifier,
            lost: 0,
        })
    }

    /// Returns whether this is a stream to the journal.
    pub fn is_journal(&self) -> bool {
        matches!(self.kind, Kind::Journal { .. })
    }

    /// Writes `lines[*written..]`, and keeps `written` up to date. It moves back to the start of a line that a
    /// dropped stream cut in two.
    ///
    /// Lines that can't be written at all are lost and count as written. A line reports how many were lost, or may
    /// have been in a journal that stopped.
    ///
    /// # Errors
    ///
    /// Says what to wait for if not everything was written.
    pub fn write(&mut self, lines: &[u8], written: &mut usize) -> Result<(), Blocked> {
        if *written == lines.len() {
            return Ok(());
        }
        self.settle_queue()?;
        self.report_lost(&lines[..*written]);
        // SIOCOUTQ is also 0 on a dropped stream, so this counts only after a successful write.
        let mut confirmed = self.is_journal() && self.unread() == 0;
        let mut failed = false;
        while *written < lines.len() {
            match self.try_write(&lines[*written..]) {
                Ok(count) => {
                    if let Kind::Journal { unconfirmed, .. } = &mut self.kind {
                        if mem::take(&mut confirmed) {
                            *unconfirmed = 0;
                        }
                        *unconfirmed += count_lines(&lines[*written..*written + count]);
                    }
                    *written += count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(Blocked::Full),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if self.is_journal() => {
                    // It was stopped or restarted, and will be back: what is to be written waits.
                    *written = start_of_line(&lines[..*written]);
                    self.reopen(mem::replace(&mut failed, true))?;
                }
                Err(_) if !failed => failed = true,
                Err(_) => {
                    self.lost += count_lines(&lines[*written..]);
                    *written = lines.len();
                }
            }
        }
        Ok(())
    }

    /// Sends fields to the journal as one entry. Returns whether that was possible.
    ///
    /// # Errors
    ///
    /// Says what to wait for before the next try.
    pub fn send(&mut self, fields: &[IoSlice<'_>]) -> Result<bool, Blocked> {
        let unread = self.unread() > 0;
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
            if unread && *in_order {
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
            // If the socket's file is gone, libsystemd drops the entry and reports success.
            Ok(()) if Queue::exists() => {
                entries.count_sent();
                Ok(true)
            }
            Ok(()) => Err(Blocked::Gone),
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(Blocked::QueueFull),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                // It was closed, and what it held is dropped.
                self.lost += entries.sent();
                *queue = None;
                self.wait_for_queue()
            }
            Err(_) => Ok(false),
        }
    }

    /// Waits for the journal to be back, or for the queue, but not for long if only that is missing. A journald that stops
    /// would take a part of a long line with it.
    fn wait_for_queue(&mut self) -> Result<bool, Blocked> {
        if is_hung_up(&self.to) {
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
        if since.elapsed() >= MISSING_FOR {
            Ok(false)
        } else {
            Err(Blocked::Gone)
        }
    }

    /// Returns how many bytes of lines journald has not read yet.
    pub fn unread(&self) -> usize {
        if self.is_journal() {
            journal::unread(&self.to).unwrap_or(0)
        } else {
            0
        }
    }

    /// Checks that journald has read everything.
    ///
    /// # Errors
    ///
    /// Says what to wait for if it has not.
    pub fn check_read(&mut self) -> Result<(), Blocked> {
        self.settle_queue()?;
        if self.unread() > 0 {
            Err(Blocked::Unread)
        } else {
            Ok(())
        }
    }

    /// Lets lines and entries no longer wait for each other, nor for a full queue. For the end, if journald does not
    /// read. Returns whether they waited until now.
    pub fn give_up_order(&mut self) -> bool {
        match &mut self.kind {
            Kind::Journal { in_order, .. } => mem::take(in_order),
            _ => false,
        }
    }

    /// Returns what becomes writable when something can be written again; `None` if only time will show.
    pub fn ready_fd(&self, blocked: Blocked) -> Option<BorrowedFd<'_>> {
        match (blocked, &self.kind) {
            (Blocked::Full, _) => Some(self.to.as_fd()),
            (Blocked::QueueFull, Kind::Journal { queue, .. }) => queue.as_ref().map(AsFd::as_fd),
            _ => None,
        }
    }

    /// Checks that journald has read all entries, which lines wait for.
    ///
    /// While journald is being stopped, the service manager empties the queue and drops the entries. journald has
    /// dropped its stream by then, so entries that are read from then on count as lost.
    fn settle_queue(&mut self) -> Result<(), Blocked> {
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
            self.lost += if is_hung_up(&self.to) {
                entries.sent()
            } else {
                dropped
            };
            *queue = None;
        }
        Ok(())
    }

    /// Reports lines that were lost, if `before` ends with a line.
    fn report_lost(&mut self, before: &[u8]) {
        if self.lost == 0 || before.last().is_some_and(|&byte| byte != b'\n') {
            return;
        }
        // Begins with a newline, since the line that failed may have been written in part.
        let (warning, lost) = (Priority::Warning.prefix(), self.lost);
        let report = format!("\n{warning}Up to {lost} lines before this one were lost\n");
        if self
            .try_write(report.as_bytes())
            .is_ok_and(|count| count == report.len())
        {
            self.lost = 0;
            // The report may be lost too, and what it reports with it.
            if let Kind::Journal { unconfirmed, .. } = &mut self.kind {
                *unconfirmed += lost;
            }
        }
    }

    /// Writes what is taken without blocking.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !matches!(self.kind, Kind::Shared) {
            return self.to.write(bytes);
        }
        if poll(
            &mut [PollFd::new(self.to.as_fd(), PollFlags::POLLOUT)],
            PollTimeout::ZERO,
        )? == 0
        {
            return Err(ErrorKind::WouldBlock.into());
        }
        // Somebody else may have taken the room.
        bounded(|| self.to.write(&bytes[..bytes.len().min(ROOM)]))
    }

    /// Opens a stream of our own to the journal, which has dropped the one before, unless that was tried just now.
    fn reopen(&mut self, was_tried: bool) -> Result<(), Blocked> {
        if let Kind::Journal {
            unconfirmed, queue, ..
        } = &mut self.kind
        {
            self.lost += mem::take(unconfirmed) + queue.take().map_or(0, |entries| entries.sent());
        }
        if was_tried {
            return Err(Blocked::Gone);
        }
        let stream = bounded(|| journal::stream_fd(&self.identifier, Priority::Notice))
            .and_then(nonblocking);
        self.to = stream.map_err(|_| Blocked::Gone)?;
        Ok(())
    }
}

/// A stream to the journal, made not to block.
fn nonblocking(stream: OwnedFd) -> io::Result<File> {
    let stream = UnixStream::from(stream);
    stream.set_nonblocking(true)?;
    Ok(OwnedFd::from(stream).into())
}

fn count_lines(lines: &[u8]) -> usize {
    lines.iter().filter(|&&byte| byte == b'\n').count()
}

/// Where the last line starts, of which these bytes may be a part.
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

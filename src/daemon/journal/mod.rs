//! The journal as the output of the log: a stream of lines and a queue of entries.
//!
//! [`machine`] decides what to do next, and [`Journal`] does it. [`facts`] says what that rests on.

#![forbid(unsafe_code)]

pub mod facts;
pub mod machine;
mod queue;
mod unread;

use super::{blocked::Blocked, bounded::bounded, catalog, lines::Lines};
use libsystemd_safe::journal::{self, Priority};
use machine::{Action, Machine, Outcome, Pending};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use queue::Queue;
use std::{
    ffi::CString,
    fmt,
    fs::File,
    io::{self, ErrorKind, IoSlice, Write},
    mem,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::Instant,
};

/// The report that this number of lines may have been lost.
pub struct Lost(pub usize);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Up to {} lines before this one were lost", self.0)
    }
}

/// A stream to the journal, and its queue.
pub struct Journal {
    machine: Machine,
    /// The stream. It is non-blocking, since no other process writes to it.
    stream: File,
    queue: Option<Queue>,
    /// The `SYSLOG_IDENTIFIER=` of lines on a reopened stream.
    identifier: CString,
    /// Further fields of each entry, as journald adds them to a line.
    fields: [String; 2],
    /// Where a line becomes a field.
    copy: Vec<u8>,
}

impl Journal {
    /// Returns a journal that writes to `stream`. If that `is_missing`, it opens one of its own.
    ///
    /// # Errors
    ///
    /// Fails if the stream can't be made non-blocking, or the identifier has a NUL.
    pub fn new(
        stream: OwnedFd,
        is_missing: bool,
        identifier: String,
        facility: &str,
    ) -> io::Result<Self> {
        let fields =
            [format!("SYSLOG_FACILITY={facility}"), format!("SYSLOG_IDENTIFIER={identifier}")];
        Ok(Self {
            machine: Machine::new(is_missing),
            stream: if is_missing { stream.into() } else { nonblocking(stream)? },
            queue: None,
            identifier: CString::new(identifier)?,
            fields,
            copy: Vec::new(),
        })
    }

    /// Writes all lines, without blocking.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if not everything was written.
    pub fn flush(&mut self, lines: &mut Lines) -> Result<(), Blocked> {
        self.run(lines, Pending::Nothing)
    }

    /// Writes all lines, without blocking, and sees that journald has read everything.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if it has not.
    pub fn settle(&mut self, lines: &mut Lines) -> Result<(), Blocked> {
        self.run(lines, Pending::End)
    }

    /// Does what is to be done until it has to wait. `last` follows the last line.
    fn run(&mut self, lines: &mut Lines, last: Pending) -> Result<(), Blocked> {
        self.machine.begin();
        let now = Instant::now();
        loop {
            let pending = match lines.next() {
                Pending::Nothing => last,
                pending => pending,
            };
            let action = self.machine.next(pending, now);
            let outcome = self.carry_out(action, lines);
            self.machine.observe(action, outcome, now);
            match action {
                Action::Done => return Ok(()),
                Action::Wait(blocked) => return Err(blocked),
                _ => {}
            }
        }
    }

    fn carry_out(&mut self, action: Action, lines: &mut Lines) -> Outcome {
        match action {
            Action::WriteLines => {
                let outcome = write(&self.stream, lines.unwritten());
                match outcome {
                    Outcome::Done { bytes, .. } => lines.advance(bytes),
                    Outcome::Closed => lines.rewind(),
                    _ => {}
                }
                outcome
            }
            Action::WriteEmptyLine => write(&self.stream, b"\n"),
            Action::Report(lost) => self.report(lost),
            Action::SendReport(lost) => self.send_report(lost),
            Action::Reopen => self.reopen(),
            Action::AskStream => self.ask_stream(),
            Action::Connect => match Queue::connect() {
                Ok(queue) => {
                    self.queue = Some(queue);
                    Outcome::OK
                }
                Err(_) => Outcome::Missing,
            },
            Action::Send { .. } => self.send(lines),
            Action::Split => {
                lines.split();
                Outcome::OK
            }
            Action::Mark | Action::AskOpen => {
                self.queue.as_ref().map_or(Outcome::Closed, Queue::mark)
            }
            Action::AskMark => self.queue.as_ref().map_or(Outcome::Closed, Queue::unread),
            Action::AskQueue => Queue::connect().map_or(Outcome::Missing, |_| Outcome::OK),
            Action::Wait(_) | Action::Done => Outcome::OK,
        }
    }

    /// Sends an entry that reports lost lines.
    fn send_report(&self, lost: usize) -> Outcome {
        let message = format!("MESSAGE={}", Lost(lost));
        self.send_fields(
            vec![message.as_bytes(), catalog::LOST.as_bytes()],
            Priority::Warning as u8,
        )
    }

    /// Writes a line that reports lost ones.
    fn report(&mut self, lost: usize) -> Outcome {
        // Begins with a newline, since a failed write may have been partial.
        let report = format!("\n{}{}\n", Priority::Warning.prefix(), Lost(lost));
        match write(&self.stream, report.as_bytes()) {
            Outcome::Done { bytes, .. } if bytes < report.len() => Outcome::Full,
            outcome => outcome,
        }
    }

    fn reopen(&mut self) -> Outcome {
        let stream = bounded(|| journal::stream_fd(&self.identifier, Priority::Notice));
        match stream.and_then(nonblocking) {
            Ok(stream) => {
                self.stream = stream;
                Outcome::OK
            }
            Err(_) => Outcome::Missing,
        }
    }

    /// A stream that is dropped hangs up before its unread bytes become none.
    fn ask_stream(&self) -> Outcome {
        let unread = journal::unread(&self.stream).unwrap_or(0);
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::empty())];
        match unread {
            0 if poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0) => Outcome::Closed,
            _ => Outcome::Unread(unread),
        }
    }

    /// Sends the next line or entry as an entry.
    fn send(&mut self, lines: &mut Lines) -> Outcome {
        let mut copy = mem::take(&mut self.copy);
        let (fields, priority, length) = lines.fields(&mut copy);
        let outcome = self.send_fields(fields, priority);
        self.copy = copy;
        if outcome == Outcome::OK {
            lines.sent(length);
        }
        outcome
    }

    /// Sends an entry with these fields and what foo adds to each.
    fn send_fields(&self, fields: Vec<&[u8]>, priority: u8) -> Outcome {
        let Some(queue) = &self.queue else { return Outcome::Closed };
        let level = [b"PRIORITY=".as_slice(), &[b'0' + priority]].concat();
        let [facility, identifier] = &self.fields;
        let own = [&level, facility.as_bytes(), identifier.as_bytes()];
        queue.send(&fields.into_iter().chain(own).map(IoSlice::new).collect::<Vec<_>>())
    }

    /// Returns how many lines and entries journald may not have read, and how much memory the kernel
    /// holds for lines, in bytes.
    pub fn unread(&self) -> (usize, usize) {
        (self.machine.unconfirmed(), journal::unread(&self.stream).unwrap_or(0))
    }

    /// Returns how many lines and entries may have been lost without a report.
    pub fn lost(&self) -> usize {
        self.machine.lost()
    }

    /// Stops lines and entries from waiting for each other, and entries for a full or missing
    /// queue. Called at the end, if journald does not read. Returns whether they waited until now.
    pub fn give_up_order(&mut self) -> bool {
        self.machine.give_up_order()
    }

    /// Returns the descriptor that is writable while the queue has room.
    pub fn queue_fd(&self) -> Option<BorrowedFd<'_>> {
        self.queue.as_ref().map(AsFd::as_fd)
    }
}

impl AsFd for Journal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Writes what a stream accepts without blocking.
fn write(mut stream: &File, bytes: &[u8]) -> Outcome {
    loop {
        return match stream.write(bytes) {
            Ok(count) => {
                let lines = memchr::memchr_iter(b'\n', &bytes[..count]).count();
                Outcome::Done { bytes: count, lines }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Outcome::Full,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // journald was stopped or restarted.
            Err(_) => Outcome::Closed,
        };
    }
}

/// Returns a stream in non-blocking mode.
fn nonblocking(stream: OwnedFd) -> io::Result<File> {
    let stream = UnixStream::from(stream);
    stream.set_nonblocking(true)?;
    Ok(OwnedFd::from(stream).into())
}

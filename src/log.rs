//! Where records go: lines on standard error, or the journal itself for what a line can't hold.

#![forbid(unsafe_code)]

use crate::{
    datagram::{MAX_LENGTH, give_back, reserve},
    record::{Record, escape},
    sink::Sink,
    systemd::journal::{self, Priority},
};
use std::{
    fmt,
    io::{self, IoSlice},
    mem,
    os::fd::BorrowedFd,
    path::Path,
    time::{Duration, Instant},
};

/// The journal cuts a line of a stream where it is longer than this: `LineMax=` of journald.conf(5).
const JOURNAL_LINE_MAX: usize = 48 * 1024;

/// Where the journal takes entries.
const JOURNAL_SOCKET: &str = "/run/systemd/journal/socket";

/// With so many bytes of lines to be written, no more should be added before a flush.
const FULL: usize = 64 * 1024;

/// The longest line: each byte of a datagram, and of its sender's name, escaped to four.
const LINE_MAX: usize = 4 * MAX_LENGTH + 1024;

/// A log whose lines are written when it is flushed, all of them at once.
pub struct Log {
    sink: Sink,
    /// Lines that are not written yet. The memory is reserved, so that it need not grow.
    lines: Vec<u8>,
    /// How many bytes of them are.
    written: usize,
    /// Whether `lines` held a large line since its memory was last given back.
    large: bool,
}

impl Log {
    /// A log to standard error.
    ///
    /// # Errors
    ///
    /// Where there is no descriptor left for it, or no memory.
    pub fn open() -> io::Result<Self> {
        Ok(Self { sink: Sink::open()?, lines: reserve(FULL + LINE_MAX)?, written: 0, large: false })
    }

    /// Adds a line of text, escaped where it would not stand on one.
    pub fn line(&mut self, priority: Priority, text: impl fmt::Display) {
        self.bytes(priority, text.to_string().as_bytes());
    }

    /// Adds a line of what may be any bytes, escaped like a datagram's.
    pub fn bytes(&mut self, priority: Priority, bytes: &[u8]) {
        self.add(priority, |line| escape(bytes, line));
    }

    /// Adds a datagram.
    pub fn record(&mut self, record: &Record<'_>) {
        self.add(Priority::Notice, |line| record.render(line));
    }

    /// Adds what is rendered as a line, or, where the journal would cut that line, sends it as an entry.
    fn add(&mut self, priority: Priority, render: impl FnOnce(&mut Vec<u8>)) {
        let start = self.lines.len();
        self.lines.extend_from_slice(priority.prefix().as_bytes());
        render(&mut self.lines);
        self.lines.push(b'\n');
        if self.sink.is_journal() && self.lines.len() - start > JOURNAL_LINE_MAX {
            self.send_entry(priority, start);
        }
        self.large |= self.lines.len() > FULL;
    }

    /// Sends the last line, which begins at `start`, as an entry. Where that fails it stays a line: the
    /// journal cuts it, but loses nothing.
    fn send_entry(&mut self, priority: Priority, start: usize) {
        const FIELD: &[u8] = b"MESSAGE=";
        let prefix = priority.prefix();
        self.lines.splice(start..start + prefix.len(), FIELD.iter().copied());
        // First what came before it. This waits for the journal, as libsystemd does then.
        loop {
            self.written = self.sink.write(&self.lines[..start], self.written);
            if self.written == start {
                break;
            }
            self.sink.wait(Duration::MAX);
        }
        let message = &self.lines[start..self.lines.len() - 1];
        let level = format!("PRIORITY={}", priority as u8);
        let facility = format!("SYSLOG_FACILITY={}", libc::LOG_DAEMON >> 3);
        let fields = [message, level.as_bytes(), facility.as_bytes()].map(IoSlice::new);
        match journal::sendv(&fields) {
            // Where the journal is not there, libsystemd drops the entry and says that all is well.
            Ok(()) if Path::new(JOURNAL_SOCKET).exists() => self.lines.truncate(start),
            _ => drop(self.lines.splice(start..start + FIELD.len(), prefix.bytes())),
        }
        self.large = true;
    }

    /// Writes out what has been added, as far as it is taken now; whether that was all.
    pub fn flush(&mut self) -> bool {
        self.written = self.sink.write(&self.lines, self.written);
        if self.is_pending() {
            return false;
        }
        self.lines.clear();
        self.written = 0;
        true
    }

    /// Writes out what has been added, waiting until then for it to be taken; whether that was all.
    pub fn flush_by(&mut self, end: Instant) -> bool {
        while !self.flush() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.sink.wait(left);
        }
        true
    }

    /// Whether lines wait to be taken.
    pub fn is_pending(&self) -> bool {
        self.written < self.lines.len()
    }

    /// What is ready when more can be written; `None` where there is nothing but to try again after a while.
    pub fn ready_fd(&self) -> Option<BorrowedFd<'_>> {
        self.sink.ready_fd()
    }

    /// Whether lines should be flushed before more are added.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= FULL
    }

    /// How much of what was written the journal has not read yet, in bytes; 0 where the log is not the journal.
    pub fn unread(&self) -> usize {
        self.sink.unread()
    }

    /// Gives back the memory that large lines took. For when the traffic pauses, after a flush.
    pub fn rest(&mut self) {
        if !self.is_pending() && mem::take(&mut self.large) {
            give_back(&mut self.lines);
        }
    }
}

//! Where records go: lines on standard error, or the journal itself for what a line can't hold.

#![forbid(unsafe_code)]

use crate::{
    datagram::{MAX_LENGTH, give_back, reserve},
    record::{Record, escape},
    systemd::journal::{self, Priority},
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    env, fmt,
    fs::File,
    io::{self, ErrorKind, IoSlice, Write},
    os::{fd::AsFd, linux::fs::MetadataExt},
};

/// The journal cuts a line of a stream where it is longer than this: `LineMax=` of journald.conf(5).
const JOURNAL_LINE_MAX: usize = 48 * 1024;

/// Lines are written out before they take up more than this.
const FLUSH_AT: usize = 64 * 1024;

/// The longest line: each byte of a datagram, and of its sender's name, escaped to four.
const LINE_MAX: usize = 4 * MAX_LENGTH + 1024;

/// A log whose lines are written when it is flushed, all of them at once.
pub struct Log {
    sink: Sink,
    /// Lines that are not written yet. The memory is reserved, so that it need not grow.
    lines: Vec<u8>,
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
        Ok(Self { sink: Sink::open()?, lines: reserve(FLUSH_AT + LINE_MAX)?, large: false })
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
        if self.sink.journal && self.lines.len() - start > JOURNAL_LINE_MAX {
            self.send_entry(priority, start);
        }
        if self.lines.len() > FLUSH_AT {
            self.large = true;
            self.flush();
        }
    }

    /// Sends the last line, which begins at `start`, as an entry. Where that fails it stays a line: the
    /// journal cuts it, but loses nothing.
    fn send_entry(&mut self, priority: Priority, start: usize) {
        const FIELD: &[u8] = b"MESSAGE=";
        // First what came before it.
        self.sink.write(&self.lines[..start]);
        self.lines.drain(..start);
        let prefix = priority.prefix();
        self.lines.splice(..prefix.len(), FIELD.iter().copied());
        let message = &self.lines[..self.lines.len() - 1];
        let level = format!("PRIORITY={}", priority as u8);
        let facility = format!("SYSLOG_FACILITY={}", libc::LOG_DAEMON >> 3);
        let fields = [message, level.as_bytes(), facility.as_bytes()].map(IoSlice::new);
        match journal::sendv(&fields) {
            Ok(()) => self.lines.clear(),
            Err(_) => drop(self.lines.splice(..FIELD.len(), prefix.bytes())),
        }
        self.large = true;
    }

    /// Writes out what has been added, waiting as long as it can't be taken.
    pub fn flush(&mut self) {
        self.sink.write(&self.lines);
        self.lines.clear();
    }

    /// Gives back the memory that large lines took. For when the traffic pauses, after a flush.
    pub fn rest(&mut self) {
        if std::mem::take(&mut self.large) {
            give_back(&mut self.lines);
        }
    }
}

/// What the lines are written to.
struct Sink {
    /// Standard error, or a stream of our own to the journal where that one broke.
    to: File,
    /// Whether `to` leads to the journal.
    journal: bool,
    /// Lines that could not be written, and that the log does not tell of yet.
    lost: usize,
}

impl Sink {
    fn open() -> io::Result<Self> {
        let to = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let journal = is_journal(&to);
        Ok(Self { to, journal, lost: 0 })
    }

    /// Writes whole lines. Those that can't be written are counted, and told of once one can be.
    fn write(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        if self.lost > 0 {
            // Begins with a newline, since the line that failed may have been written in part.
            let warning = Priority::Warning.prefix();
            let report = format!("\n{warning}{} lines before this one could not be written\n", self.lost);
            if self.write_all(report.as_bytes()).is_ok() {
                self.lost = 0;
            }
        }
        if let Err(unwritten) = self.write_all(lines) {
            self.lost += unwritten.iter().filter(|&&byte| byte == b'\n').count();
        }
    }

    /// Writes it all, or tells what is left.
    fn write_all<'a>(&mut self, lines: &'a [u8]) -> Result<(), &'a [u8]> {
        let mut rest = lines;
        let mut reopened = false;
        while !rest.is_empty() {
            match self.to.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // Whoever shares standard error with us has made it non-blocking.
                    let _ = poll(&mut [PollFd::new(self.to.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE);
                }
                Err(_) if self.journal && !reopened && self.reopen() => {
                    reopened = true;
                    // The line that the break cut in two is written anew, as a whole.
                    let written = lines.len() - rest.len();
                    let begun = lines[..written].iter().rposition(|&byte| byte == b'\n');
                    rest = &lines[begun.map_or(0, |newline| newline + 1)..];
                }
                Err(_) => return Err(rest),
            }
        }
        Ok(())
    }

    /// Opens a stream of our own to the journal, which has been restarted and has dropped the one it gave us.
    fn reopen(&mut self) -> bool {
        let stream = journal::stream_fd(c"foo", Priority::Info);
        stream.map(|stream| self.to = stream.into()).is_ok()
    }
}

/// Whether the journal opened this descriptor: `JOURNAL_STREAM=` of systemd.exec(5) tells its device and inode.
fn is_journal(file: &File) -> bool {
    let Ok(metadata) = file.metadata() else { return false };
    let stream = format!("{}:{}", metadata.st_dev(), metadata.st_ino());
    env::var_os("JOURNAL_STREAM").is_some_and(|value| value == *stream)
}

//! Where records go: lines on standard error, or the journal itself for what a line can't hold.
//!
//! What can't be written now stays here, in order. A caller that adds records flushes first, and adds none while
//! that fails: so there is never more to keep than [`FULL`] and one line.

#![forbid(unsafe_code)]

use crate::{
    blocked::Blocked,
    datagram::MAX_LENGTH,
    memory::{free_unused, reserve},
    record::{Record, escape},
    sink::Sink,
    systemd::journal::Priority,
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    collections::VecDeque,
    env,
    ffi::CString,
    fmt,
    io::{self, IoSlice},
    mem,
    os::fd::BorrowedFd,
    thread,
    time::{Duration, Instant},
};

/// The journal cuts a longer line of a stream by default: `LineMax=` of journald.conf(5).
const JOURNAL_LINE_MAX: usize = 48 * 1024;

/// With so many bytes of lines to be written, no more should be added before a flush.
const FULL: usize = 64 * 1024;

/// The longest line: each byte of a datagram, and of its sender's name, escaped to four.
const LINE_MAX: usize = 4 * MAX_LENGTH + 1024;

/// The longest that the end waits for a journald that reads nothing.
const SETTLE_FOR: Duration = Duration::from_millis(500);

/// The field of an entry that a line becomes. A line that is to be one begins with it in place of its prefix.
const FIELD: &[u8] = b"MESSAGE=";

/// A log whose lines are written when it is flushed, all of them at once.
pub struct Log {
    sink: Sink,
    /// Lines that are not written yet. The memory is reserved, so that it need not grow.
    lines: Vec<u8>,
    /// How many bytes of them are. It can move back to the start of a line.
    written: usize,
    /// Where in `lines` those begin that are to be entries, and what their priorities are.
    entries: VecDeque<(usize, Priority)>,
    /// The fields of each entry besides its text and priority: those that the journal gives to a line.
    fields: [String; 2],
    /// Whether `lines` held a large line since its memory was last given back.
    large: bool,
}

impl Log {
    /// A log to standard error.
    ///
    /// # Errors
    ///
    /// Fails if there is no descriptor left for it, or no memory.
    pub fn open() -> io::Result<Self> {
        let facility = setting("SYSLOG_FACILITY", |byte| byte.is_ascii_digit());
        let facility = facility.unwrap_or_else(|| (libc::LOG_DAEMON >> 3).to_string());
        let identifier = setting("SYSLOG_IDENTIFIER", |byte| !byte.is_ascii_control());
        let identifier = identifier.unwrap_or_else(|| "foo".into());
        let fields = [
            format!("SYSLOG_FACILITY={facility}"),
            format!("SYSLOG_IDENTIFIER={identifier}"),
        ];
        let (sink, lines) = (
            Sink::open(CString::new(identifier)?)?,
            reserve(FULL + LINE_MAX)?,
        );
        Ok(Self {
            sink,
            lines,
            written: 0,
            entries: VecDeque::new(),
            fields,
            large: false,
        })
    }

    /// Returns whether lines go to the journal.
    pub fn is_journal(&self) -> bool {
        self.sink.is_journal()
    }

    /// Adds a line of text, escaped where it would not stand on one.
    pub fn line(&mut self, priority: Priority, text: impl fmt::Display) {
        self.bytes(priority, text.to_string().as_bytes());
    }

    /// Adds a line of what may be any bytes, escaped like a datagram's.
    pub fn bytes(&mut self, priority: Priority, bytes: &[u8]) {
        self.add(priority, |line| escape(bytes, line));
    }

    /// Adds a datagram. Returns how many bytes its line has.
    pub fn record(&mut self, record: &Record<'_>) -> usize {
        let start = self.lines.len();
        self.add(Priority::Notice, |line| record.render(line));
        self.lines.len() - start
    }

    /// Adds a line, which becomes an entry of its own if the journal would cut it, or could read a priority where it
    /// cuts it: `LineMax=` may be any number from 79 on.
    fn add(&mut self, priority: Priority, render: impl FnOnce(&mut Vec<u8>)) {
        let (start, prefix) = (self.lines.len(), priority.prefix());
        self.lines.extend_from_slice(prefix.as_bytes());
        render(&mut self.lines);
        self.lines.push(b'\n');
        let text = &self.lines[start + prefix.len()..];
        if self.sink.is_journal() && (text.len() > JOURNAL_LINE_MAX || has_prefix(text)) {
            self.lines
                .splice(start..start + prefix.len(), FIELD.iter().copied());
            self.entries.push_back((start, priority));
        }
        self.large |= self.lines.len() >= FULL;
    }

    /// Writes what has been added, without blocking.
    ///
    /// # Errors
    ///
    /// Says what to wait for if not everything was written.
    pub fn flush(&mut self) -> Result<(), Blocked> {
        while let Some(&(start, priority)) = self.entries.front() {
            self.sink.write(&self.lines[..start], &mut self.written)?;
            self.send_entry(start, priority)?;
        }
        self.sink.write(&self.lines, &mut self.written)?;
        self.lines.clear();
        self.written = 0;
        Ok(())
    }

    /// Sends the line that begins at `start` as an entry. If that is impossible it becomes a line again: the journal
    /// cuts it, but loses nothing.
    fn send_entry(&mut self, start: usize, priority: Priority) -> Result<(), Blocked> {
        let length = self.lines[start..]
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or_default();
        let message = &self.lines[start..start + length];
        let level = format!("PRIORITY={}", priority as u8);
        let [facility, identifier] = &self.fields;
        let fields = [
            message,
            level.as_bytes(),
            facility.as_bytes(),
            identifier.as_bytes(),
        ]
        .map(IoSlice::new);
        let is_sent = self.sink.send(&fields)?;
        self.entries.pop_front();
        if is_sent {
            self.written = start + length + 1;
        } else {
            let prefix = priority.prefix();
            self.lines
                .splice(start..start + FIELD.len(), prefix.bytes());
            self.entries
                .iter_mut()
                .for_each(|(start, _)| *start -= FIELD.len() - prefix.len());
        }
        Ok(())
    }

    /// Writes what has been added, and blocks until then.
    ///
    /// # Errors
    ///
    /// Says what it waited for if not everything was written by `end`.
    pub fn flush_by(&mut self, end: Instant) -> Result<(), Blocked> {
        while let Err(blocked) = self.flush() {
            self.wait(blocked, end)?;
        }
        Ok(())
    }

    /// Waits until it is worth to flush again.
    ///
    /// # Errors
    ///
    /// Says what it waited for if it is past `end`.
    pub fn wait(&self, blocked: Blocked, end: Instant) -> Result<(), Blocked> {
        let now = Instant::now();
        let left = end.saturating_duration_since(now);
        if left.is_zero() {
            return Err(blocked);
        }
        match self.ready_fd(blocked) {
            // If this fails, the next flush says so.
            Some(fd) => {
                let timeout = left.try_into().unwrap_or(PollTimeout::MAX);
                let _ = poll(&mut [PollFd::new(fd, PollFlags::POLLOUT)], timeout);
            }
            None => thread::sleep(left.min(blocked.retry_after().unwrap_or(left))),
        }
        Ok(())
    }

    /// Returns what becomes writable when a flush is worth it again; `None` if only time will show.
    pub fn ready_fd(&self, blocked: Blocked) -> Option<BorrowedFd<'_>> {
        self.sink.ready_fd(blocked)
    }

    /// Writes long lines as it can, out of order or cut. For the end, if journald does not read. Returns whether they
    /// waited until now.
    pub fn give_up_order(&mut self) -> bool {
        self.sink.give_up_order()
    }

    /// Returns whether lines should be flushed before more are added.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= FULL || !self.entries.is_empty()
    }

    /// Gives back the memory that large lines took. For when the traffic pauses, after a flush.
    pub fn free_memory(&mut self) {
        if self.lines.is_empty() && mem::take(&mut self.large) {
            free_unused(&mut self.lines);
        }
    }

    /// Waits for journald to read everything: it may read the next foo's stream first, whose lines would stand before
    /// the last of these. A busy machine's journald is slow; one that has read nothing for a while hangs.
    pub fn settle(&mut self, end: Instant) {
        let (mut least, mut since) = (usize::MAX, Instant::now());
        while let Err(blocked) = self.sink.check_read() {
            let unread = self.sink.unread();
            if unread < least {
                (least, since) = (unread, Instant::now());
            }
            if self.wait(blocked, end.min(since + SETTLE_FOR)).is_err() {
                break;
            }
        }
    }
}

/// A variable of the environment that repeats a setting of the unit, which foo can't see. Only a value of such bytes, and
/// of a length that the journal takes, counts.
fn setting(name: &str, is_good: impl Fn(u8) -> bool) -> Option<String> {
    env::var(name)
        .ok()
        .filter(|value| (1..=64).contains(&value.len()) && value.bytes().all(is_good))
}

/// Returns whether there is anything in a text that the journal takes for a prefix at the start of a line: `<`, a number
/// up to 7 of one to three digits, and `>`.
fn has_prefix(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'<') {
        rest = &rest[at + 1..];
        if matches!(
            rest,
            [b'0'..=b'7', b'>', ..]
                | [b'0', b'0'..=b'7', b'>', ..]
                | [b'0', b'0', b'0'..=b'7', b'>', ..]
        ) {
            return true;
        }
    }
    false
}

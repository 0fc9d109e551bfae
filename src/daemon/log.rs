//! The buffer of lines between the server and the sink.
//!
//! A record is a line, or an entry of its own if the journal would split the line or read a
//! priority in it. The buffer has two states:
//!
//! - Empty: everything was written. `flush` reaches this state if it succeeds.
//! - Pending: `lines[written..]` waits, in order. Adding a line begins this state.
//!
//! A caller adds records only after a successful flush, until `is_full`. So the buffer never holds
//! more than [`FULL`] and one line.

#![forbid(unsafe_code)]

use super::{
    blocked::Blocked,
    datagram::MAX_LENGTH,
    memory::{free_unused, reserve},
    record::{Record, escape},
    sink::Sink,
};
use libsystemd_safe::journal::Priority;
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

/// The longest line that the journal does not split by default: `LineMax=` of journald.conf(5).
const JOURNAL_LINE_MAX: usize = 48 * 1024;

/// Bytes of lines from which on the log is full. Many short lines share the cost of a write.
const FULL: usize = 64 * 1024;

/// The longest line: each byte of a datagram and of its sender's name becomes an escape of four.
const LINE_MAX: usize = 4 * MAX_LENGTH + 1024;

/// Longest time that the end keeps lines and entries in order and whole. A longer wait for journald
/// could lose messages.
const ORDER_TIMEOUT: Duration = Duration::from_millis(500);

/// Longest time without progress of journald before the end stops waiting for it. Then it hangs.
const NO_PROGRESS_TIMEOUT: Duration = Duration::from_millis(500);

/// Begins a line that is to become an entry, in place of its prefix. The line is then a field.
const MESSAGE_FIELD: &[u8] = b"MESSAGE=";

/// A log whose lines are written together by `flush`.
pub struct Log {
    sink: Sink,
    /// The buffer. Its capacity is reserved, so that it never grows.
    lines: Vec<u8>,
    /// How many bytes of `lines` are written. It can move back to the start of a line.
    written: usize,
    /// The start in `lines` and the priority of each line that is to become an entry.
    entries: VecDeque<(usize, Priority)>,
    /// Further fields of each entry, as the journal adds them to a line.
    fields: [String; 2],
    /// Whether `lines` grew beyond [`FULL`] since its memory was last given back.
    has_grown: bool,
}

impl Log {
    /// Opens a log on standard error.
    ///
    /// # Errors
    ///
    /// Fails if there is no descriptor or no memory left.
    pub fn open() -> io::Result<Self> {
        let facility = env_setting("SYSLOG_FACILITY", |byte| byte.is_ascii_digit());
        let facility = facility.unwrap_or_else(|| (libc::LOG_DAEMON >> 3).to_string());
        let identifier = env_setting("SYSLOG_IDENTIFIER", |byte| !byte.is_ascii_control());
        let identifier = identifier.unwrap_or_else(|| "foo".into());
        let fields =
            [format!("SYSLOG_FACILITY={facility}"), format!("SYSLOG_IDENTIFIER={identifier}")];
        let (sink, lines) = (Sink::open(CString::new(identifier)?)?, reserve(FULL + LINE_MAX)?);
        Ok(Self { sink, lines, written: 0, entries: VecDeque::new(), fields, has_grown: false })
    }

    /// Returns whether lines go to the journal.
    pub fn is_journal(&self) -> bool {
        self.sink.is_journal()
    }

    /// Adds a line of text. Control characters are escaped.
    pub fn line(&mut self, priority: Priority, text: impl fmt::Display) {
        self.line_of_bytes(priority, text.to_string().as_bytes());
    }

    /// Adds a line of any bytes, escaped like a datagram.
    pub fn line_of_bytes(&mut self, priority: Priority, bytes: &[u8]) {
        self.add(priority, |line| escape(bytes, line));
    }

    /// Adds a datagram as a line. Returns the line's length in bytes.
    pub fn record(&mut self, record: &Record<'_>) -> usize {
        let start = self.lines.len();
        self.add(Priority::Notice, |line| record.render(line));
        self.lines.len() - start
    }

    /// Adds a line. It is to become an entry if the journal would split it, or could read a
    /// priority at the start of a part: `LineMax=` may be any number from 79 on.
    fn add(&mut self, priority: Priority, render: impl FnOnce(&mut Vec<u8>)) {
        let (start, prefix) = (self.lines.len(), priority.prefix());
        self.lines.extend_from_slice(prefix.as_bytes());
        render(&mut self.lines);
        self.lines.push(b'\n');
        let text = &self.lines[start + prefix.len()..];
        if self.sink.is_journal() && (text.len() > JOURNAL_LINE_MAX || has_prefix(text)) {
            self.lines.splice(start..start + prefix.len(), MESSAGE_FIELD.iter().copied());
            self.entries.push_back((start, priority));
        }
        self.has_grown |= self.lines.len() >= FULL;
    }

    /// Writes all lines, without blocking.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if not everything was written.
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

    /// Sends the line that begins at `start` as an entry. If that is impossible, it becomes a line
    /// again: the journal splits it, but loses nothing.
    fn send_entry(&mut self, start: usize, priority: Priority) -> Result<(), Blocked> {
        let length = self.lines[start..].iter().position(|&byte| byte == b'\n').unwrap_or_default();
        let message = &self.lines[start..start + length];
        let level = format!("PRIORITY={}", priority as u8);
        let [facility, identifier] = &self.fields;
        let fields = [message, level.as_bytes(), facility.as_bytes(), identifier.as_bytes()]
            .map(IoSlice::new);
        let is_sent = self.sink.send(&fields)?;
        self.entries.pop_front();
        if is_sent {
            self.written = start + length + 1;
        } else {
            let prefix = priority.prefix();
            self.lines.splice(start..start + MESSAGE_FIELD.len(), prefix.bytes());
            self.entries
                .iter_mut()
                .for_each(|(start, _)| *start -= MESSAGE_FIELD.len() - prefix.len());
        }
        Ok(())
    }

    /// Blocks until a flush may succeed, but not beyond `timeout` after `begin`.
    ///
    /// If journald does not read, the next flush may write lines out of order or split rather than
    /// lose them.
    ///
    /// # Errors
    ///
    /// Returns `blocked` if the time has passed.
    pub fn wait_at_end(
        &mut self,
        blocked: Blocked,
        begin: Instant,
        timeout: Duration,
    ) -> Result<(), Blocked> {
        if self.wait(blocked, begin + ORDER_TIMEOUT).is_ok() || self.sink.give_up_order() {
            return Ok(());
        }
        self.wait(blocked, begin + timeout)
    }

    /// Blocks until a flush may succeed, but not beyond `end`.
    ///
    /// # Errors
    ///
    /// Returns `blocked` if `end` has passed.
    fn wait(&self, blocked: Blocked, end: Instant) -> Result<(), Blocked> {
        let now = Instant::now();
        let remaining = end.saturating_duration_since(now);
        if remaining.is_zero() {
            return Err(blocked);
        }
        match self.ready_fd(blocked) {
            // If poll(2) fails, the next flush shows whether the log is still blocked.
            Some(fd) => {
                let timeout = remaining.try_into().unwrap_or(PollTimeout::MAX);
                let _ = poll(&mut [PollFd::new(fd, PollFlags::POLLOUT)], timeout);
            }
            None => thread::sleep(remaining.min(blocked.retry_after().unwrap_or(remaining))),
        }
        Ok(())
    }

    /// Returns the descriptor to poll for POLLOUT before the next flush; `None` if only a delay
    /// helps.
    pub fn ready_fd(&self, blocked: Blocked) -> Option<BorrowedFd<'_>> {
        self.sink.ready_fd(blocked)
    }

    /// Returns whether lines should be flushed before more are added.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= FULL || !self.entries.is_empty()
    }

    /// Gives back the memory of long lines. Called when the traffic pauses; does nothing if lines
    /// are pending.
    pub fn free_memory(&mut self) {
        if self.lines.is_empty() && mem::take(&mut self.has_grown) {
            free_unused(&mut self.lines);
        }
    }

    /// Blocks until journald has read everything, but not beyond `end`.
    ///
    /// Otherwise journald might read the stream of the next foo first, and the lines would be out
    /// of order. A slow journald makes progress; without any, it hangs and the wait ends early.
    pub fn wait_until_read(&mut self, end: Instant) {
        let (mut least_unread, mut since) = (usize::MAX, Instant::now());
        while let Err(blocked) = self.sink.check_all_read() {
            let unread = self.sink.unread_bytes();
            if unread < least_unread {
                (least_unread, since) = (unread, Instant::now());
            }
            if self.wait(blocked, end.min(since + NO_PROGRESS_TIMEOUT)).is_err() {
                break;
            }
        }
    }
}

/// Returns an environment variable that repeats a setting of the unit, which foo can't read.
/// Ignores a value with other bytes, or of a length that the journal does not accept.
fn env_setting(name: &str, is_valid: impl Fn(u8) -> bool) -> Option<String> {
    env::var(name)
        .ok()
        .filter(|value| (1..=64).contains(&value.len()) && value.bytes().all(is_valid))
}

/// Returns whether a text contains what the journal reads as a priority at the start of a line:
/// `<`, a number up to 7 of one to three digits, and `>`.
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

//! The log: lines, and the output that they are written to.

#![forbid(unsafe_code)]

use super::{
    blocked::Blocked,
    catalog::MessageId,
    journal::Journal,
    lines::{Entries, Lines},
    plain::Plain,
    record::{Record, escape},
};
use libsystemd_safe::journal::{self, Priority};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    env, fmt,
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    thread,
    time::{Duration, Instant},
};

/// Longest time that the end keeps lines and entries in order and whole. A longer wait for journald
/// could lose messages.
const ORDER_TIMEOUT: Duration = Duration::from_millis(500);

/// Longest time without progress of journald before the end stops waiting for it. Then it hangs.
const NO_PROGRESS_TIMEOUT: Duration = Duration::from_millis(500);

/// What standard error is.
enum Output {
    Journal(Box<Journal>),
    Plain(Plain),
}

/// A log whose lines are written together by `flush`.
pub struct Log {
    lines: Lines,
    output: Output,
    /// Whether each record becomes an entry with fields: `--fields`.
    with_fields: bool,
}

impl Log {
    /// Opens a log on standard error. If that is the journal, and `fields` is set, each record
    /// becomes an entry with fields.
    ///
    /// # Errors
    ///
    /// Fails if there is no descriptor or no memory left.
    pub fn open(fields: bool) -> io::Result<Self> {
        let stderr = io::stderr().as_fd().try_clone_to_owned()?;
        let is_missing = is_missing_journal(&stderr);
        let output = if is_missing || journal::is_stream(&stderr)? {
            let facility = env_setting("SYSLOG_FACILITY", |byte| byte.is_ascii_digit());
            let facility = facility.unwrap_or_else(|| (libc::LOG_DAEMON >> 3).to_string());
            let identifier = env_setting("SYSLOG_IDENTIFIER", |byte| !byte.is_ascii_control());
            let identifier = identifier.unwrap_or_else(|| "foo".into());
            Output::Journal(Box::new(Journal::new(stderr, is_missing, identifier, &facility)?))
        } else {
            Output::Plain(Plain::new(stderr.into())?)
        };
        let with_fields = fields && matches!(output, Output::Journal(_));
        Ok(Self { lines: Lines::new()?, output, with_fields })
    }

    /// Returns whether lines go to the journal.
    pub fn is_journal(&self) -> bool {
        matches!(self.output, Output::Journal(_))
    }

    /// Adds a line of text. Control characters are escaped.
    pub fn line(&mut self, priority: Priority, text: impl fmt::Display) {
        self.line_of_bytes(priority, text.to_string().as_bytes());
    }

    /// Adds a line of any bytes, escaped like a datagram.
    pub fn line_of_bytes(&mut self, priority: Priority, bytes: &[u8]) {
        self.add(priority, Entries::Split, bytes);
    }

    /// Adds a line that `journalctl -x` explains. In the journal it is an entry.
    pub fn report(&mut self, priority: Priority, id: MessageId, text: impl fmt::Display) {
        self.add(priority, Entries::Always(id), text.to_string().as_bytes());
    }

    fn add(&mut self, priority: Priority, entries: Entries, bytes: &[u8]) {
        let entries = if self.is_journal() { entries } else { Entries::Never };
        self.lines.add(priority, entries, |line| escape(bytes, line));
    }

    /// Adds a datagram as a line, or as an entry with fields. Returns its length in bytes.
    pub fn record(&mut self, record: &Record<'_>) -> usize {
        if self.with_fields {
            return self.lines.add_with_fields(Priority::Notice, record);
        }
        let entries = if self.is_journal() { Entries::Changed } else { Entries::Never };
        self.lines.add(Priority::Notice, entries, |line| record.render(line))
    }

    /// Writes all lines, without blocking.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if not everything was written.
    pub fn flush(&mut self) -> Result<(), Blocked> {
        match &mut self.output {
            Output::Journal(journal) => journal.flush(&mut self.lines),
            Output::Plain(plain) => plain.flush(&mut self.lines),
        }
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
        if self.wait(blocked, begin + ORDER_TIMEOUT).is_ok() || self.give_up_order() {
            return Ok(());
        }
        self.wait(blocked, begin + timeout)
    }

    fn give_up_order(&mut self) -> bool {
        match &mut self.output {
            Output::Journal(journal) => journal.give_up_order(),
            Output::Plain(_) => false,
        }
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
        match (&self.output, blocked) {
            (Output::Journal(journal), Blocked::Full) => Some(journal.as_fd()),
            (Output::Journal(journal), Blocked::QueueFull) => journal.queue_fd(),
            (Output::Plain(plain), Blocked::Full) => Some(plain.as_fd()),
            _ => None,
        }
    }

    /// Returns whether lines should be flushed before more are added.
    pub fn is_full(&self) -> bool {
        self.lines.is_full()
    }

    /// Gives back the memory of long lines. Called when the traffic pauses; does nothing if lines
    /// are pending.
    pub fn free_memory(&mut self) {
        self.lines.free_memory();
    }

    /// Blocks until journald has read everything, but not beyond `end`.
    ///
    /// Otherwise journald might read the stream of the next foo first, and the lines would be out
    /// of order. A slow journald makes progress; without any, it hangs and the wait ends early.
    pub fn wait_until_read(&mut self, end: Instant) {
        let (mut least, mut since) = ((usize::MAX, usize::MAX), Instant::now());
        while let Err(blocked) = self.settle() {
            let unread = self.unread();
            if unread < least {
                (least, since) = (unread, Instant::now());
            }
            if self.wait(blocked, end.min(since + NO_PROGRESS_TIMEOUT)).is_err() {
                break;
            }
        }
    }

    /// Writes all lines, without blocking, and sees what journald has read. Reports what was lost.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if journald has not read everything.
    pub fn settle(&mut self) -> Result<(), Blocked> {
        match &mut self.output {
            Output::Journal(journal) => journal.settle(&mut self.lines),
            Output::Plain(_) => Ok(()),
        }
    }

    /// Returns how many lines and entries, and how much memory of lines, journald may not have read.
    fn unread(&self) -> (usize, usize) {
        match &self.output {
            Output::Journal(journal) => journal.unread(),
            Output::Plain(_) => (0, 0),
        }
    }

    /// Returns how many lines and entries may have been lost without a report.
    pub fn lost(&self) -> usize {
        match &self.output {
            Output::Journal(journal) => journal.lost(),
            Output::Plain(_) => 0,
        }
    }
}

/// Returns whether systemd has put /dev/null in the place of the journal, as it does, without a
/// word, if journald refuses connections when the service starts.
///
/// Then standard output is /dev/null as well. An administrator who sets `StandardError=null` keeps
/// the unit's `StandardOutput=journal`.
fn is_missing_journal(stderr: &OwnedFd) -> bool {
    let is_null = |fd: OwnedFd| {
        let null = libc::makedev(1, 3);
        File::from(fd).metadata().is_ok_and(|data| data.rdev() == null)
    };
    let is_null = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().is_ok_and(is_null);
    env::var_os("INVOCATION_ID").is_some()
        && is_null(stderr.as_fd())
        && is_null(io::stdout().as_fd())
}

/// Returns an environment variable that repeats a setting of the unit, which foo can't read.
/// Ignores a value with other bytes, or of a length that the journal does not accept.
fn env_setting(name: &str, is_valid: impl Fn(u8) -> bool) -> Option<String> {
    env::var(name)
        .ok()
        .filter(|value| (1..=64).contains(&value.len()) && value.bytes().all(is_valid))
}

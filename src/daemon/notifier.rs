//! The notifications to the service manager: `READY=1`, `STATUS=`, `WATCHDOG=1` and the like.
//!
//! Three things have states:
//!
//! - The status is current, or due at `status_at`. A datagram makes it due, and `notify_due` sends
//!   it.
//! - The rate limit is reached, or not. `limited_until` begins it, and a status without a reason why
//!   senders wait ends it. Since nobody sees a past status, the log shows both.
//! - The manager's queue has room, or foo retries at `resend_at`. `send` moves between the two;
//!   notifications wait in `unsent`.

#![forbid(unsafe_code)]

use super::{blocked::RETRY_AFTER, bounded::bounded, catalog, log::Log, socket_file::SocketFile};
use libsystemd_safe::{
    daemon::{self, NotifyState},
    journal::Priority,
};
use std::{
    collections::VecDeque,
    fmt,
    io::{self, ErrorKind},
    mem,
    time::{Duration, Instant},
};

/// Minimum interval between `STATUS=` notifications. One per datagram would be expensive.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// Minimum interval between `WATCHDOG=1` notifications, so that a tiny `WatchdogSec=` does not use
/// up a processor.
const SHORTEST_WATCHDOG: Duration = Duration::from_millis(1);

/// How much more time foo asks for while a stop makes progress. More than a stop lasts without any:
/// it waits for the log, for journald to read, and for the line with the error.
const STOP_EXTENSION: Duration = Duration::from_secs(15);

/// Most notifications that wait in `unsent`. Only SIGHUPs from others than the service manager can
/// cause more, and those are dropped.
const UNSENT_MAX: usize = 8;

/// Why senders wait for the rate limit.
const LIMITED: &str = "--max-rate= is reached";

/// A rate limit that is reached.
struct Limited {
    since: Instant,
    until: Instant,
    /// The number of messages received before.
    messages: u64,
}

/// Notifies the service manager, at once or when a notification is due.
pub struct Notifier {
    messages: u64,
    bytes: u64,
    /// Why senders have waited since the last `STATUS=`.
    wait_reason: Option<&'static str>,
    /// The files of the sockets.
    files: Vec<SocketFile>,
    /// What the last `STATUS=` said of them.
    shown: Option<String>,
    limited: Option<Limited>,
    /// When the next `STATUS=` is due. Set by a datagram, and reset when it is sent.
    status_at: Option<Instant>,
    /// The interval of `WATCHDOG=1`, and when the next one is due.
    watchdog: Option<(Duration, Instant)>,
    /// Notifications that the service manager's queue had no room for, in order.
    unsent: VecDeque<Vec<NotifyState>>,
    /// When to send `unsent`. Set while the queue is full.
    resend_at: Option<Instant>,
    /// Whether foo has received a datagram and sent its `STATUS=`.
    has_served: bool,
    /// Whether `STOPPING=1` was sent.
    is_stopping: bool,
    /// Whether the last notification failed.
    has_failed: bool,
}

impl Notifier {
    /// Returns a notifier that sends `WATCHDOG=1` at half of `WatchdogSec=`, and looks after these
    /// files.
    pub fn new(files: Vec<SocketFile>, log: &mut Log) -> Self {
        let watchdog = daemon::watchdog_enabled().unwrap_or_else(|error| {
            let text =
                format!("Watchdog disabled, WATCHDOG_USEC or WATCHDOG_PID is invalid: {error}");
            log.line(Priority::Warning, text);
            None
        });
        let watchdog = watchdog.map(|period| ((period / 2).max(SHORTEST_WATCHDOG), Instant::now()));
        let (unsent, resend_at) = (VecDeque::new(), None);
        Self {
            messages: 0,
            bytes: 0,
            wait_reason: None,
            files,
            shown: None,
            limited: None,
            status_at: None,
            watchdog,
            unsent,
            resend_at,
            has_served: false,
            is_stopping: false,
            has_failed: false,
        }
    }

    /// Counts a datagram of `bytes` bytes.
    pub fn count(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
        self.status_at.get_or_insert_with(|| Instant::now() + STATUS_INTERVAL);
    }

    /// Takes note of why senders wait. `STATUS=` shows it.
    pub fn senders_wait(&mut self, reason: &'static str) {
        self.wait_reason = Some(reason);
        self.status_at.get_or_insert_with(|| Instant::now() + STATUS_INTERVAL);
    }

    /// Takes note that senders wait for the rate limit until then. Logs that it is reached, once.
    pub fn limited_until(&mut self, until: Instant, log: &mut Log) {
        self.senders_wait(LIMITED);
        let messages = self.messages;
        let limited = self.limited.get_or_insert_with(|| {
            log.report(
                Priority::Warning,
                catalog::LIMIT_REACHED,
                format_args!("{LIMITED}, senders wait"),
            );
            // If the log is blocked, the next turn of the loop writes the line.
            let _ = log.flush();
            Limited { since: Instant::now(), until, messages }
        });
        limited.until = until;
    }

    /// Logs how long the rate limit was reached, if it was.
    pub fn limit_ends(&mut self, log: &mut Log) {
        let Some(Limited { since, until, messages }) = self.limited.take() else { return };
        let seconds = (until.min(Instant::now()) - since).as_secs_f64();
        let messages = self.messages - messages;
        let text = format!(
            "--max-rate= was reached for {seconds:.1} s, in which {messages} messages were logged"
        );
        log.line(Priority::Notice, text);
    }

    /// Sends `READY=1` with the first `STATUS=`.
    pub fn ready(&mut self, log: &mut Log) {
        let status = self.status();
        self.notify([Ok(NotifyState::READY), status], log);
    }

    /// Sends `RELOADING=1`, and then `READY=1`, since there is nothing to reload.
    pub fn reload(&mut self, log: &mut Log) {
        self.notify([NotifyState::reloading()], log);
        self.notify([Ok(NotifyState::READY)], log);
    }

    /// Sends `STOPPING=1` without waiting for `resend_at`.
    pub fn stopping(&mut self, log: &mut Log) {
        (self.resend_at, self.is_stopping) = (None, true);
        self.notify([Ok(NotifyState::STOPPING)], log);
    }

    /// Sends why a stop gave up as `STATUS=`.
    pub fn gave_up(&mut self, error: impl fmt::Display, log: &mut Log) {
        self.notify([NotifyState::status(&error.to_string())], log);
    }

    /// Returns when the next notification is due.
    pub fn next_due(&self) -> Option<Instant> {
        let watchdog = self.watchdog.map(|(_, at)| at);
        self.status_at.into_iter().chain(watchdog).chain(self.resend_at).min()
    }

    /// Sends the notifications that are due. Returns whether `STATUS=` was among them.
    ///
    /// In a stop, call it after progress only: it then asks for more time.
    pub fn notify_due(&mut self, log: &mut Log) -> bool {
        let now = Instant::now();
        if self.resend_at.take_if(|at| *at <= now).is_some() {
            self.send(log);
        }
        if let Some((interval, _)) = self.watchdog.filter(|&(_, at)| at <= now) {
            self.watchdog = Some((interval, now + interval));
            self.notify([Ok(NotifyState::WATCHDOG)], log);
            // No datagram arrives at a socket that has lost its file, so none makes a status due.
            if self.files_status() != self.shown {
                self.status_at.get_or_insert(now);
            }
        }
        let is_status_due = self.status_at.take_if(|at| *at <= now).is_some();
        if is_status_due {
            // From now on a restart waits for RestartSec= again, not for the grown pause.
            let serves_now = self.messages > 0 && !mem::replace(&mut self.has_served, true);
            let reset = serves_now.then_some(Ok(NotifyState::RESTART_RESET));
            let more_time =
                self.is_stopping.then(|| Ok(NotifyState::extend_timeout_usec(STOP_EXTENSION)));
            let status = self.status();
            self.notify([status].into_iter().chain(reset).chain(more_time), log);
            // One more STATUS= follows, to show that they no longer wait.
            self.status_at = self.wait_reason.take().map(|_| now + STATUS_INTERVAL);
            if self.status_at.is_none() {
                self.limit_ends(log);
            }
        }
        is_status_due
    }

    /// Returns what `STATUS=` is to show of the files.
    fn files_status(&self) -> Option<String> {
        self.files.iter().find_map(SocketFile::status)
    }

    /// Returns `STATUS=` with the counts, and with what an administrator has to know.
    fn status(&mut self) -> io::Result<NotifyState> {
        let plural = if self.messages == 1 { "" } else { "s" };
        let reason = self.wait_reason.map(|reason| format!("; {reason}, senders wait"));
        self.shown = self.files_status();
        let files = self.shown.as_ref().map(|status| format!("; {status}"));
        NotifyState::status(&format!(
            "Received {} message{plural}, {} bytes{}{}",
            self.messages,
            self.bytes,
            files.unwrap_or_default(),
            reason.unwrap_or_default()
        ))
    }

    /// Sends a notification, after those in `unsent`.
    fn notify(&mut self, state: impl IntoIterator<Item = io::Result<NotifyState>>, log: &mut Log) {
        let is_full = self.unsent.len() >= UNSENT_MAX;
        if !is_full {
            // Only a text with a newline is an error, and none of these has one.
            self.unsent.push_back(state.into_iter().flatten().collect());
        }
        if self.resend_at.is_none() {
            self.send(log);
        }
    }

    /// Sends `unsent`. Only the first of consecutive errors is logged.
    fn send(&mut self, log: &mut Log) {
        while let Some(state) = self.unsent.front() {
            let result = bounded(|| daemon::notify(state));
            if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
                self.resend_at = Some(Instant::now() + RETRY_AFTER);
                return;
            }
            self.unsent.pop_front();
            let had_failed = mem::replace(&mut self.has_failed, result.is_err());
            if let (Err(error), false) = (result, had_failed) {
                log.line(
                    Priority::Warning,
                    format!("Unable to notify the service manager: {error}"),
                );
            }
        }
    }
}

//! What the service manager is told: that foo is ready, what it has received, and that it is alive.

#![forbid(unsafe_code)]

use crate::{
    blocked::RETRY_AFTER,
    log::Log,
    systemd::{
        bounded::bounded,
        daemon::{self, NotifyState},
        journal::Priority,
    },
};
use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    mem,
    time::{Duration, Instant},
};

/// `STATUS=` is sent at most so often.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// `WATCHDOG=1` is sent at most so often, whatever the service manager asks for.
const SHORTEST_WATCHDOG: Duration = Duration::from_millis(1);

/// Notifications that wait for room there. More come only of reloads that the manager did not order.
const UNSENT_MAX: usize = 8;

/// Notifies the service manager, now and when it is time.
pub struct Notifier {
    messages: u64,
    bytes: u64,
    /// Whether the rate limit made senders wait since the last `STATUS=`.
    pub limited: bool,
    /// When to tell of the counts: set from a datagram on until that is done.
    status_at: Option<Instant>,
    /// How often, and when next, to say that foo is alive.
    watchdog: Option<(Duration, Instant)>,
    /// Notifications, in order, that the queue had no room for, and when to send them again.
    unsent: VecDeque<Vec<NotifyState>>,
    resend_at: Option<Instant>,
    /// Whether a datagram was received, and a second passed.
    has_served: bool,
    /// Whether the last notification failed.
    unheard: bool,
}

impl Notifier {
    /// One that says that foo is alive at half of the time that the service manager asks for.
    pub fn new(log: &mut Log) -> Self {
        let watchdog = daemon::watchdog_enabled().unwrap_or_else(|error| {
            let text = format!("No watchdog, WATCHDOG_USEC or WATCHDOG_PID is wrong: {error}");
            log.line(Priority::Warning, text);
            None
        });
        let watchdog = watchdog.map(|period| ((period / 2).max(SHORTEST_WATCHDOG), Instant::now()));
        let (unsent, resend_at) = (VecDeque::new(), None);
        Self {
            messages: 0,
            bytes: 0,
            limited: false,
            status_at: None,
            watchdog,
            unsent,
            resend_at,
            has_served: false,
            unheard: false,
        }
    }

    /// Counts a datagram of so many bytes.
    pub fn count(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
        self.status_at
            .get_or_insert_with(|| Instant::now() + STATUS_INTERVAL);
    }

    /// Says that foo is ready to receive.
    pub fn ready(&mut self, log: &mut Log) {
        self.notify([Ok(NotifyState::READY), self.status()], log);
    }

    /// Says that foo reloads, and, since there is nothing to be read anew, that it has.
    pub fn reload(&mut self, log: &mut Log) {
        self.notify([NotifyState::reloading()], log);
        self.notify([Ok(NotifyState::READY)], log);
    }

    /// Says that foo stops.
    pub fn stopping(&mut self, log: &mut Log) {
        self.resend_at = None;
        self.notify([Ok(NotifyState::STOPPING)], log);
    }

    /// When the next notification is due.
    pub fn due(&self) -> Option<Instant> {
        let watchdog = self.watchdog.map(|(_, at)| at);
        self.status_at
            .into_iter()
            .chain(watchdog)
            .chain(self.resend_at)
            .min()
    }

    /// Sends the notifications that are due; whether the counts were among them.
    pub fn notify_due(&mut self, log: &mut Log) -> bool {
        let now = Instant::now();
        if self.resend_at.take_if(|at| *at <= now).is_some() {
            self.send(log);
        }
        if let Some((interval, _)) = self.watchdog.filter(|&(_, at)| at <= now) {
            self.watchdog = Some((interval, now + interval));
            self.notify([Ok(NotifyState::WATCHDOG)], log);
        }
        let told = self.status_at.take_if(|at| *at <= now).is_some();
        if told {
            // Restarts after this, if any, begin anew at RestartSec= of the unit.
            let reset = (!mem::replace(&mut self.has_served, true))
                .then_some(Ok(NotifyState::RESTART_RESET));
            self.notify([self.status()].into_iter().chain(reset), log);
            // The next one says that this is over.
            self.status_at = mem::take(&mut self.limited).then(|| now + STATUS_INTERVAL);
        }
        told
    }

    fn status(&self) -> io::Result<NotifyState> {
        let plural = if self.messages == 1 { "" } else { "s" };
        let limited = if self.limited {
            "; --max-rate= is reached, senders wait"
        } else {
            ""
        };
        NotifyState::status(&format!(
            "Received {} message{plural}, {} bytes{limited}",
            self.messages, self.bytes
        ))
    }

    /// Notifies the service manager, after what it has not taken yet.
    fn notify(&mut self, state: impl IntoIterator<Item = io::Result<NotifyState>>, log: &mut Log) {
        let is_full = self.unsent.len() >= UNSENT_MAX;
        if !is_full {
            // Only a text with a newline is an error, which none of these has.
            self.unsent.push_back(state.into_iter().flatten().collect());
        }
        if self.resend_at.is_none() {
            self.send(log);
        }
    }

    /// Sends what is unsent. An error is logged once, not each time.
    fn send(&mut self, log: &mut Log) {
        while let Some(state) = self.unsent.front() {
            let result = bounded(|| daemon::notify(state));
            if result
                .as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::Interrupted)
            {
                self.resend_at = Some(Instant::now() + RETRY_AFTER);
                return;
            }
            self.unsent.pop_front();
            let unheard = mem::replace(&mut self.unheard, result.is_err());
            if let (Err(error), false) = (result, unheard) {
                log.line(
                    Priority::Warning,
                    format!("Unable to notify the service manager: {error}"),
                );
            }
        }
    }
}

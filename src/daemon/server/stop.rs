//! The stop: logs what is queued, since systemd may close the sockets next.
//!
//! A stop begins with the number of queued messages, and has two ends:
//!
//! - All of them are logged. Senders that never pause add to the queue, but not to that number.
//! - The log accepted nothing for [`TIMEOUT`]. [`Unlogged`] counts what is left. What is queued
//!   stays in the sockets: the next foo logs it, unless the sockets stop too.
//!
//! A slow log does not end a stop: each message that it accepts is progress, and foo asks systemd
//! for more time. The rate limit does not apply, since the queue has an end.

#![forbid(unsafe_code)]

use super::{Error, Hold, Server};
use crate::daemon::{blocked::RETRY_AFTER, datagram::queued};
use std::{
    fmt, thread,
    time::{Duration, Instant},
};

/// Longest time that a stop waits for a log that accepts nothing.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// Most messages that a stop receives from a socket whose queue can't be counted. Twice what the
/// queue holds with systemd's `net.unix.max_dgram_qlen`.
const UNCOUNTED_MAX: usize = 1024;

/// The messages that a stop has not logged.
#[derive(Debug)]
pub struct Unlogged {
    /// Messages that foo had received. The log may have accepted some of them.
    received: usize,
    /// Messages that were in the sockets' queues.
    queued: usize,
}

impl fmt::Display for Unlogged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, queued } = self;
        write!(
            f,
            "Unable to log up to {received} received and {queued} queued messages, \
             no progress for {TIMEOUT:?}"
        )
    }
}

impl Server<'_> {
    /// Logs what was received and what is queued now.
    ///
    /// # Errors
    ///
    /// Fails if the log accepts nothing for [`TIMEOUT`], with a permanent error of a socket, or if
    /// the journal has lost lines and takes no report.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.notifier.stopping(self.log);
        self.limit = None;
        self.notifier.limit_ends(self.log);
        let count = |index: usize| queued(&self.sources[index].socket.fd).unwrap_or(UNCOUNTED_MAX);
        let mut left: Vec<_> = (0..self.sources.len()).map(count).collect();
        if !self.drain(&mut left)? {
            let received = self.unwritten + self.batch.len();
            let error = Error::Stop(Unlogged { received, queued: left.iter().sum() });
            self.notifier.gave_up(&error, self.log);
            return Err(error);
        }
        self.log.wait_until_read(Instant::now() + TIMEOUT);
        match self.log.lost() {
            0 => Ok(()),
            lost => Err(Error::Lost(lost)),
        }
    }

    /// Logs what was received and `left` messages of each socket. Returns whether that was all.
    fn drain(&mut self, left: &mut [usize]) -> Result<bool, Error> {
        let mut progress_at = Instant::now();
        if !self.write_all(&mut progress_at) {
            return Ok(false);
        }
        for (index, left) in left.iter_mut().enumerate() {
            while *left > 0 {
                let source = &mut self.sources[index];
                let count = source
                    .receive(&mut self.batch, self.log, false)
                    .map_err(|error| Error::Socket(source.socket.name.clone(), error))?;
                let may_have_more = count > 0 || source.retry_at.is_some();
                *left = left.saturating_sub(count);
                if !self.write_all(&mut progress_at) {
                    return Ok(false);
                }
                if !may_have_more {
                    break;
                }
                if count == 0 {
                    // After a transient error, datagrams may still be queued.
                    if progress_at.elapsed() >= TIMEOUT {
                        return Ok(false);
                    }
                    thread::sleep(RETRY_AFTER);
                }
            }
        }
        Ok(true)
    }

    /// Writes everything received. Returns `false` if the log accepts nothing for [`TIMEOUT`] after
    /// `progress_at`, which each accepted message moves to the present.
    fn write_all(&mut self, progress_at: &mut Instant) -> bool {
        loop {
            let before = (self.unwritten, self.batch.len());
            let result = self.write();
            if (self.unwritten, self.batch.len()) != before {
                *progress_at = Instant::now();
                self.notifier.notify_due(self.log);
            }
            match result {
                Ok(()) => return true,
                // A stop has no rate limit.
                Err(Hold::Limit(_)) => {}
                Err(Hold::Log(blocked)) => {
                    if self.log.wait_at_end(blocked, *progress_at, TIMEOUT).is_err() {
                        return false;
                    }
                }
            }
        }
    }
}

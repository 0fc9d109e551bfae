//! Why nothing can be written now, and what to wait for before the next try.
//!
//! The writer returns it and `wait` takes it. No module stores it.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// Delay before a retry after a transient error. Short for a sender, and long enough not to use up
/// a processor.
pub const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Delay before foo checks again whether journald has read everything. No event reports that.
const CHECK_AFTER: Duration = Duration::from_micros(500);

/// Why nothing can be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// The log's descriptor is full. Wait until it is writable.
    Full,
    /// The journal's queue of entries is full. Wait until its socket is writable.
    QueueFull,
    /// journald has not read what comes before in the log. Check again after [`CHECK_AFTER`].
    Unread,
    /// The journal has dropped its stream and no new one can be opened, or its queue is missing.
    /// Try again after [`RETRY_AFTER`].
    Gone,
    /// The rate limit is used up until this time. Only records wait for it.
    Limited(Instant),
}

impl Blocked {
    /// Returns the delay after which to try again; `None` if poll(2) reports when.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Full | Self::QueueFull => None,
            Self::Unread => Some(CHECK_AFTER),
            Self::Gone => Some(RETRY_AFTER),
            Self::Limited(until) => Some(until.saturating_duration_since(Instant::now())),
        }
    }
}

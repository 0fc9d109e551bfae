//! Why nothing can be written now, and what to wait for before the next try. The writer returns it, the waiter gets it,
//! and nothing stores it.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// Delay before a retry after a transient error.
pub const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Delay before journald is asked again for what it has read, which no event reports.
const ASK_AFTER: Duration = Duration::from_micros(500);

/// Why nothing can be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// The descriptor is full. Wait until it is writable.
    Full,
    /// The journal's queue of entries is full. Wait until that is writable.
    QueueFull,
    /// journald has not read what has to stand before. Ask again after [`ASK_AFTER`].
    Unread,
    /// The journal has dropped its stream and no other can be opened, or its queue is missing. Try again after
    /// [`RETRY_AFTER`].
    Gone,
    /// The rate limit is used up until then. Only records wait for that.
    Limited(Instant),
}

impl Blocked {
    /// Returns the delay after which to try again; `None` if a descriptor becomes writable.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Full | Self::QueueFull => None,
            Self::Unread => Some(ASK_AFTER),
            Self::Gone => Some(RETRY_AFTER),
            Self::Limited(until) => Some(until.saturating_duration_since(Instant::now())),
        }
    }
}

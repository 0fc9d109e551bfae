//! Why nothing can be written to the log now, and what to wait for before the next try.
//!
//! The writer returns it and `wait` takes it. No module stores it.

#![forbid(unsafe_code)]

use std::time::Duration;

/// Delay before a retry after a transient error. Short for a sender, and long enough not to use up
/// a processor.
pub const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Shortest and longest delay before foo asks again whether journald has read everything. No event
/// reports that. journald reads a line within the shortest; the longest limits what a journald that
/// is frozen costs.
pub const UNREAD_MIN: Duration = Duration::from_micros(50);
pub const UNREAD_MAX: Duration = Duration::from_millis(100);

/// Why nothing can be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blocked {
    /// The log's descriptor is full. Wait until it is writable.
    Full,
    /// The journal's queue of entries is full. Wait until its socket is writable.
    QueueFull,
    /// journald has not read what comes before in the log. Ask again after this delay.
    Unread(Duration),
    /// The journal has dropped its stream and no new one can be opened, or its queue is missing.
    /// Try again after [`RETRY_AFTER`].
    Gone,
    /// The log can't be written, such as a file on a full disk. Try again after [`RETRY_AFTER`].
    Failed,
}

impl Blocked {
    /// Returns what to show in the status, if an administrator has to know.
    pub fn status(self) -> Option<&'static str> {
        match self {
            Self::Full | Self::QueueFull | Self::Unread(_) => None,
            Self::Gone => Some("the journal can't be reached"),
            Self::Failed => Some("the log can't be written"),
        }
    }

    /// Returns the delay after which to try again; `None` if poll(2) reports when.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Full | Self::QueueFull => None,
            Self::Unread(delay) => Some(delay),
            Self::Gone | Self::Failed => Some(RETRY_AFTER),
        }
    }
}

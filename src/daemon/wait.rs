//! The loop's one wait: for a signal, a datagram, room in the log or a deadline.
//!
//! It keeps no state. Each call computes what to poll from the reason why the log is blocked, if it
//! is.

#![forbid(unsafe_code)]

use super::{
    blocked::{Blocked, RETRY_AFTER},
    log::Log,
    source::Source,
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::{signalfd::SignalFd, time::TimeSpec},
};
use std::{os::fd::AsFd, thread, time::Instant};

/// What poll(2) reports of a socket that was shut down for reading. nix has no name for it.
const SHUT_DOWN: PollFlags = PollFlags::from_bits_retain(libc::POLLRDHUP);

/// Returns whether the socket may be shut down. nix returns no flags at all if poll(2) reports one
/// that nix has no name for.
fn maybe_shut_down(fd: &PollFd<'_>) -> bool {
    fd.revents().is_none_or(|events| events.intersects(SHUT_DOWN | PollFlags::POLLHUP))
}

/// What `wait` found ready.
#[derive(Default)]
pub struct Ready {
    /// Whether a signal is pending.
    pub signal: bool,
    /// The sources to receive from.
    pub sources: Vec<ReadySource>,
}

/// A source to receive from.
pub struct ReadySource {
    /// Its index in the list of all sources.
    pub index: usize,
    /// Whether poll(2) reported that the socket may be shut down.
    pub maybe_shut_down: bool,
}

impl ReadySource {
    /// A source that may have a datagram, and is not shut down.
    pub fn with_datagram(index: usize) -> Self {
        Self { index, maybe_shut_down: false }
    }
}

/// Waits for a signal, a datagram or `deadline`. While foo serves, it sleeps here only.
///
/// If the log is blocked, waits for the log instead of the sources, so that senders wait too.
///
/// # Errors
///
/// Fails with the permanent errors of ppoll(2). After a transient error nothing is ready.
pub fn wait(
    signals: &SignalFd,
    sources: &[Source],
    blocked: Option<(&Log, Blocked)>,
    deadline: Option<Instant>,
) -> Result<Ready, Errno> {
    let now = Instant::now();
    let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    let mut indices = Vec::new();
    let mut deadlines: Vec<Instant> = deadline.into_iter().collect();
    if let Some((log, blocked)) = blocked {
        fds.extend(log.ready_fd(blocked).map(|fd| PollFd::new(fd, PollFlags::POLLOUT)));
        deadlines.extend(blocked.retry_after().map(|delay| now + delay));
    } else {
        for (index, source) in sources.iter().enumerate() {
            match source.retry_at.filter(|&at| at >= now) {
                Some(at) => deadlines.push(at),
                None => {
                    indices.push(index);
                    fds.push(PollFd::new(source.socket.fd.as_fd(), PollFlags::POLLIN | SHUT_DOWN));
                }
            }
        }
    }
    let timeout = deadlines
        .into_iter()
        .min()
        .map(|at| TimeSpec::from_duration(at.saturating_duration_since(now)));
    match ppoll(&mut fds, timeout, None) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(Ready::default()),
        Err(Errno::EAGAIN | Errno::ENOMEM) => {
            thread::sleep(RETRY_AFTER);
            return Ok(Ready::default());
        }
        Err(errno) => return Err(errno),
    }
    let signal = fds[0].any() != Some(false);
    let sources = indices.into_iter().zip(&fds[1..]).filter(|(_, fd)| fd.any() != Some(false));
    Ok(Ready {
        signal,
        sources: sources
            .map(|(index, fd)| ReadySource { index, maybe_shut_down: maybe_shut_down(fd) })
            .collect(),
    })
}

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

/// Most descriptors to poll without an allocation: the signals and seven sockets.
const FEW: usize = 8;

/// Returns whether the socket may be shut down. nix returns no flags at all if poll(2) reports one
/// that nix has no name for.
fn maybe_shut_down(fd: &PollFd<'_>) -> bool {
    fd.revents().is_none_or(|events| events.intersects(SHUT_DOWN | PollFlags::POLLHUP))
}

/// What `wait` found ready. The loop reuses it, so that a wait allocates nothing.
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

/// Waits for a signal, a datagram or `deadline`. Replaces what is in `ready`. While foo serves, it
/// sleeps here only.
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
    ready: &mut Ready,
) -> Result<(), Errno> {
    ready.signal = false;
    ready.sources.clear();
    let (now, mut until) = (Instant::now(), deadline);
    let mut wake_at = |at| until = Some(until.map_or(at, |until| at.min(until)));
    let signal_fd = PollFd::new(signals.as_fd(), PollFlags::POLLIN);
    let (mut few, mut many);
    let fds = if sources.len() < FEW {
        few = [(); FEW].map(|()| signal_fd.clone());
        &mut few[..]
    } else {
        many = vec![signal_fd; 1 + sources.len()];
        &mut many[..]
    };
    let mut count = 1;
    let mut add = |fd| (fds[count], count) = (fd, count + 1);
    if let Some((log, blocked)) = blocked {
        log.ready_fd(blocked).into_iter().for_each(|fd| add(PollFd::new(fd, PollFlags::POLLOUT)));
        blocked.retry_after().into_iter().for_each(|delay| wake_at(now + delay));
    } else {
        for (index, source) in sources.iter().enumerate() {
            match source.retry_at.filter(|&at| at >= now) {
                Some(at) => wake_at(at),
                None => {
                    add(PollFd::new(source.socket.fd.as_fd(), PollFlags::POLLIN | SHUT_DOWN));
                    ready.sources.push(ReadySource::with_datagram(index));
                }
            }
        }
    }
    let timeout = until.map(|at| TimeSpec::from_duration(at.saturating_duration_since(now)));
    poll(&mut fds[..count], timeout, ready)
}

/// Polls the signals, and then the sources in `ready`. Leaves those that poll(2) reported.
fn poll(fds: &mut [PollFd<'_>], timeout: Option<TimeSpec>, ready: &mut Ready) -> Result<(), Errno> {
    if let Err(errno) = ppoll(fds, timeout, None) {
        ready.sources.clear();
        return match errno {
            Errno::EINTR => Ok(()),
            Errno::EAGAIN | Errno::ENOMEM => {
                thread::sleep(RETRY_AFTER);
                Ok(())
            }
            errno => Err(errno),
        };
    }
    let mut fds = fds.iter();
    ready.signal = fds.next().is_some_and(|fd| fd.any() != Some(false));
    ready.sources.retain_mut(|source| {
        fds.next().is_some_and(|fd| {
            source.maybe_shut_down = maybe_shut_down(fd);
            fd.any() != Some(false)
        })
    });
    Ok(())
}

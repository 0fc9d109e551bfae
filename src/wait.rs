//! What the loop waits for: a signal, a datagram, room in the log or a time. Computed anew on each turn, from the
//! reason why the log is blocked if it is.

#![forbid(unsafe_code)]

use crate::{
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

/// What poll(2) says of a socket that was shut down for reading. nix has no name for it.
const SHUT_DOWN: PollFlags = PollFlags::from_bits_retain(libc::POLLRDHUP);

/// Whether poll(2) said so. nix gives no flags at all where there is one that it has no name for.
fn is_shut_down(fd: &PollFd<'_>) -> bool {
    fd.revents()
        .is_none_or(|events| events.intersects(SHUT_DOWN | PollFlags::POLLHUP))
}

/// What there is to be done.
#[derive(Default)]
pub struct Ready {
    /// Whether there is a signal.
    pub signal: bool,
    /// Which sources have something, and whether that may be that they were shut down.
    pub sources: Vec<(usize, bool)>,
}

/// Waits for a signal, a datagram or the time at which something is due: foo's only place to sleep while it serves.
///
/// While the log is blocked no source is asked, so senders wait too.
///
/// # Errors
///
/// As ppoll(2), but for transient errors: nothing is ready then.
pub fn wait(
    signals: &SignalFd,
    sources: &[Source],
    blocked: Option<(&Log, Blocked)>,
    due: Option<Instant>,
) -> Result<Ready, Errno> {
    let now = Instant::now();
    let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    let mut indices = Vec::new();
    let mut due: Vec<Instant> = due.into_iter().collect();
    if let Some((log, blocked)) = blocked {
        fds.extend(
            log.ready_fd(blocked)
                .map(|fd| PollFd::new(fd, PollFlags::POLLOUT)),
        );
        due.extend(blocked.retry_after().map(|delay| now + delay));
    } else {
        for (index, source) in sources.iter().enumerate() {
            match source.retry_at.filter(|&at| at >= now) {
                Some(at) => due.push(at),
                None => {
                    indices.push(index);
                    fds.push(PollFd::new(
                        source.socket.fd.as_fd(),
                        PollFlags::POLLIN | SHUT_DOWN,
                    ));
                }
            }
        }
    }
    let timeout = due
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
    let sources = indices
        .into_iter()
        .zip(&fds[1..])
        .filter(|(_, fd)| fd.any() != Some(false));
    Ok(Ready {
        signal,
        sources: sources
            .map(|(index, fd)| (index, is_shut_down(fd)))
            .collect(),
    })
}

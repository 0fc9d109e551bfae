//! What there is to be done: waits for a signal, a datagram, room in the log or a time.

#![forbid(unsafe_code)]

use crate::{activation::Socket, log::Log, sink::RETRY_AFTER};
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
    fd.revents().is_none_or(|events| events.intersects(SHUT_DOWN | PollFlags::POLLHUP))
}

/// A socket, and whether it works just now.
pub struct Source {
    /// The socket.
    pub socket: Socket,
    /// When to try again, from an error that can pass until the socket works again.
    pub retry_at: Option<Instant>,
}

/// What there is to be done.
#[derive(Default)]
pub struct Ready {
    /// Whether there is a signal.
    pub signal: bool,
    /// Which sources have something, and whether that may be that they were shut down.
    pub sources: Vec<(usize, bool)>,
}

/// Waits for a signal, a datagram or the time at which something is due.
///
/// While the log takes nothing, no source is asked: senders wait too.
///
/// # Errors
///
/// As ppoll(2), but for those that can pass: there is nothing to be done then.
pub fn wait(signals: &SignalFd, sources: &[Source], log: &Log, due: Option<Instant>) -> Result<Ready, Errno> {
    let now = Instant::now();
    let room = log.is_pending().then(|| log.ready_fd());
    let retries = sources.iter().filter_map(|source| source.retry_at.filter(|&at| at > now));
    let retries = retries.chain(room.is_some_and(|fd| fd.is_none()).then_some(now + RETRY_AFTER));
    let due = retries.chain(due).min();
    let timeout = due.map(|at| TimeSpec::from_duration(at.saturating_duration_since(now)));

    let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    let mut indices = Vec::new();
    if let Some(room) = room {
        fds.extend(room.map(|fd| PollFd::new(fd, PollFlags::POLLOUT)));
    } else {
        for (index, source) in sources.iter().enumerate() {
            if source.retry_at.is_none_or(|at| at <= now) {
                indices.push(index);
                fds.push(PollFd::new(source.socket.fd.as_fd(), PollFlags::POLLIN | SHUT_DOWN));
            }
        }
    }
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
    Ok(Ready { signal, sources: sources.map(|(index, fd)| (index, is_shut_down(fd))).collect() })
}

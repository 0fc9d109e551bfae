//! What foo knows of journald, on one page. The booted tests see that it holds on each release.
//!
//! # The stream: standard error of a service
//!
//! - A newline ends an entry. A line of more than `LineMax=` (48 KiB, at least 79) is split. The
//!   pieces but the last have `_LINE_BREAK=line-max`; the last one looks like an entry of its own.
//! - journald reads a priority, `<0>` to `<7>`, at the start of each line and of each piece. It
//!   strips blanks from both ends. A line without text makes no entry.
//! - The service manager gives a stream room for 8 MiB; one that a service opens has what
//!   `net.core.wmem_max` allows. No event reports that journald has read everything; `SIOCOUTQ` shows
//!   how much memory is taken up, which is 0 then.
//! - If journald stops, it drops its streams, and what it has not read is lost: on 247 and 252 at
//!   each stop, from 253 on only if it is killed. Otherwise the service manager keeps them, and the
//!   next journald reads on. On 252, 257 and 262 it also kept those of a journald that was frozen
//!   and killed; foo does not rely on that. A stream that is dropped hangs up before its unread
//!   bytes become none.
//! - A service that starts while journald's socket refuses connections has /dev/null as standard
//!   output and error, and no `JOURNAL_STREAM=`.
//! - With `StandardError=journal+console` or `kmsg`, journald passes on lines of a stream only.
//!
//! # The queue: /run/systemd/journal/socket
//!
//! - A datagram is an entry, of any length and with any bytes. An empty one is none.
//! - The queue is the service manager's, so a restart of journald keeps it. If its socket is
//!   stopped, the service manager may first empty it: what was queued is gone without a word. The
//!   socket is closed then.
//! - `sd_journal_sendv` blocks while it is full. It drops the entry and returns success if the
//!   socket's file is missing.
//!
//! # Both
//!
//! - journald reads them in no defined order.
//! - It reads an entry of a process that has ended. Then it does not know the unit if nothing else
//!   of that process was read.
//! - By default it drops what exceeds 10,000 messages in 30 seconds. foo.service switches that off.

#![forbid(unsafe_code)]

/// The longest line, with its newline, that journald does not split by default: `LineMax=`.
pub const LINE_MAX: usize = 48 * 1024;

/// The socket at which journald receives entries.
pub const SOCKET: &str = "/run/systemd/journal/socket";

/// Returns whether a text contains what journald reads as a priority: `<`, a number up to 7 of one
/// to three digits, and `>`. It may stand at the start of a piece, since `LineMax=` is unknown.
pub fn has_prefix(text: &[u8]) -> bool {
    memchr::memchr_iter(b'<', text).any(|at| {
        matches!(
            text[at + 1..],
            [b'0'..=b'7', b'>', ..]
                | [b'0', b'0'..=b'7', b'>', ..]
                | [b'0', b'0', b'0'..=b'7', b'>', ..]
        )
    })
}

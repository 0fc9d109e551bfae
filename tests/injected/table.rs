//! Each system call of the daemon, the errors it can have, and what may come of one.

/// What an error may lead to. Unless this says otherwise, the daemon keeps running and loses
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing has to be reported.
    GoesOn,
    /// A line contains this.
    Reports(&'static str),
    /// At most this many messages are lost.
    Loses(usize),
    /// A message may be logged twice.
    Doubles,
    /// The daemon exits with an error that contains this.
    Ends(&'static str),
}

impl Outcome {
    /// The outcome of two errors in a row, of which the second hits the retry of the first.
    pub fn twice(self) -> Self {
        match self {
            Loses(most) => Loses(2 * most),
            expected => expected,
        }
    }
}

use Outcome::*;

/// A call, its errors, and their outcome.
pub type Row = (&'static str, &'static [&'static str], Outcome);

/// Calls while the daemon serves.
pub const TABLE: &[Row] = &[
    // The loop.
    ("ppoll", &["EINTR", "EAGAIN", "ENOMEM"], GoesOn),
    ("ppoll", &["EFAULT", "EINVAL"], Ends("Unable to wait for datagrams")),
    ("read", &["EINTR", "EAGAIN"], GoesOn),
    ("read", &["EBADF", "EINVAL", "EIO"], Ends("Unable to receive signals")),
    ("recvmmsg", &["EINTR", "EAGAIN"], GoesOn),
    (
        "recvmmsg",
        &["ENOMEM", "ENOBUFS", "ECONNREFUSED", "ECONNRESET", "EIO", "EPERM", "EACCES"],
        Reports("Unable to receive from foo.socket, trying again"),
    ),
    (
        "recvmmsg",
        &["EBADF", "ENOTSOCK", "EINVAL", "EFAULT", "ENOSYS"],
        Ends("Unable to receive from foo.socket any more"),
    ),
    ("madvise", &["EAGAIN", "ENOMEM", "EINVAL", "EBUSY"], GoesOn),
    // The log, and the empty datagram that shows when journald has read the entries before it.
    (
        "write",
        &[
            "EINTR",
            "EAGAIN",
            "EIO",
            "EPIPE",
            "ENOSPC",
            "EDQUOT",
            "EFBIG",
            "ENOBUFS",
            "ENOMEM",
            "ECONNREFUSED",
            "ECONNRESET",
            "EBADF",
            "EPERM",
        ],
        GoesOn,
    ),
    ("timer_create", &["EAGAIN", "EINVAL", "ENOMEM"], GoesOn),
    ("timer_settime", &["EFAULT", "EINVAL"], GoesOn),
    ("poll", &["EINTR", "EAGAIN", "ENOMEM", "EFAULT", "EINVAL"], GoesOn),
    ("ioctl", &["EBADF", "EINVAL", "ENOTTY", "EFAULT"], GoesOn),
    (
        "connect",
        &["ECONNREFUSED", "ENOENT", "EAGAIN", "EACCES", "EPERM", "EINTR", "ENOMEM"],
        GoesOn,
    ),
    ("shutdown", &["ENOTCONN", "ENOBUFS"], GoesOn),
    ("fcntl", &["EMFILE", "EINVAL"], GoesOn),
    ("statx", &["EACCES", "ENOENT", "ENOMEM"], Doubles),
    // A stop counts what is queued.
    ("recvfrom", &["EINTR", "EAGAIN", "EINVAL", "ENOTSOCK", "ENOMEM"], GoesOn),
    // Calls of libsystemd: notifications and journal entries.
    ("socket", &["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EACCES", "EAFNOSUPPORT"], GoesOn),
    ("sendmsg", &["EINTR", "ENOMEM", "ECONNREFUSED", "ECONNRESET", "EPIPE", "EPERM"], GoesOn),
    // libsystemd then sends the entry as a file, which the journal of this test does not read.
    ("sendmsg", &["EAGAIN", "ENOBUFS", "EMSGSIZE"], Loses(1)),
    // libsystemd takes this for a missing journal.
    ("sendmsg", &["ENOENT"], Loses(1)),
    ("setsockopt", &["EPERM", "ENOMEM", "EINVAL"], GoesOn),
    ("getsockopt", &["ENOMEM", "EINVAL"], GoesOn),
    ("close", &["EINTR", "EIO", "ENOSPC"], GoesOn),
    // Calls without errors, or whose errors change nothing.
    ("timer_delete", &[], GoesOn),
    // After an alarm, and in a stop that waits for journald. Both happen on a slow machine.
    ("rt_sigreturn", &[], GoesOn),
    ("clock_nanosleep", &[], GoesOn),
    ("munmap", &[], GoesOn),
    ("sched_yield", &[], GoesOn),
    ("sigaltstack", &[], GoesOn),
    ("getuid", &[], GoesOn),
    ("geteuid", &[], GoesOn),
    ("getgid", &[], GoesOn),
    ("getegid", &[], GoesOn),
];

/// Whether a call may fail from some time on. Without it foo still reaches the journal, by entries or
/// by lines. A signal interrupts one call, and a socket to which foo can connect exists and listens.
pub fn lasts(call: &str, error: &str) -> bool {
    const LASTING: &[&str] = &[
        "madvise",
        "timer_create",
        "timer_settime",
        "poll",
        "fcntl",
        "statx",
        "sendmsg",
        "setsockopt",
        "getsockopt",
        "close",
    ];
    LASTING.contains(&call) && !["EINTR", "ENOENT", "ECONNREFUSED"].contains(&error)
}

/// The reasons of a start that can't find out what a descriptor is.
const NO_SOCKET_OR_LOG: &[&str] = &["File descriptor 3 (foo.socket) is", "Unable to open the log"];

/// Calls that only the start makes, or whose errors may end it, with the reason that a line then
/// gives. Without a reason the start has to succeed, as it has to with the errors in the table
/// above.
const START: &[(&str, &[&str], &[&str])] = &[
    // These find out what the passed descriptors and the log are.
    ("fcntl", &["EMFILE", "EINVAL", "EBADF"], &["Unable to"]),
    ("newfstatat", &["EACCES", "ENOMEM", "EBADF"], NO_SOCKET_OR_LOG),
    ("fstat", &["EACCES", "ENOMEM", "EBADF"], NO_SOCKET_OR_LOG),
    ("getsockopt", &["ENOBUFS", "ENOTSOCK", "EINVAL"], NO_SOCKET_OR_LOG),
    ("getsockname", &["ENOBUFS", "ENOTSOCK", "EINVAL"], NO_SOCKET_OR_LOG),
    ("statx", &["EACCES", "ENOMEM", "EBADF"], &["Unable to open the log"]),
    ("ioctl", &["EBADF", "EINVAL", "ENOTTY"], &["Unable to open the log"]),
    // malloc falls back to brk.
    ("mmap", &["ENOMEM", "EAGAIN"], &[]),
    ("rt_sigprocmask", &["EINVAL", "EFAULT"], &["Unable to block signals"]),
    (
        "signalfd4",
        &["EMFILE", "ENFILE", "ENOMEM", "ENODEV", "EINVAL"],
        &["Unable to receive signals"],
    ),
    ("rt_sigaction", &["EINVAL", "EFAULT"], &[]),
    ("getpid", &[], &[]),
    // malloc's: the C library of Debian 13 makes its first ones here. Without brk, foo may not start.
    ("brk", &[], &[]),
    ("getrandom", &["EAGAIN", "ENOSYS"], &[]),
];

/// The errors of a call at the start, and the reasons that the daemon may give if it exits.
pub fn at_start(call: &str) -> (Vec<&'static str>, &'static [&'static str]) {
    if let Some(row) = START.iter().find(|row| row.0 == call) {
        return (row.1.to_vec(), row.2);
    }
    let rows: Vec<_> = TABLE.iter().filter(|row| row.0 == call).collect();
    let unknown = rows.is_empty().then_some("not in the table");
    (rows.iter().flat_map(|row| row.1).copied().chain(unknown).collect(), &[])
}

//! Each system call of the daemon, the errors it can have, and what may come of one.

use crate::scene::Log;

/// What may come of an error. In any case the daemon goes on and loses nothing, unless this says otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    /// Nothing has to be told.
    Nothing,
    /// A line says this.
    Told(&'static str),
    /// Messages are lost, so many at most.
    Lost(usize),
    /// Messages are lost, and a line says how many at most.
    LostAndTold,
    /// A message may be logged twice.
    Doubled,
    /// The daemon ends with an error, and says this.
    Ends(&'static str),
}

impl Want {
    /// What may come of two in a row, where the second is the retry of the first.
    pub fn twice(self, log: Log, call: &str, error: &str) -> Self {
        match self {
            // Only the journal will be back.
            Nothing
                if log == Log::Stream
                    && matches!(call, "write" | "poll")
                    && !["EINTR", "EAGAIN"].contains(&error) =>
            {
                LostAndTold
            }
            Lost(most) => Lost(2 * most),
            want => want,
        }
    }
}

use Want::*;

/// A call, its errors, and what comes of them.
type Row = (&'static str, &'static [&'static str], Want);

/// Those while it serves.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    // The loop.
    ("ppoll", &["EINTR", "EAGAIN", "ENOMEM"], Nothing),
    ("ppoll", &["EFAULT", "EINVAL"], Ends("Unable to wait for datagrams")),
    ("read", &["EINTR", "EAGAIN"], Nothing),
    ("read", &["EBADF", "EINVAL", "EIO"], Ends("Unable to receive signals")),
    ("recvmmsg", &["EINTR", "EAGAIN"], Nothing),
    (
        "recvmmsg",
        &[
            "ENOMEM",
            "ENOBUFS",
            "ECONNREFUSED",
            "ECONNRESET",
            "EIO",
            "EPERM",
            "EACCES",
        ],
        Told("Unable to receive from foo.socket, trying again"),
    ),
    (
        "recvmmsg",
        &["EBADF", "ENOTSOCK", "EINVAL", "EFAULT", "ENOSYS"],
        Ends("Unable to receive from foo.socket any more"),
    ),
    ("madvise", &["EAGAIN", "ENOMEM", "EINVAL", "EBUSY"], Nothing),
    // The log.
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
            "ECONNRESET",
            "EBADF",
            "EPERM",
        ],
        Nothing,
    ),
    // That journald has read an entry is seen from a mark behind it.
    ("sendto", &["EAGAIN", "EINTR", "ECONNREFUSED", "ECONNRESET", "ENOMEM", "ENOBUFS"], Nothing),
    ("timer_create", &["EAGAIN", "EINVAL", "ENOMEM"], Nothing),
    ("timer_settime", &["EFAULT", "EINVAL"], Nothing),
    ("poll", &["EINTR", "EAGAIN", "ENOMEM", "EFAULT", "EINVAL"], Nothing),
    ("ioctl", &["EBADF", "EINVAL", "ENOTTY", "EFAULT"], Nothing),
    (
        "connect",
        &[
            "ECONNREFUSED",
            "ENOENT",
            "EAGAIN",
            "EACCES",
            "EPERM",
            "EINTR",
            "ENOMEM",
        ],
        Nothing,
    ),
    ("shutdown", &["ENOTCONN", "ENOBUFS"], Nothing),
    ("fcntl", &["EMFILE", "EINVAL"], Nothing),
    ("statx", &["EACCES", "ENOENT", "ENOMEM"], Doubled),
    ("clock_nanosleep", &["EINTR"], Nothing),
    // Of libsystemd: to notify, and to write to the journal.
    ("socket", &["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EACCES", "EAFNOSUPPORT"], Nothing),
    ("sendmsg", &["EINTR", "ENOMEM", "ECONNREFUSED", "ECONNRESET", "EPIPE", "EPERM"], Nothing),
    // An entry it sends anew then, as a file, which what stands for the journal here does not read.
    ("sendmsg", &["EAGAIN", "ENOBUFS", "EMSGSIZE"], Lost(1)),
    // It takes this for no journal at all.
    ("sendmsg", &["ENOENT"], Lost(1)),
    ("setsockopt", &["EPERM", "ENOMEM", "EINVAL"], Nothing),
    ("getsockopt", &["ENOMEM", "EINVAL"], Nothing),
    ("close", &["EINTR", "EIO", "ENOSPC"], Nothing),
    // They have none, or matter to nobody.
    ("timer_delete", &[], Nothing),
    // After an alarm, which a slow machine sees.
    ("rt_sigreturn", &[], Nothing),
    ("munmap", &[], Nothing),
    ("sched_yield", &[], Nothing),
    ("sigaltstack", &[], Nothing),
    ("getuid", &[], Nothing),
    ("geteuid", &[], Nothing),
    ("getgid", &[], Nothing),
    ("getegid", &[], Nothing),
];

/// Those that it makes at its start only, or that may end it there, and what it says then; without words it must go on.
/// The others have the errors above, and it must go on.
#[rustfmt::skip]
const START: &[(&str, &[&str], &[&str])] = &[
    // To look which descriptors were passed, what they are, and to have one for the log.
    ("fcntl", &["EMFILE", "EINVAL", "EBADF"], &["Unable to"]),
    (
        "newfstatat",
        &["EACCES", "ENOMEM", "EBADF"],
        &[
            "File descriptor 3 (foo.socket) is",
            "Unable to open the log",
        ],
    ),
    (
        "fstat",
        &["EACCES", "ENOMEM", "EBADF"],
        &[
            "File descriptor 3 (foo.socket) is",
            "Unable to open the log",
        ],
    ),
    (
        "getsockopt",
        &["ENOBUFS", "ENOTSOCK", "EINVAL"],
        &[
            "File descriptor 3 (foo.socket) is",
            "Unable to open the log",
        ],
    ),
    (
        "getsockname",
        &["ENOBUFS", "ENOTSOCK", "EINVAL"],
        &[
            "File descriptor 3 (foo.socket) is",
            "Unable to open the log",
        ],
    ),
    ("statx", &["EACCES", "ENOMEM", "EBADF"], &["Unable to open the log"]),
    ("ioctl", &["EBADF", "EINVAL", "ENOTTY"], &["Unable to open the log"]),
    // malloc has another way.
    ("mmap", &["ENOMEM", "EAGAIN"], &[]),
    ("rt_sigprocmask", &["EINVAL", "EFAULT"], &["Unable to block signals"]),
    (
        "signalfd4",
        &["EMFILE", "ENFILE", "ENOMEM", "ENODEV", "EINVAL"],
        &["Unable to receive signals"],
    ),
    ("rt_sigaction", &["EINVAL", "EFAULT"], &[]),
    ("getpid", &[], &[]),
];

/// The errors that a call has at the start, and the words that may tell why it ends then.
pub fn at_start(call: &str) -> (Vec<&'static str>, &'static [&'static str]) {
    if let Some(row) = START.iter().find(|row| row.0 == call) {
        return (row.1.to_vec(), row.2);
    }
    let rows: Vec<_> = TABLE.iter().filter(|row| row.0 == call).collect();
    let unknown = rows.is_empty().then_some("not in the table");
    (
        rows.iter()
            .flat_map(|row| row.1)
            .copied()
            .chain(unknown)
            .collect(),
        &[],
    )
}

//! Each system call of a daemon that serves, the errors it can have, and what may come of one.

/// What may come of an error. In any case the daemon goes on and loses nothing, unless this says otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    /// Nothing has to be told.
    Nothing,
    /// A line says this.
    Told(&'static str),
    /// Messages are lost, so many at most.
    Lost(usize),
    /// A message may be logged twice.
    Doubled,
    /// The daemon ends with an error, and says this.
    Ends(&'static str),
}

use Want::*;

/// A call, its errors, and what comes of them.
type Row = (&'static str, &'static [&'static str], Want);

pub const TABLE: &[Row] = &[
    // The loop.
    ("ppoll", &["EINTR", "EAGAIN", "ENOMEM"], Nothing),
    ("ppoll", &["EFAULT", "EINVAL"], Ends("Unable to wait for datagrams")),
    ("read", &["EINTR", "EAGAIN"], Nothing),
    ("read", &["EBADF", "EINVAL", "EIO"], Ends("Unable to receive signals")),
    ("recvmmsg", &["EINTR", "EAGAIN"], Nothing),
    (
        "recvmmsg",
        &["ENOMEM", "ENOBUFS", "ECONNREFUSED", "ECONNRESET", "EIO", "EPERM", "EACCES"],
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
    ("poll", &["EINTR", "EAGAIN", "ENOMEM", "EFAULT", "EINVAL"], Nothing),
    ("ioctl", &["EBADF", "EINVAL", "ENOTTY", "EFAULT"], Nothing),
    ("connect", &["ECONNREFUSED", "ENOENT", "EAGAIN", "EACCES", "EPERM", "EINTR", "ENOMEM"], Nothing),
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
    ("munmap", &[], Nothing),
    ("sched_yield", &[], Nothing),
    ("sigaltstack", &[], Nothing),
    ("getuid", &[], Nothing),
    ("geteuid", &[], Nothing),
    ("getgid", &[], Nothing),
    ("getegid", &[], Nothing),
];

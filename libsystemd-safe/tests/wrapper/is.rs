//! The functions that ask what a descriptor is, for each kind of descriptor.

use crate::common::{TempDir, sys};
use crate::convert;
use crate::role::{self, assert_errno, assert_invalid};
use libsystemd_safe::daemon::{
    SocketType::{self, Datagram, Raw, SequentialPacket, Stream},
    is_fifo, is_mq, is_socket, is_socket_inet, is_socket_sockaddr, is_socket_unix, is_special,
};
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT, mq_open};
use nix::sys::stat::Mode;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

const UNIX: Option<i32> = Some(libc::AF_UNIX);
const V4: Option<i32> = Some(libc::AF_INET);
const V6: Option<i32> = Some(libc::AF_INET6);

/// A short name, and the call that it stands for.
type Question = (&'static str, fn(BorrowedFd<'_>) -> io::Result<bool>);

const QUESTIONS: &[Question] = &[
    ("fifo", |fd| is_fifo(fd, None)),
    ("special", |fd| is_special(fd, None)),
    ("null", |fd| is_special(fd, Some(Path::new("/dev/null")))),
    ("zero", |fd| is_special(fd, Some(Path::new("/dev/zero")))),
    ("mq", |fd| is_mq(fd, None)),
    ("unix", |fd| is_socket(fd, UNIX, None, None)),
    ("v4", |fd| is_socket(fd, V4, None, None)),
    ("v6", |fd| is_socket(fd, V6, None, None)),
    ("stream", |fd| is_socket(fd, None, Some(Stream), None)),
    ("datagram", |fd| is_socket(fd, None, Some(Datagram), None)),
    ("packet", |fd| is_socket(fd, None, Some(SequentialPacket), None)),
    ("raw", |fd| is_socket(fd, None, Some(Raw), None)),
    ("listens", |fd| is_socket(fd, None, None, Some(true))),
    ("silent", |fd| is_socket(fd, None, None, Some(false))),
];

/// What each descriptor is, and the type of the standard library that it converts to.
pub fn each_kind_of_descriptor() {
    let dir = TempDir::new();
    nix::unistd::mkfifo(&dir.join("fifo"), Mode::S_IRWXU).unwrap();
    let fifo = || File::options().read(true).write(true).open(dir.join("fifo")).unwrap();
    let (pipe, _writer) = nix::unistd::pipe().unwrap();
    let file = File::create(dir.join("file")).unwrap();
    let null = File::open("/dev/null").unwrap();
    let socket = |family, kind| sys::socket(family, kind).unwrap();
    let unix = UnixListener::bind(dir.join("listener")).unwrap();
    let (tcp, tcp6) = (TcpListener::bind("127.0.0.1:0"), TcpListener::bind("[::1]:0"));
    let (udp, udp6) = (UdpSocket::bind("127.0.0.1:0"), UdpSocket::bind("[::1]:0"));
    let (tcp, tcp6) = (tcp.unwrap(), tcp6.unwrap());
    let stream = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let stream6 = TcpStream::connect(tcp6.local_addr().unwrap()).unwrap();
    let rows: [(&str, OwnedFd, &str, &str); 17] = [
        ("a fifo", fifo().into(), "fifo", "none"),
        ("a pipe", pipe, "fifo", "none"),
        ("a file", file.into(), "special", "none"),
        ("/dev/null", null.into(), "special, null", "none"),
        ("a directory", File::open(dir.path()).unwrap().into(), "", "none"),
        ("a unix listener", unix.into(), "unix, stream, listens", "UnixListener"),
        (
            "a unix stream",
            UnixStream::pair().unwrap().0.into(),
            "unix, stream, silent",
            "UnixStream",
        ),
        (
            "a unix stream without a peer",
            socket(libc::AF_UNIX, libc::SOCK_STREAM),
            "unix, stream, silent",
            "none",
        ),
        (
            "a unix datagram socket",
            dir.socket("datagram").into(),
            "unix, datagram, silent",
            "UnixDatagram",
        ),
        (
            "a unix socket of packets",
            socket(libc::AF_UNIX, libc::SOCK_SEQPACKET),
            "unix, packet, silent",
            "none",
        ),
        ("a tcp stream", stream.into(), "v4, stream, silent", "TcpStream"),
        ("a tcp stream of IPv6", stream6.into(), "v6, stream, silent", "TcpStream"),
        // getpeername(2) can't tell it from one whose peer is gone.
        (
            "a tcp socket that neither listens nor has a peer",
            socket(libc::AF_INET, libc::SOCK_STREAM),
            "v4, stream, silent",
            "TcpStream",
        ),
        ("a tcp listener", tcp.into(), "v4, stream, listens", "TcpListener"),
        ("a tcp listener of IPv6", tcp6.into(), "v6, stream, listens", "TcpListener"),
        ("a udp socket", udp.unwrap().into(), "v4, datagram, silent", "UdpSocket"),
        ("a udp socket of IPv6", udp6.unwrap().into(), "v6, datagram, silent", "UdpSocket"),
    ];
    for (thing, fd, is, converts_to) in rows {
        assert_eq!(answers(fd.as_fd()), is, "{thing}");
        assert_narrowed(thing, fd.as_fd());
        assert_eq!(convert::kind(fd), converts_to, "{thing}");
    }
    let fifo = fifo();
    let file = File::open(dir.join("file")).unwrap();
    let cases = [
        ("the fifo there", is_fifo(&fifo, Some(&dir.join("fifo"))), true),
        ("no fifo there", is_fifo(&fifo, Some(&dir.join("file"))), false),
        ("nothing there", is_fifo(&fifo, Some(&dir.join("nothing"))), false),
        ("the file there", is_special(&file, Some(&dir.join("file"))), true),
        ("no file there", is_special(&file, Some(&dir.join("fifo"))), false),
    ];
    for (case, is, want) in cases {
        assert_eq!(is.unwrap(), want, "{case}");
    }
}

/// The questions that are true for a descriptor.
fn answers(fd: BorrowedFd<'_>) -> String {
    let is = QUESTIONS.iter().filter(|(_, question)| question(fd).unwrap());
    is.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Fails unless the questions about a family have the answers of `is_socket`.
fn assert_narrowed(thing: &str, fd: BorrowedFd<'_>) {
    let of = |family| is_socket(fd, Some(family), None, None).unwrap();
    let (unix, v4, v6) = (of(libc::AF_UNIX), of(libc::AF_INET), of(libc::AF_INET6));
    for kind in [None, Some(Stream), Some(Datagram), Some(SequentialPacket), Some(Raw)] {
        for listens in [None, Some(true), Some(false)] {
            let case = format!("{thing}: {kind:?}, {listens:?}");
            let is = is_socket(fd, None, kind, listens).unwrap();
            assert_eq!(is_socket_unix(fd, kind, listens, None).unwrap(), is && unix, "{case}");
            for (family, is_of) in [(None, v4 || v6), (V4, v4), (V6, v6)] {
                let is_inet = is_socket_inet(fd, family, kind, listens, None).unwrap();
                assert_eq!(is_inet, is && is_of, "{case}, {family:?}");
            }
        }
    }
}

pub fn a_unix_address() {
    let dir = TempDir::new();
    let hidden = |suffix: &[u8]| {
        UnixAddr::from_abstract_name([dir.path().as_os_str().as_bytes(), suffix].concat()).unwrap()
    };
    let path = |name| UnixAddr::from_pathname(dir.join(name)).unwrap();
    let socket = UnixDatagram::bind_addr(&path("here")).unwrap();
    let listener = UnixListener::bind_addr(&hidden(b"")).unwrap();
    let odd = UnixDatagram::bind_addr(&hidden(b"\0more")).unwrap();
    let unnamed = UnixDatagram::unbound().unwrap();
    type Row<'a> = (&'a str, BorrowedFd<'a>, Option<SocketType>, Option<bool>, UnixAddr, bool);
    let rows: [Row; 14] = [
        ("its path", socket.as_fd(), None, None, path("here"), true),
        ("its path and type", socket.as_fd(), Some(Datagram), Some(false), path("here"), true),
        ("its path, another type", socket.as_fd(), Some(Stream), None, path("here"), false),
        ("its path, but listening", socket.as_fd(), None, Some(true), path("here"), false),
        ("another path", socket.as_fd(), None, None, path("there"), false),
        ("the beginning of its path", socket.as_fd(), None, None, path("her"), false),
        ("a longer path", socket.as_fd(), None, None, path("here2"), false),
        ("its abstract name", listener.as_fd(), Some(Stream), Some(true), hidden(b""), true),
        ("a longer abstract name", listener.as_fd(), None, None, hidden(b"2"), false),
        ("an abstract name for a path", socket.as_fd(), None, None, hidden(b"/here"), false),
        ("an abstract name with a NUL", odd.as_fd(), None, None, hidden(b"\0more"), true),
        ("another after the NUL", odd.as_fd(), None, None, hidden(b"\0less"), false),
        ("only what is before the NUL", odd.as_fd(), None, None, hidden(b""), false),
        ("a path where there is no name", unnamed.as_fd(), None, None, path("here"), false),
    ];
    for (case, fd, socket_type, listening, address, is) in rows {
        assert_eq!(
            is_socket_unix(fd, socket_type, listening, Some(&address)).unwrap(),
            is,
            "{case}"
        );
    }
}

pub fn an_internet_address() {
    let (tcp, udp) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("[::1]:0").unwrap());
    let (at, at6) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
    let with_port = |address: SocketAddr, port| SocketAddr::new(address.ip(), port);
    let any: [SocketAddr; 2] = ["0.0.0.0:0".parse().unwrap(), "[::]:0".parse().unwrap()];
    type Row<'a> = (&'a str, BorrowedFd<'a>, Option<SocketType>, Option<bool>, SocketAddr, bool);
    let rows: [Row; 12] = [
        ("its address", tcp.as_fd(), None, None, at, true),
        ("its address, type and state", tcp.as_fd(), Some(Stream), Some(true), at, true),
        ("its address, any port", tcp.as_fd(), None, None, with_port(at, 0), true),
        ("its address, another port", tcp.as_fd(), None, None, with_port(at, at.port() ^ 1), false),
        ("its address, another type", tcp.as_fd(), Some(Datagram), None, at, false),
        ("its address, but silent", tcp.as_fd(), None, Some(false), at, false),
        ("another address", tcp.as_fd(), None, None, any[0], false),
        ("another family", tcp.as_fd(), None, None, at6, false),
        ("of IPv6", udp.as_fd(), Some(Datagram), Some(false), at6, true),
        ("of IPv6, any port", udp.as_fd(), None, None, with_port(at6, 0), true),
        ("of IPv6, another port", udp.as_fd(), None, None, with_port(at6, at6.port() ^ 1), false),
        ("of IPv6, another address", udp.as_fd(), None, None, any[1], false),
    ];
    for (case, fd, socket_type, listening, address, is) in rows {
        assert_eq!(is_socket_sockaddr(fd, socket_type, &address, listening).unwrap(), is, "{case}");
    }
    let port = |fd: BorrowedFd<'_>, port| is_socket_inet(fd, None, None, None, Some(port)).unwrap();
    assert!(port(tcp.as_fd(), at.port()) && port(udp.as_fd(), at6.port()));
    assert!(!port(tcp.as_fd(), at.port() ^ 1) && !port(udp.as_fd(), at6.port() ^ 1));
    assert!(port(tcp.as_fd(), 0), "port 0 is any port");
}

pub fn a_message_queue() {
    let role = role::new("is::has_a_message_queue", vec![]);
    if let Some(role) = role::in_private_namespace("a_message_queue", role) {
        role::run("a message queue", role);
    }
}

pub fn has_a_message_queue() {
    let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_RDONLY | MQ_OFlag::O_CLOEXEC;
    let small = MqAttr::new(0, 1, 1, 0);
    let open = |name| -> MqdT { mq_open(name, flags, Mode::S_IRWXU, Some(&small)).unwrap() };
    let (jobs, _other) = (open("/jobs"), open("/other"));
    // To fstat(2) it is a regular file.
    assert_eq!(answers(jobs.as_fd()), "special, mq");
    for (name, is) in [("/jobs", true), ("/other", false)] {
        assert_eq!(is_mq(&jobs, Some(Path::new(name))).unwrap(), is, "{name}");
    }
    assert_errno("no such queue", is_mq(&jobs, Some(Path::new("/nothing"))), libc::ENOENT);
    assert_errno("no slash", is_mq(&jobs, Some(Path::new("jobs"))), libc::EINVAL);
    assert_invalid("a NUL", is_mq(&jobs, Some(Path::new("/j\0"))), "nul byte");
}

pub fn invalid_arguments() {
    let socket = UnixDatagram::unbound().unwrap();
    let unnamed = socket.local_addr().unwrap();
    let nul = Path::new("/dev/null\0");
    assert_invalid("a fifo with a NUL", is_fifo(&socket, Some(nul)), "nul byte");
    assert_invalid("a file with a NUL", is_special(&socket, Some(nul)), "nul byte");
    assert_invalid(
        "no name",
        is_socket_unix(&socket, None, None, Some(&unnamed)),
        "without a name",
    );
    assert_errno("a negative family", is_socket(&socket, Some(-1), None, None), libc::EINVAL);
    assert_errno(
        "an internet socket of AF_UNIX",
        is_socket_inet(&socket, UNIX, None, None, None),
        libc::EINVAL,
    );
}

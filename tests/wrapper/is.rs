//! The functions that ask what a descriptor is, for each kind of descriptor.

use crate::common::{TempDir, sys};
use crate::role::{self, assert_errno, assert_invalid};
use foo::systemd::daemon::{
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
    ("socket", |fd| is_socket(fd, None, None, None)),
    ("unix", |fd| is_socket(fd, UNIX, None, None)),
    ("unix too", |fd| is_socket_unix(fd, None, None, None)),
    ("v4", |fd| is_socket(fd, V4, None, None)),
    ("v6", |fd| is_socket(fd, V6, None, None)),
    ("inet", |fd| is_socket_inet(fd, None, None, None, None)),
    ("inet v4", |fd| is_socket_inet(fd, V4, None, None, None)),
    ("inet v6", |fd| is_socket_inet(fd, V6, None, None, None)),
    ("stream", |fd| is_socket(fd, None, Some(Stream), None)),
    ("datagram", |fd| is_socket(fd, None, Some(Datagram), None)),
    ("packet", |fd| is_socket(fd, None, Some(SequentialPacket), None)),
    ("raw", |fd| is_socket(fd, None, Some(Raw), None)),
    ("unix stream", |fd| is_socket_unix(fd, Some(Stream), None, None)),
    ("unix datagram", |fd| is_socket_unix(fd, Some(Datagram), None, None)),
    ("inet stream", |fd| is_socket_inet(fd, None, Some(Stream), None, None)),
    ("inet datagram", |fd| is_socket_inet(fd, None, Some(Datagram), None, None)),
    ("listens", |fd| is_socket(fd, None, None, Some(true))),
    ("unix listens", |fd| is_socket_unix(fd, None, Some(true), None)),
    ("inet listens", |fd| is_socket_inet(fd, None, None, Some(true), None)),
    ("silent", |fd| is_socket(fd, None, None, Some(false))),
    ("unix silent", |fd| is_socket_unix(fd, None, Some(false), None)),
    ("inet silent", |fd| is_socket_inet(fd, None, None, Some(false), None)),
];

pub fn each_kind_of_descriptor() {
    let dir = TempDir::new();
    nix::unistd::mkfifo(&dir.join("fifo"), Mode::S_IRWXU).unwrap();
    let fifo = File::options().read(true).write(true).open(dir.join("fifo")).unwrap();
    let (pipe, _writer) = nix::unistd::pipe().unwrap();
    let file = File::create(dir.join("file")).unwrap();
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let rows: [(&str, OwnedFd, &str); 14] = [
        ("a fifo", fifo.into(), "fifo"),
        ("a pipe", pipe, "fifo"),
        ("a file", file.into(), "special"),
        ("/dev/null", File::open("/dev/null").unwrap().into(), "special, null"),
        ("a directory", File::open(dir.path()).unwrap().into(), ""),
        (
            "a unix listener",
            UnixListener::bind(dir.join("listener")).unwrap().into(),
            "socket, unix, unix too, stream, unix stream, listens, unix listens",
        ),
        (
            "a unix stream",
            UnixStream::pair().unwrap().0.into(),
            "socket, unix, unix too, stream, unix stream, silent, unix silent",
        ),
        (
            "a unix datagram socket",
            dir.socket("datagram").into(),
            "socket, unix, unix too, datagram, unix datagram, silent, unix silent",
        ),
        (
            "a unix socket of packets",
            sys::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET).unwrap(),
            "socket, unix, unix too, packet, silent, unix silent",
        ),
        (
            "a tcp stream",
            TcpStream::connect(bound.local_addr().unwrap()).unwrap().into(),
            "socket, v4, inet, inet v4, stream, inet stream, silent, inet silent",
        ),
        (
            "a tcp listener",
            bound.into(),
            "socket, v4, inet, inet v4, stream, inet stream, listens, inet listens",
        ),
        (
            "a tcp listener of IPv6",
            TcpListener::bind("[::1]:0").unwrap().into(),
            "socket, v6, inet, inet v6, stream, inet stream, listens, inet listens",
        ),
        (
            "a udp socket",
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            "socket, v4, inet, inet v4, datagram, inet datagram, silent, inet silent",
        ),
        (
            "a udp socket of IPv6",
            UdpSocket::bind("[::1]:0").unwrap().into(),
            "socket, v6, inet, inet v6, datagram, inet datagram, silent, inet silent",
        ),
    ];
    for (thing, fd, is) in rows {
        assert_eq!(answers(fd.as_fd()), is, "{thing}");
    }
    let fifo = File::options().read(true).write(true).open(dir.join("fifo")).unwrap();
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

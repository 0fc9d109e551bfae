//! A passed descriptor as one of the standard library's types.

use crate::common::{TempDir, sys};
use foo::systemd::daemon::{ListenFd, WrongKind};
use std::any::type_name;
use std::fs::File;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

/// Tries a type, which has to take the descriptor or to return everything.
fn attempt<T: TryFrom<ListenFd, Error = WrongKind> + AsRawFd>(
    passed: ListenFd,
) -> Result<T, ListenFd> {
    let number = passed.as_fd().as_raw_fd();
    let passed = match T::try_from(passed) {
        Ok(converted) => {
            assert_eq!(converted.as_raw_fd(), number);
            return Ok(converted);
        }
        Err(wrong) => {
            let says = wrong.to_string();
            assert!(says.starts_with(&format!("descriptor {number} (a name) is not a")), "{says}");
            wrong.passed
        }
    };
    assert_eq!(passed.name, "a name", "{}", type_name::<T>());
    assert_eq!(passed.fd.as_raw_fd(), number);
    assert!(passed.fd.try_clone().is_ok(), "closed by {}", type_name::<T>());
    Err(passed)
}

/// The one type that takes it, after all others have returned it.
fn kind(fd: OwnedFd) -> &'static str {
    let mut passed = ListenFd { name: "a name".into(), fd };
    let mut kind = "none";
    macro_rules! attempt {
        ($($type:ident)*) => {$(
            passed = match attempt::<$type>(passed) {
                Ok(converted) => {
                    assert_eq!(kind, "none");
                    kind = stringify!($type);
                    ListenFd { name: "a name".into(), fd: converted.into() }
                }
                Err(passed) => passed,
            };
        )*};
    }
    attempt!(UnixDatagram UnixListener UnixStream UdpSocket TcpListener TcpStream);
    // Any descriptor converts to an OwnedFd.
    let number = passed.fd.as_raw_fd();
    assert_eq!(OwnedFd::from(passed).as_raw_fd(), number);
    kind
}

pub fn each_converts_to_its_type_only() {
    let dir = TempDir::new();
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let rows: [(&str, OwnedFd, &str); 12] = [
        ("a unix datagram socket", dir.socket("datagram").into(), "UnixDatagram"),
        (
            "a unix listener",
            UnixListener::bind(dir.join("listener")).unwrap().into(),
            "UnixListener",
        ),
        ("a unix stream", UnixStream::pair().unwrap().0.into(), "UnixStream"),
        (
            "a unix stream without a peer",
            sys::socket(libc::AF_UNIX, libc::SOCK_STREAM).unwrap(),
            "none",
        ),
        (
            "a unix socket of packets",
            sys::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET).unwrap(),
            "none",
        ),
        ("a udp socket", UdpSocket::bind("127.0.0.1:0").unwrap().into(), "UdpSocket"),
        ("a udp socket of IPv6", UdpSocket::bind("[::1]:0").unwrap().into(), "UdpSocket"),
        ("a tcp listener of IPv6", listener.into(), "TcpListener"),
        ("a tcp stream of IPv6", stream.into(), "TcpStream"),
        (
            "a tcp socket that neither listens nor has a peer",
            sys::socket(libc::AF_INET, libc::SOCK_STREAM).unwrap(),
            "TcpStream",
        ),
        ("a tcp listener", TcpListener::bind("127.0.0.1:0").unwrap().into(), "TcpListener"),
        ("a file", File::open("/dev/null").unwrap().into(), "none"),
    ];
    for (case, fd, type_name) in rows {
        assert_eq!(kind(fd), type_name, "{case}");
    }
}

//! A passed descriptor as one of the standard library's types.

use libsystemd_safe::daemon::{ListenFd, WrongKind};
use std::any::type_name;
use std::io;
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
            assert_eq!(format!("{wrong:?}"), says, "what main prints");
            // An io::Error keeps all of it.
            let error = io::Error::from(wrong);
            assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::InvalidInput, says));
            error.downcast::<WrongKind>().expect("the descriptor").passed
        }
    };
    assert_eq!(passed.name, "a name", "{}", type_name::<T>());
    assert_eq!(passed.fd.as_raw_fd(), number);
    assert!(passed.fd.try_clone().is_ok(), "closed by {}", type_name::<T>());
    Err(passed)
}

/// Returns the one type that takes a descriptor, after all others have returned it.
pub fn kind(fd: OwnedFd) -> &'static str {
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
    let number = passed.as_raw_fd();
    assert_eq!(OwnedFd::from(passed).as_raw_fd(), number);
    kind
}

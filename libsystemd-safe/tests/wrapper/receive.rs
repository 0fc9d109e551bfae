//! Receives a datagram with its credentials and descriptors.

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, UnixAddr, UnixCredentials, recvmsg};
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

/// A received message.
pub struct Message {
    pub bytes: Vec<u8>,
    /// The sender, if the socket asks for credentials.
    pub pid: u32,
    pub fds: Vec<OwnedFd>,
}

impl Message {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

/// The next message.
pub fn receive(socket: &UnixDatagram) -> Message {
    let mut bytes = vec![0; 200_000];
    let mut control = cmsg_space!([i32; 253], UnixCredentials);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let received =
        recvmsg::<UnixAddr>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags).unwrap();
    assert!(!received.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC));
    let (size, mut pid, mut fds) = (received.bytes, 0, Vec::new());
    for control in received.cmsgs().unwrap() {
        match control {
            ControlMessageOwned::ScmRights(new) => {
                // SAFETY: the kernel has just opened them for this process, and nothing else owns
                // them.
                let own = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
                fds.extend(new.into_iter().map(own));
            }
            ControlMessageOwned::ScmCredentials(sender) => pid = sender.pid().try_into().unwrap(),
            other => panic!("{other:?}"),
        }
    }
    bytes.truncate(size);
    Message { bytes, pid, fds }
}

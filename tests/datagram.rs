//! Receiving a batch from a socket that is not a datagram socket.

use foo::daemon::datagram::Batch;
use foo::daemon::record::Credentials;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{PassCred, ReceiveTimestamp};
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;

/// Leaves used memory for malloc to hand out again. It is larger than a batch; the second block
/// comes from the heap, not from a mapping of its own.
fn leave_garbage() {
    for _ in 0..2 {
        std::hint::black_box(vec![0xaa_u8; 8 << 20]);
    }
}

/// On a stream, MSG_TRUNC makes the kernel discard the bytes: it returns their count and writes
/// nothing.
#[test]
fn a_stream_shows_no_memory() {
    leave_garbage();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (receiver, _) = listener.accept().unwrap();
    for length in [100, 5000] {
        let mut batch = Batch::new().unwrap();
        sender.write_all(&vec![b'x'; length]).unwrap();
        // Waits for the bytes to arrive.
        while receiver.peek(&mut vec![0; length]).unwrap() < length {}
        batch.receive(&receiver, false).unwrap();
        let datagram = batch.take().unwrap();
        assert_eq!(datagram.length, length);
        assert!(
            datagram.payload.iter().all(|&byte| byte == 0),
            "the payload shows memory of the heap"
        );
    }
}

/// The room for credentials may hold another control message.
#[test]
fn a_timestamp_is_no_credentials() {
    let (sender, receiver) = UnixDatagram::pair().unwrap();
    setsockopt(&receiver, PassCred, &true).unwrap();
    let mut batch = Batch::new().unwrap();
    let mut credentials = || {
        sender.send(b"hello").unwrap();
        batch.receive(&receiver, true).unwrap();
        batch.take().unwrap().credentials.unwrap()
    };
    assert_eq!(credentials().pid, std::process::id());
    setsockopt(&receiver, ReceiveTimestamp, &true).unwrap();
    let unknown = Credentials { pid: 0, uid: 65534 };
    assert_eq!(credentials(), unknown);
    // There is no control message.
    setsockopt(&receiver, ReceiveTimestamp, &false).unwrap();
    setsockopt(&receiver, PassCred, &false).unwrap();
    assert_eq!(credentials(), unknown);
}

/// A dropped batch frees its 4 MiB.
#[test]
fn a_batch_is_freed() {
    let size = || {
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let before = size();
    (0..1000).for_each(|_| drop(Batch::new().unwrap()));
    let grown = size().saturating_sub(before);
    assert!(grown < 500_000, "{grown} pages more");
}

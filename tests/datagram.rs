//! A batch of datagrams, and sockets that give none.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use foo::datagram::Batch;
use std::io::Write;
use std::net::{TcpListener, TcpStream};

/// Where malloc has memory that was used, larger than a batch. The second one is not a mapping of its own any more.
fn leave_garbage() {
    for _ in 0..2 {
        std::hint::black_box(vec![0xaa_u8; 8 << 20]);
    }
}

/// With MSG_TRUNC the kernel says how much a stream has, and writes nothing.
#[test]
fn a_stream_shows_no_memory() {
    leave_garbage();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (receiver, _) = listener.accept().unwrap();
    for length in [100, 5000] {
        let mut batch = Batch::new().unwrap();
        sender.write_all(&vec![b'x'; length]).unwrap();
        // Until it has arrived.
        while receiver.peek(&mut vec![0; length]).unwrap() < length {}
        batch.receive(&receiver, false).unwrap();
        let datagram = batch.take().unwrap();
        assert_eq!(datagram.length, length);
        assert!(
            datagram.payload.iter().all(|&byte| byte == 0),
            "memory of the heap is shown"
        );
    }
}

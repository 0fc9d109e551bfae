//! Memory: reserved at the start, used by large messages, and returned when the traffic pauses.

use crate::common::daemon::Daemon;
use crate::common::{eventually, patient, queue, sys};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use std::fs::File;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Returns the anonymous memory of the daemon in KiB.
fn anonymous(daemon: &Daemon) -> u64 {
    daemon.proc_number("smaps_rollup", "Anonymous")
}

#[test]
fn what_large_messages_take_is_given_back() {
    let null = File::create("/dev/null").unwrap();
    let daemon = Daemon::listening().log_to(null).ready();
    daemon.send("hello");
    daemon.counted(1);
    let before = anonymous(&daemon);
    // Each byte becomes four in the log. Each sender can have one such message queued.
    let (large, count) = (vec![1; 200_000], queue().min(10));
    for round in 1..=2 {
        daemon.stopped(|| {
            for _ in 0..count {
                let sender = patient(UnixDatagram::unbound().unwrap());
                sender.send_to(&large, daemon.socket()).unwrap();
            }
        });
        daemon.counted(1 + count * round);
        eventually("the memory is given back", || {
            (anonymous(&daemon) < before + 400).then_some(())
        });
    }
}

/// The longest possible lines need only reserved memory, and little of it.
#[test]
fn what_is_reserved_is_enough() {
    let null = File::create("/dev/null").unwrap();
    let daemon = Daemon::listening().log_to(null).ready();
    // The longest name has 107 bytes. Each becomes four in the log.
    let mut name = daemon.dir.path().to_str().unwrap().to_owned();
    name.extend(std::iter::repeat_n('\n', 107 - name.len()));
    let name = SocketAddr::from_abstract_name(name).unwrap();
    let longest = patient(UnixDatagram::bind_addr(&name).unwrap());
    sys::set_send_buffer(&longest, 212_992).unwrap();
    let reserved = || daemon.proc_number("status", "VmData");
    let before = reserved();
    assert!(before < 16 * 1024, "{before} KiB");
    daemon.stopped(|| {
        // A line that nearly fills the log, and the longest line behind it.
        let line = daemon.received(65_000, "").len() + 1;
        daemon.send("x".repeat(64 * 1024 - 1 - line));
        // The message is truncated, so its line has a few words more.
        if longest.send_to(&vec![1; 300_000], daemon.socket()).is_err() {
            let text = vec![1; 200_000];
            longest.send_to(&text, daemon.socket()).unwrap();
        }
    });
    daemon.counted(2);
    let after = reserved();
    assert!(after < before + 128, "{before} KiB, then {after} KiB");
}

/// A batch is written with one call.
#[test]
fn a_batch_is_written_at_once() {
    // Each write is a packet.
    let (log, packets) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::empty()).unwrap();
    let daemon = Daemon::listening().log_to(log).ready();
    let packets = File::from(packets);
    let packet = || {
        let mut buffer = vec![0; 8192];
        let size = std::io::Read::read(&mut &packets, &mut buffer).unwrap();
        String::from_utf8(buffer[..size].to_vec()).unwrap()
    };
    while !packet().ends_with("<5> foo.socket\n") {}
    let (text, count) = ("x".repeat(300), queue().min(10));
    daemon.stopped(|| (0..count).for_each(|_| daemon.send(&text)));
    let lines = format!("{}\n", daemon.received(300, &text)).repeat(count);
    assert_eq!(packet(), lines);
}

//! Receiving a batch: what the kernel passes along with a datagram, and sockets that are not datagram
//! sockets.

mod common;

use common::{DEADLINE, TempDir, foocl, skip, sys};
use foo::daemon::datagram::Batch;
use foo::daemon::datagram::control::{Passes, cgroup_of};
use foo::daemon::record::Credentials;
use foo::daemon::units::Share;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{PassCred, ReceiveTimestamp};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{self, Command, Stdio};
use std::time::{Duration, Instant};

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
        batch.receive(&receiver, Passes::default()).unwrap();
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
        batch.receive(&receiver, Passes { credentials: true, pidfd: false }).unwrap();
        batch.take().unwrap().credentials.unwrap()
    };
    assert_eq!(credentials().pid, process::id());
    setsockopt(&receiver, ReceiveTimestamp, &true).unwrap();
    let unknown = Credentials { pid: 0, uid: 65534 };
    assert_eq!(credentials(), unknown);
    // There is no control message.
    setsockopt(&receiver, ReceiveTimestamp, &false).unwrap();
    setsockopt(&receiver, PassCred, &false).unwrap();
    assert_eq!(credentials(), unknown);
}

/// Makes a socket pass pidfds. Returns `false`, with a line that says why, if the kernel can't.
fn passes_pidfds(receiver: &UnixDatagram, test: &str) -> bool {
    match sys::ask_for_pidfds(receiver) {
        Ok(()) => true,
        Err(error) if error.raw_os_error() == Some(Errno::ENOPROTOOPT as i32) => {
            skip(test, "needs SO_PASSPIDFD, of Linux 6.5");
            false
        }
        Err(error) => panic!("SO_PASSPIDFD: {error}"),
    }
}

/// There is room for the credentials and a pidfd. Attached descriptors displace the pidfd. All are
/// closed, whether the datagram is taken or not.
#[test]
fn a_pidfd_and_attached_descriptors() {
    let (sender, receiver) = UnixDatagram::pair().unwrap();
    if !passes_pidfds(&receiver, "a_pidfd_and_attached_descriptors") {
        return;
    }
    // A leak would soon use up all.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 200, hard).unwrap();
    let mut batch = Batch::new().unwrap();
    for round in 0..4000 {
        let credentials = round % 2 == 0;
        setsockopt(&receiver, PassCred, &credentials).unwrap();
        let passes = Passes::of(&receiver).unwrap();
        assert_eq!(passes, Passes { credentials, pidfd: true });
        let attached = [0, 1, 2, 3, 100][round % 5];
        let (mut end, other_end) = UnixStream::pair().unwrap();
        end.set_read_timeout(Some(DEADLINE)).unwrap();
        let copy = |_| OwnedFd::from(other_end.try_clone().unwrap());
        let fds: Vec<_> = (0..attached).map(copy).collect();
        sys::send_with(&sender, b"hello", &fds, false).unwrap();
        drop((fds, other_end));
        assert_eq!(batch.receive(&receiver, passes).unwrap(), 1);
        if round % 3 > 0 {
            let datagram = batch.take().unwrap();
            let (pid, pidfd) = (datagram.credentials.map(|it| it.pid), datagram.pidfd.is_some());
            assert_eq!((pid, pidfd), (credentials.then(process::id), attached == 0), "{attached}");
        }
        assert_eq!(end.read(&mut [0]).unwrap(), 0, "an attached descriptor is open");
    }
}

/// The control group of a sender is known after its end.
#[test]
fn the_control_group_of_a_sender_that_has_ended() {
    let dir = TempDir::new();
    let receiver = dir.socket("foo.socket");
    if !passes_pidfds(&receiver, "the_control_group_of_a_sender_that_has_ended") {
        return;
    }
    let own = match cgroup_of(sys::pidfd(process::id()).unwrap()) {
        Ok(id) => id,
        Err(error) if error.raw_os_error() == Some(Errno::ENOTTY as i32) => {
            return skip(
                "the_control_group_of_a_sender_that_has_ended",
                "needs PIDFD_GET_INFO, of Linux 6.13",
            );
        }
        Err(error) => panic!("PIDFD_GET_INFO: {error}"),
    };
    let mut client = Command::new(foocl());
    client.arg("--socket").arg(dir.join("foo.socket")).arg("hello").stdout(Stdio::null());
    assert!(client.status().unwrap().success());
    let mut batch = Batch::new().unwrap();
    batch.receive(&receiver, Passes::of(&receiver).unwrap()).unwrap();
    match batch.take().unwrap().pidfd.map(cgroup_of) {
        Some(found) => assert_eq!(found.unwrap(), own),
        None => skip(
            "the_control_group_of_a_sender_that_has_ended",
            "needs pidfds of processes that have ended, of Linux 6.16",
        ),
    }
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

/// A user that makes control groups without end causes look-ups without end. They take a tenth of the
/// time, after a burst of 250 ms, which a pause gives back.
#[test]
fn lookups_take_a_share_of_the_time() {
    let walk = Duration::from_millis(10);
    let mut now = Instant::now();
    let mut share = Share::new(now);
    // The length of a flood, and the time that walks take in it.
    for (seconds, taken) in [(1, 350..=360), (100, 10_000..=10_020)] {
        let (end, mut sum) = (now + Duration::from_secs(seconds), Duration::ZERO);
        while now < end {
            if share.is_left(now) {
                share.take(now, now + walk);
                (now, sum) = (now + walk, sum + walk);
            } else {
                now += Duration::from_millis(1);
            }
        }
        assert!(taken.contains(&sum.as_millis()), "{sum:?} of {seconds} s, not {taken:?} ms");
    }
    now += Duration::from_secs(3600);
    let walks = (0..1000).take_while(|_| {
        let is_left = share.is_left(now);
        share.take(now, now + walk);
        is_left
    });
    assert_eq!(walks.count(), 26, "walks of 10 ms after an hour");
}

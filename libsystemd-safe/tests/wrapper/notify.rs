//! Notifications, as a stand-in for the service manager receives them.

use crate::common::daemon::{Daemon, Note};
use crate::common::{TempDir, eventually};
use crate::receive::receive;
use crate::role::{self, assert_errno, assert_invalid};
use libsystemd_safe::daemon::{
    Notified, NotifyState, notify, notify_barrier, notify_with_fds, pid_notify, pid_notify_barrier,
    pid_notify_with_fds, try_notify,
};
use nix::sys::socket::{setsockopt, sockopt::PassCred};
use nix::unistd::geteuid;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::parent_id;
use std::time::Duration;
use std::{env, process};

/// A call, and the message that it sends.
type Row = (&'static str, fn() -> io::Result<Notified>, &'static str);

/// Longer than any barrier of these tests takes.
const TIMEOUT: Option<Duration> = Some(Duration::from_secs(10));

const MESSAGES: &[Row] = &[
    ("one", || notify(&[NotifyState::READY]), "READY=1"),
    (
        "two",
        || notify(&[NotifyState::STOPPING, NotifyState::status("\u{e4} b")?]),
        "STOPPING=1\nSTATUS=\u{e4} b",
    ),
    ("without waiting", || try_notify(&[NotifyState::READY]), "READY=1"),
    ("no descriptors", || notify_with_fds(&[NotifyState::WATCHDOG], &[]), "WATCHDOG=1"),
    ("of nobody else", || pid_notify(0, &[NotifyState::READY]), "READY=1"),
    ("of oneself", || pid_notify(process::id(), &[NotifyState::WATCHDOG]), "WATCHDOG=1"),
    ("of another", || pid_notify(parent_id(), &[NotifyState::READY]), "READY=1"),
    (
        "of oneself, and no descriptors",
        || {
            pid_notify_with_fds(
                process::id(),
                &[NotifyState::FDSTOREREMOVE, NotifyState::fd_name("a")?],
                &[],
            )
        },
        "FDSTOREREMOVE=1\nFDNAME=a",
    ),
];

/// Makes each call of the table and each barrier, and prints each result.
pub fn sends_each() {
    let barriers: &[fn() -> io::Result<Notified>] = &[
        || notify_barrier(TIMEOUT),
        || notify_barrier(Some(Duration::MAX)),
        || pid_notify_barrier(process::id(), TIMEOUT),
        || pid_notify_barrier(0, None),
    ];
    for call in MESSAGES.iter().map(|row| &row.1).chain(&barriers[..self::barriers()]) {
        match call() {
            Ok(notified) => println!("{notified:?}"),
            Err(error) => println!("{}", error.raw_os_error().unwrap()),
        }
    }
}

/// How many barriers follow the messages.
fn barriers() -> usize {
    if role::has(254) { 4 } else { 2 }
}

pub fn each_message_as_it_arrives() {
    let role = || role::new("notify::sends_each", vec![]);
    for (case, role) in [("a path", role()), ("an abstract name", role().abstract_notify())] {
        let end = role::run(case, role);
        assert_eq!(end.log, vec!["Queued"; MESSAGES.len() + barriers()], "{case}");
        let sent: Vec<_> = end.notes.iter().map(|Note { text, .. }| text.as_str()).collect();
        let mut want: Vec<_> = MESSAGES.iter().map(|row| row.2).collect();
        want.resize(MESSAGES.len() + barriers(), "BARRIER=1");
        assert_eq!(sent, want, "{case}");
    }
}

pub fn no_notify_socket() {
    let end =
        role::run("no socket", role::new("notify::sends_each", vec![]).unset("NOTIFY_SOCKET"));
    assert_eq!(end.log, vec!["Nobody"; MESSAGES.len() + barriers()]);
    assert!(end.notes.is_empty());
}

pub fn an_invalid_address() {
    let too_long = format!("/{}", "x".repeat(200));
    for (address, errnos) in [
        ("relative", &[libc::EINVAL, libc::EPROTO, libc::EAFNOSUPPORT][..]),
        (&too_long, &[libc::EINVAL, libc::ENAMETOOLONG]),
        ("/nobody/listens", &[libc::ENOENT]),
        ("@nobody listens", &[libc::ECONNREFUSED]),
    ] {
        let end = role::run(
            address,
            role::new("notify::sends_each", vec![]).env("NOTIFY_SOCKET", address),
        );
        let one_of = |line: &String| errnos.contains(&line.parse().unwrap_or_default());
        assert_eq!(end.log.len(), MESSAGES.len() + barriers(), "{address}");
        assert!(end.log.iter().all(one_of), "{address}: {:?}", end.log);
    }
}

pub fn invalid_arguments() {
    assert_invalid("nothing", notify(&[]), "needs an assignment");
    assert_invalid("nothing of another", pid_notify(1, &[]), "needs an assignment");
    assert_invalid(
        "no process",
        pid_notify(u32::MAX, &[NotifyState::READY]),
        "4294967295 is no process",
    );
    assert_invalid("no process", pid_notify_barrier(1 << 31, None), "2147483648 is no process");
}

/// A stand-in for the service manager, which sees who sends and which descriptors are passed.
struct Manager {
    dir: TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let dir = TempDir::new();
        let socket = crate::common::patient(dir.socket("manager"));
        setsockopt(&socket, PassCred, &true).unwrap();
        Self { dir, socket }
    }

    fn start(&self, role: &str) -> Daemon {
        role::new(role, vec![]).env("NOTIFY_SOCKET", self.dir.join("manager")).start()
    }
}

/// Fills the queue of the service manager, and tries to notify it until that succeeds.
pub fn tries() {
    let address = env::var("NOTIFY_SOCKET").unwrap();
    // A sender for each: what waits in a long queue does not fit into the send buffer of one.
    let floods = || {
        let flood = UnixDatagram::unbound().unwrap();
        flood.set_nonblocking(true).unwrap();
        match address.strip_prefix('@') {
            Some(name) => flood.connect_addr(&SocketAddr::from_abstract_name(name).unwrap()),
            None => flood.connect(&address),
        }
        .unwrap();
        flood.send(b"X_FULL=1").is_ok()
    };
    while floods() {}
    let attempt = || try_notify(&[NotifyState::READY]);
    println!("{:?}", attempt().map_err(|error| error.kind()));
    let sent = eventually("room", || match attempt() {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        result => Some(result),
    });
    println!("{:?}", sent.unwrap());
}

/// One free place is enough for a message.
pub fn a_full_queue_is_an_error() {
    for abstract_name in [false, true] {
        let dir = TempDir::new();
        let path = dir.join("manager");
        let (socket, address) = if abstract_name {
            let name = path.to_str().unwrap();
            let bound = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name).unwrap());
            (bound.unwrap(), format!("@{name}"))
        } else {
            (dir.socket("manager"), path.to_str().unwrap().to_owned())
        };
        let socket = crate::common::patient(socket);
        let child = role::new("notify::tries", vec![]).env("NOTIFY_SOCKET", &address).start();
        assert_eq!(child.line(), "Err(WouldBlock)", "{address}");
        let receive = || {
            let mut message = [0; 64];
            let size = socket.recv(&mut message).unwrap();
            String::from_utf8(message[..size].to_vec()).unwrap()
        };
        assert_eq!(receive(), "X_FULL=1");
        assert_eq!(child.line(), "Queued", "{address}");
        while receive() != "READY=1" {}
        assert_eq!(child.end().code, 0);
    }
}

/// Stores files that contain their number: one, two, as many as a message holds, and too many.
pub fn sends_descriptors() {
    let dir = env::var_os("WRAPPER_DIR").unwrap();
    let file = |number: usize| {
        let path = std::path::Path::new(&dir).join(number.to_string());
        File::create_new(&path).unwrap().write_all(number.to_string().as_bytes()).unwrap();
        File::open(path).unwrap()
    };
    let files: Vec<_> = (0..253).map(file).collect();
    let fds: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let store = [NotifyState::FDSTORE, NotifyState::fd_name("kept").unwrap()];
    for (pid, count) in
        [(None, 1), (Some(0), 2), (Some(process::id()), 2), (Some(parent_id()), 253)]
    {
        let fds: &[BorrowedFd<'_>] = &fds[..count];
        let sent = match pid {
            None => notify_with_fds(&store, fds),
            Some(pid) => pid_notify_with_fds(pid, &store, fds),
        };
        assert_eq!(sent.unwrap(), Notified::Queued);
    }
    for count in [254, 2_000_000] {
        assert_invalid(
            "too many",
            notify_with_fds(&store, &vec![fds[0]; count]),
            "holds 253 descriptors",
        );
    }
    assert!(files.iter().all(|file| file.metadata().is_ok()), "closed");
}

pub fn descriptors_and_their_process() {
    let manager = Manager::new();
    let role =
        role::new("notify::sends_descriptors", vec![]).env("WRAPPER_DIR", manager.dir.path());
    let child = role.env("NOTIFY_SOCKET", manager.dir.join("manager")).start();
    let messages: Vec<_> = (0..4).map(|_| receive(&manager.socket)).collect();
    let end = child.end();
    assert_eq!(end.code, 0, "{:#?}", end.log);
    let own = messages[0].pid;
    // Only root may notify for another process.
    let other = if geteuid().is_root() { process::id() } else { own };
    assert_ne!(own, process::id());
    let want = [(own, 1), (own, 2), (own, 2), (other, 253)];
    for (message, (pid, count)) in messages.into_iter().zip(want) {
        assert_eq!((message.text(), message.pid), ("FDSTORE=1\nFDNAME=kept", pid));
        let content = |fd| {
            let (mut file, mut content) = (File::from(fd), String::new());
            // All messages pass the same open file.
            file.rewind().unwrap();
            file.read_to_string(&mut content).unwrap();
            content.parse().unwrap()
        };
        assert_eq!(
            message.fds.into_iter().map(content).collect::<Vec<usize>>(),
            (0..count).collect::<Vec<_>>()
        );
    }
}

pub fn waits() {
    println!("{:?}", notify_barrier(None).unwrap());
}

pub fn a_barrier_waits_for_the_reader() {
    let manager = Manager::new();
    let child = manager.start("notify::waits");
    let barrier = receive(&manager.socket);
    assert_eq!((barrier.text(), barrier.fds.len()), ("BARRIER=1", 1));
    assert_ne!(barrier.pid, process::id());
    eventually("it waits", || (child.state() == 'S').then_some(()));
    drop(barrier);
    let end = child.end();
    assert_eq!((end.code, end.log), (0, vec!["Queued".to_owned()]));
}

pub fn waits_a_moment() {
    let moment = Some(Duration::from_millis(1));
    assert_errno("unread", notify_barrier(moment), libc::ETIMEDOUT);
    assert_errno("at once", notify_barrier(Some(Duration::ZERO)), libc::ETIMEDOUT);
    let of_a_process = pid_notify_barrier(process::id(), moment);
    if role::has(254) {
        assert_errno("of a process", of_a_process, libc::ETIMEDOUT);
    } else {
        role::assert_unsupported(of_a_process, 254);
    }
}

pub fn a_barrier_times_out() {
    let manager = Manager::new();
    // The message is not read, so the barrier's descriptor stays open.
    let end = manager.start("notify::waits_a_moment").end();
    assert_eq!(end.code, 0, "{:#?}", end.log);
}

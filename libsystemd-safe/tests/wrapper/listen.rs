//! The passed descriptors: taken once, and only by the process that they are for.

use crate::common::setup::Setup;
use crate::role::{self, assert_invalid};
use libsystemd_safe::daemon::{LISTEN_FDS_START, ListenFd, listen_fds_with_names};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::thread;

/// Two sockets to pass.
fn two() -> Vec<OwnedFd> {
    let (here, there) = UnixDatagram::pair().unwrap();
    vec![here.into(), there.into()]
}

pub fn each_environment() {
    let nothing = "";
    let both = "3 foo.socket, 4 foo.socket";
    type Row = (&'static str, fn(Setup) -> Setup, &'static str);
    let rows: [Row; 19] = [
        ("two", |role| role, both),
        ("names", |role| role.env("LISTEN_FDNAMES", "a b:\u{e4}"), "3 a b, 4 \u{e4}"),
        ("an empty name", |role| role.env("LISTEN_FDNAMES", "a:"), "3 a, 4 "),
        ("no names", |role| role.unset("LISTEN_FDNAMES"), "3 unknown, 4 unknown"),
        (
            "fewer than there are",
            |role| role.env("LISTEN_FDS", "1").unset("LISTEN_FDNAMES"),
            "3 unknown",
        ),
        ("none", |role| role.unset("LISTEN_FDS"), nothing),
        ("not ours", |role| role.env("LISTEN_PID", "1"), nothing),
        ("nobody's", |role| role.unset("LISTEN_PID"), nothing),
        (
            "no process",
            |role| role.env("LISTEN_PID", "self?"),
            "LISTEN_PID=\"self?\" is not the number of a process; errno 22",
        ),
        (
            "no number",
            |role| role.env("LISTEN_FDS", "two"),
            "LISTEN_FDS=\"two\" is not the number of one or more descriptors; errno 22",
        ),
        (
            "no such process",
            |role| role.env("LISTEN_PID", "0"),
            "LISTEN_PID=\"0\" is not the number of a process; errno 34",
        ),
        (
            "a negative process",
            |role| role.env("LISTEN_PID", "-1"),
            "LISTEN_PID=\"-1\" is not the number of a process; errno 34",
        ),
        (
            "too large",
            |role| role.env("LISTEN_FDS", "99999999999"),
            "LISTEN_FDS=\"99999999999\" is not the number of one or more descriptors; errno 34",
        ),
        (
            "zero",
            |role| role.env("LISTEN_FDS", "0"),
            "LISTEN_FDS=\"0\" is not the number of one or more descriptors; errno 22",
        ),
        (
            "less than none",
            |role| role.env("LISTEN_FDS", "-1"),
            "LISTEN_FDS=\"-1\" is not the number of one or more descriptors; errno 22",
        ),
        (
            "too few names",
            |role| role.env("LISTEN_FDNAMES", "a"),
            "LISTEN_FDNAMES=\"a\" has 1 names, and LISTEN_FDS=\"2\"; errno 22",
        ),
        (
            "too many names",
            |role| role.env("LISTEN_FDNAMES", "a:b:c"),
            "LISTEN_FDNAMES=\"a:b:c\" has 3 names, and LISTEN_FDS=\"2\"; errno 22",
        ),
        (
            "a joined name",
            |role| role.env("LISTEN_FDNAMES", "a\\:b"),
            "LISTEN_FDNAMES=\"a\\\\:b\" has 1 names, and LISTEN_FDS=\"2\"; errno 22",
        ),
        (
            "more than there are",
            |role| role.env("LISTEN_FDS", "3").env("LISTEN_FDNAMES", "a:b:c"),
            "LISTEN_FDS=\"3\" promises descriptor 5, which is not open; errno 9",
        ),
    ];
    for (case, set, want) in rows {
        let end = role::run(case, set(role::new("listen::takes", two())));
        assert_eq!(end.log.join("\n"), want, "{case}");
    }
}

/// Prints what it takes, and checks what stays open.
pub fn takes() {
    let taken = listen_fds_with_names();
    match &taken {
        Err(error) => {
            let errno = error
                .get_ref()
                .and_then(|error| error.source()?.downcast_ref::<io::Error>())
                .and_then(io::Error::raw_os_error)
                .expect("an errno");
            assert_eq!(error.kind(), io::Error::from_raw_os_error(errno).kind());
            println!("{error}; errno {errno}");
        }
        Ok(taken) if taken.is_empty() => {}
        Ok(taken) => {
            let show =
                |one: &ListenFd| format!("{} {}", one.fd.as_raw_fd(), one.name.to_string_lossy());
            println!("{}", taken.iter().map(show).collect::<Vec<_>>().join(", "));
            assert!(taken.iter().all(|one| is_close_on_exec(one.fd.as_raw_fd())));
            assert!(listen_fds_with_names().expect("a second time").is_empty(), "taken twice");
        }
    }
    let taken = taken.unwrap_or_default().into_iter().map(|one| one.nonblocking().unwrap());
    let taken: Vec<_> = taken.collect();
    let is_nonblocking = |fd| flags(fd).is_some_and(|flags| flags & libc::O_NONBLOCK != 0);
    assert!(taken.iter().all(|one| is_nonblocking(one.fd.as_raw_fd())), "still blocking");
    for fd in [3, 4] {
        assert!(is_open(fd), "{fd} was closed");
    }
    let numbers: Vec<_> = taken.iter().map(|one| one.fd.as_raw_fd()).collect();
    assert_eq!(numbers, (LISTEN_FDS_START..).take(numbers.len()).collect::<Vec<_>>());
    drop(taken);
    assert!(numbers.iter().all(|&fd| !is_open(fd)), "still open when dropped");
}

pub fn a_descriptor_that_the_program_opened() {
    for (case, passed) in
        [("the first", vec![]), ("the second", two().into_iter().take(1).collect())]
    {
        for opener in ["listen::takes_after_a_file", "listen::takes_after_a_pipe"] {
            let (opened, promised) = (3 + passed.len(), 1 + passed.len());
            let role = role::new(
                opener,
                passed.iter().map(|fd: &OwnedFd| fd.try_clone().unwrap()).collect(),
            );
            let names = vec!["a"; promised].join(":");
            let role = role.env("LISTEN_FDS", promised.to_string()).env("LISTEN_FDNAMES", names);
            assert_eq!(role::run(case, role).log, [format!("opened {opened}")], "{case}, {opener}");
        }
    }
}

pub fn takes_after_a_file() {
    takes_too_late(File::open("/dev/null").unwrap().into());
}

/// Both ends stay open in a program that this one starts, as those that were passed do.
pub fn takes_after_a_pipe() {
    takes_too_late(nix::unistd::pipe().unwrap().0);
}

fn takes_too_late(opened: OwnedFd) {
    let number = opened.as_raw_fd();
    println!("opened {number}");
    let says = format!(
        "LISTEN_FDS promises descriptor {number}, but this process was not started with it"
    );
    assert_invalid("the first time", listen_fds_with_names(), &says);
    assert!(listen_fds_with_names().is_ok_and(|passed| passed.is_empty()), "taken at last");
    assert!((3..=number).all(is_open), "closed");
}

pub fn only_one_thread_takes_them() {
    let role = role::new("listen::takes_in_threads", two());
    assert_eq!(role::run("eight threads", role).log, ["2 taken"]);
}

pub fn takes_in_threads() {
    let taken: Vec<ListenFd> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(listen_fds_with_names)).collect();
        let all = threads.into_iter().map(|thread| thread.join().unwrap());
        all.flat_map(Result::unwrap).collect()
    });
    println!("{} taken", taken.len());
}

/// The flags of a descriptor of this process, if it is open.
fn flags(fd: i32) -> Option<i32> {
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    Some(i32::from_str_radix(flags.unwrap().trim(), 8).unwrap())
}

fn is_open(fd: i32) -> bool {
    flags(fd).is_some()
}

fn is_close_on_exec(fd: i32) -> bool {
    flags(fd).is_some_and(|flags| flags & libc::O_CLOEXEC != 0)
}

//! Starting: the log's first lines, and which descriptors and options are accepted or refused.

use crate::common::daemon::{Daemon, End};
use crate::common::shown::unnamed;
use crate::common::{TempDir, assert_line, assert_words, foo, have, patient, sys};
use nix::mqueue::{MQ_OFlag, MqAttr, mq_open, mq_unlink};
use nix::sys::stat::Mode;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Output};

#[test]
fn log_lines() {
    let daemon = Daemon::listening().env("GREETING", "hello there").start();
    assert!(daemon.notified().has("READY=1"));
    assert_eq!(daemon.line(), "<6>Environment: ");
    let environment = environment(&daemon);
    for want in ["GREETING=hello there", "LISTEN_FDS=1", "LISTEN_FDNAMES=foo.socket"] {
        assert!(environment.iter().any(|line| line == want), "no {want} in {environment:?}");
    }
    assert_eq!(daemon.line(), "<5>File Descriptor names are:");
    assert_eq!(daemon.line(), "<5> foo.socket");
    daemon.assert_logs("the next line", "hello", "hello");
}

#[test]
fn names() {
    let cases = [
        ("given", Daemon::listening().env("LISTEN_FDNAMES", "a name"), "<5> a name"),
        ("not given", Daemon::listening().unset("LISTEN_FDNAMES"), "<5> unknown"),
        ("with a newline", Daemon::listening().env("LISTEN_FDNAMES", "a\n<0>b"), r"<5> a\x0a<0>b"),
    ];
    for (case, setup, line) in cases {
        let daemon = setup.start();
        while daemon.line() != "<5>File Descriptor names are:" {}
        assert_eq!(daemon.line(), line, "{case}");
        daemon.assert_logs(case, "hello", "hello");
    }
}

/// Reads the environment's lines up to "foo service started".
fn environment(daemon: &Daemon) -> Vec<String> {
    let mut variables = Vec::new();
    loop {
        let line = daemon.line();
        match line.strip_prefix("<6> ") {
            Some(variable) => variables.push(variable.to_owned()),
            None => {
                assert_eq!(line, "<5>foo service started");
                return variables;
            }
        }
    }
}

#[test]
fn one_variable_is_one_line() {
    let cases: [(&[u8], &str); 9] = [
        (b"two\nlines", r"two\x0alines"),
        (b"x\n<0>kernel: panic\n", r"x\x0a<0>kernel: panic\x0a"),
        (b"\x1b[31mred", r"\x1b[31mred"),
        (b"\x7f", r"\x7f"),
        ("\u{85}".as_bytes(), r"\xc2\x85"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"a\tb", "a\tb"),
        (br"back\slash \x0a", r"back\slash \x0a"),
        ("Zoë ☃ 🦀".as_bytes(), "Zoë ☃ 🦀"),
    ];
    let mut setup = Daemon::listening();
    for (i, (value, _)) in cases.iter().enumerate() {
        setup = setup.env(format!("CASE_{i}"), OsStr::from_bytes(value));
    }
    // A shell drops a variable with such a name; env(1) passes it on.
    let daemon = setup.under(["env", "odd\nname=x"]).start();
    assert_eq!(daemon.line(), "<6>Environment: ");
    let environment = environment(&daemon);
    let cases = cases.iter().enumerate();
    let cases = cases.map(|(i, (_, shown))| format!("CASE_{i}={shown}"));
    for want in cases.chain([r"odd\x0aname=x".to_owned()]) {
        assert!(environment.contains(&want), "no {want} in {environment:?}");
    }
}

#[test]
fn no_sockets_passed() {
    let nothing: [OwnedFd; 0] = [];
    let by_hand = ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"];
    let by_hand = by_hand.into_iter().fold(Daemon::with(nothing), |setup, name| setup.unset(name));
    let cases = [
        ("run by hand", by_hand),
        ("LISTEN_PID of another process", Daemon::listening().env("LISTEN_PID", "1")),
        ("LISTEN_PID unset", Daemon::listening().unset("LISTEN_PID")),
        ("LISTEN_FDS unset", Daemon::listening().unset("LISTEN_FDS")),
    ];
    for (case, setup) in cases {
        let end = setup.start().end();
        assert_eq!(end.log[0], "<6>Environment: ", "{case}");
        let lines = after_start(&end);
        let want = [
            "<4>Unable to find any file descriptors",
            "<3>Unable to get file descriptor for socket",
        ];
        assert_eq!(lines, want, "{case}");
        end.assert_refused(case, &[]);
    }
}

fn after_start(end: &End) -> &[String] {
    let start = end.log.iter().position(|line| line == "<5>foo service started");
    &end.log[start.unwrap() + 1..]
}

#[test]
fn no_sockets_passed_on_a_terminal() {
    if !have("script", "bsdutils", "starting::no_sockets_passed_on_a_terminal") {
        return;
    }
    let foo = foo().into_string().unwrap();
    let nothing: [OwnedFd; 0] = [];
    let command = ["script", "-qec", &foo, "/dev/null"];
    // A terminal that a unit has started sets INVOCATION_ID.
    let setup =
        Daemon::with(nothing).program(command).unset("LISTEN_FDS").env("INVOCATION_ID", "0");
    let end = setup.start().end();
    assert_eq!(end.code, 255);
    let shown = end.log.join("\n");
    let errors =
        ["Unable to find any file descriptors", "Unable to get file descriptor for socket"];
    assert_words("on a terminal", &shown, &errors);
    assert_eq!(shown.matches("systemctl start").count(), 1, "not one hint: {shown}");
    assert!(!shown.contains("Environment"), "it hides the hint: {shown}");
}

#[test]
fn no_datagram_socket() {
    let dir = TempDir::new();
    let fifo = dir.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    fs::write(dir.join("file"), "").unwrap();
    let open = |path| File::options().read(true).write(true).open(path).unwrap();
    let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_RDONLY;
    let name = format!("/foo-test-{}", std::process::id());
    let queue =
        mq_open(name.as_str(), flags, Mode::S_IRWXU, Some(&MqAttr::new(0, 1, 1, 0))).unwrap();
    mq_unlink(name.as_str()).unwrap();
    let cases: [(OwnedFd, &str); 10] = [
        (queue.as_fd().try_clone_to_owned().unwrap(), "message queue"),
        (open(dir.join("file")).into(), "regular file"),
        (open(fifo).into(), "FIFO"),
        (open("/dev/null".into()).into(), "character device"),
        (File::open(dir.path()).unwrap().into(), "directory"),
        (UnixListener::bind(dir.join("stream")).unwrap().into(), "stream"),
        (UnixStream::pair().unwrap().0.into(), "stream"),
        (sys::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET).unwrap(), "sequential-packet"),
        (UdpSocket::bind("127.0.0.1:0").unwrap().into(), "address family"),
        (TcpListener::bind("127.0.0.1:0").unwrap().into(), "stream"),
    ];
    for (fd, kind) in cases {
        let end = Daemon::with([fd]).start().end();
        end.assert_refused(kind, &["descriptor 3", "foo.socket", kind]);
    }
    let (good, bad) = (dir.socket("good"), open(dir.join("file")));
    let setup = Daemon::with([OwnedFd::from(good), bad.into()]).env("LISTEN_FDNAMES", "good:bad");
    let words = ["descriptor 4", "bad", "file"];
    setup.start().end().assert_refused("the second of two", &words);
}

#[test]
fn several_sockets_passed() {
    let dir = TempDir::new();
    let sockets = [dir.socket("first"), dir.socket("second")];
    let daemon = Daemon::with(sockets).env("LISTEN_FDNAMES", "one:two").start();
    while daemon.line() != "<5>File Descriptor names are:" {}
    assert_eq!(daemon.line(), "<5> one");
    assert_eq!(daemon.line(), "<5> two");
    let client = patient(UnixDatagram::unbound().unwrap());
    for _ in 0..20 {
        for name in ["first", "second"] {
            client.send_to(name.as_bytes(), dir.join(name)).unwrap();
            assert_line(name, &daemon.line(), &format!("<5>{}", unnamed(name)));
        }
    }
}

#[test]
fn malformed() {
    // The variables, and the one that the error names.
    let cases: [(&[(&str, &str)], &str); 11] = [
        (&[("LISTEN_FDS", "abc")], "LISTEN_FDS"),
        (&[("LISTEN_FDS", "-1")], "LISTEN_FDS"),
        (&[("LISTEN_FDS", "0")], "LISTEN_FDS"),
        (&[("LISTEN_FDS", "99999999999")], "LISTEN_FDS"),
        (&[("LISTEN_FDS", "")], "LISTEN_FDS"),
        (&[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "a:b")], "LISTEN_FDS"),
        (&[("LISTEN_FDNAMES", "a:b")], "LISTEN_FDNAMES"),
        (&[("LISTEN_FDS", "2")], "LISTEN_FDS"),
        (&[("LISTEN_PID", "abc")], "LISTEN_PID"),
        (&[("LISTEN_PID", "-1")], "LISTEN_PID"),
        (&[("LISTEN_PID", "")], "LISTEN_PID"),
    ];
    for (variables, fault) in cases {
        let mut setup = Daemon::listening();
        let mut value = "foo.socket";
        for (name, set) in variables {
            setup = setup.env(name, set);
            if *name == fault {
                value = set;
            }
        }
        let end = setup.start().end();
        end.assert_refused(&format!("{variables:?}"), &[fault, value]);
    }
}

#[test]
fn checked_as_the_man_page_says() {
    let address = TempDir::new();
    let name = address.path().as_os_str().as_bytes();
    let address = SocketAddr::from_abstract_name(name).unwrap();
    let (ours, other) = UnixDatagram::pair().unwrap();
    let client = patient(UnixDatagram::unbound().unwrap());
    let cases = [
        ("an abstract address", UnixDatagram::bind_addr(&address).unwrap()),
        ("a connected pair", ours),
    ];
    for (case, socket) in cases {
        // The original takes the name for the path of the socket.
        let daemon = Daemon::with([socket]).env("LISTEN_FDNAMES", "/no/such/path").ready();
        match case {
            "a connected pair" => other.send(b"hello").unwrap(),
            _ => client.send_to_addr(b"hello", &address).unwrap(),
        };
        assert_line(case, &daemon.line(), &format!("<5>{}", unnamed("hello")));
    }
}

#[test]
fn command_line() {
    let run = |args: &[&str]| -> Output { Command::new(foo()).args(args).output().unwrap() };
    for (args, words) in [
        (["--help"], &["--help", "--max-rate", "--version", "-h", "-V", "systemctl"][..]),
        (["-h"], &["--help", "--version"]),
        (["--version"], &["foo 1.3.0", "libsystemd"]),
        (["-V"], &["foo 1.3.0", "libsystemd"]),
    ] {
        let output = run(&args);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}");
        assert_words(args[0], &shown, words);
    }
    for (rate, bytes) in [("5", 5), ("5B", 5), ("5K", 5 << 10), ("5M", 5 << 20), ("5G", 5 << 30)] {
        let parsed = ::foo::daemon::cli::parse(["foo", "--max-rate", rate].map(Into::into));
        let ::foo::cli::Parsed::Run(options) = parsed else {
            panic!("{rate} is refused");
        };
        assert_eq!(options.max_rate, Some(bytes), "{rate}");
    }
    for args in [
        &["--frobnicate"][..],
        &["-x"],
        &["argument"],
        &["--help=x"],
        &["--", "x"],
        &["--fields=x"],
        &["--max-rate"],
        &["--max-rate=1M", "again"],
        &["--max-rate", "0"],
        &["--max-rate", "-1"],
        &["--max-rate", "1T"],
        &["--max-rate", "1.5K"],
        &["--max-rate", "18446744073709551615K"],
    ] {
        let end = args.iter().fold(Daemon::listening(), |setup, arg| setup.arg(arg)).start().end();
        assert_eq!(end.code, 2, "{args:?}");
        assert!(!end.notified("READY=1"), "{args:?}");
        let shown = end.log.join("\n");
        assert!(shown.contains(args[args.len() - 1].trim_end_matches("=x")), "{args:?}: {shown}");
        // Who reads of a wrong value in the journal has not typed the option.
        let option = if args[0] == "--max-rate" { args[0] } else { "" };
        assert!(shown.contains(option), "{args:?}: {shown}");
    }
}

#[test]
fn limits_that_are_too_low() {
    // The socket is descriptor 3, and the log takes 4.
    for (limit, word) in [
        ("--nofile=5", "Unable to receive signals: Too many open files"),
        ("--data=2000000", "Unable to reserve memory: out of memory"),
        ("--data=1000000", "Unable to open the log: out of memory"),
    ] {
        let end = Daemon::listening().under(["prlimit", limit]).start().end();
        end.assert_refused(limit, &[word]);
    }
}

/// The reason can't be logged, but the exit status shows the failure.
#[test]
fn limits_that_are_too_low_and_a_full_log() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let end = Daemon::listening().under(["prlimit", "--data=1000000"]).log_to(full).start().end();
    assert_eq!(end.code, 255);
    assert!(end.notified("STOPPING=1"));
}

/// Each further library would make the start slower. Those of libsystemd are loaded with it.
#[test]
fn only_libsystemd_and_libc_are_loaded() {
    for program in [env!("CARGO_BIN_EXE_foo"), env!("CARGO_BIN_EXE_foocl")] {
        let output =
            Command::new("readelf").args(["--wide", "--dynamic", program]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let needed = text.lines().filter(|line| line.contains("(NEEDED)"));
        let names = needed
            .filter_map(|line| line.split(['[', ']']).nth(1))
            .filter(|name| !name.starts_with("ld-"));
        let names: BTreeSet<_> = names.collect();
        assert!(
            names.is_subset(&BTreeSet::from(["libsystemd.so.0", "libc.so.6"])),
            "{program}: {names:?}"
        );
        assert!(names.contains("libc.so.6"), "{program}: {text}");
    }
}

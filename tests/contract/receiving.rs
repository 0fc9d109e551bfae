//! Receiving: one datagram is one record, for any content and any sender.

use crate::common::daemon::Daemon;
use crate::common::setup::Setup;
use crate::common::shown::line;
use crate::common::{TempDir, assert_line, foocl, have, patient, skip, sys};
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimestamp};
use nix::unistd::getuid;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The longest part of a datagram that the daemon keeps.
const HELD: usize = 262_144;

/// Sends each payload to one daemon, which must show it as the table says.
#[track_caller]
fn assert_shown(cases: &[(&[u8], &str)]) {
    let daemon = Daemon::listening().ready();
    for (payload, shown) in cases {
        daemon.assert_logs(&payload.escape_ascii().to_string(), payload, shown);
    }
}

/// tests/record.rs has all cases of the text. This shows that they are the daemon's, too.
#[test]
fn a_datagram() {
    assert_shown(&[
        (b"hello", "hello"),
        (b"", ""),
        (b"<0>no priority", "<0>no priority"),
        ("tab\t, Zo\u{eb}, \u{1f980}".as_bytes(), "tab\t, Zo\u{eb}, \u{1f980}"),
        (b"one newline\n", "one newline"),
        (b"one NUL\0", "one NUL"),
        (b"two\n\n", r"two\x0a"),
        (b"x\n<0>kernel: panic", r"x\x0a<0>kernel: panic"),
        (b"hello\0world", r"hello\x00world"),
        (b"\x1b[2J \xff", r"\x1b[2J \xff"),
    ]);
}

#[test]
fn longer_than_1024() {
    // A line on a pipe has no limit, unlike one on the journal's stream.
    let daemon = Daemon::listening().env("JOURNAL_STREAM", "1:1").ready();
    for size in [1023, 1024, 1025, 2048, 49_152, 60_000, 65_536, 200_000, 212_960, 3] {
        let text = letters(size);
        daemon.assert_logs(&format!("{size} bytes"), &text, &text);
    }
    let escaped = "\n".repeat(60_000);
    let shown = r"\x0a".repeat(59_999);
    daemon.assert_logs("60,000 newlines", &escaped, &shown);
}

/// A text in which a missing or moved piece shows.
fn letters(size: usize) -> String {
    let numbers = (0_usize..).map(|number| format!("{number} "));
    numbers.flat_map(String::into_bytes).map(char::from).take(size).collect()
}

#[test]
fn truncated() {
    let daemon = Daemon::listening().ready();
    let path = daemon.dir.join("big");
    let client = patient(UnixDatagram::bind(&path).unwrap());
    sys::set_send_buffer(&client, 212_992).unwrap();
    for size in [HELD, HELD + 1, 300_000] {
        let text = letters(size);
        if client.send_to(text.as_bytes(), daemon.socket()).is_err() {
            skip("receiving::truncated", "needs net.core.wmem_max >= 212992");
            return;
        }
        let want = line(None, path.to_str().unwrap(), size - HELD, &text.as_bytes()[..HELD]);
        assert_line(&format!("{size} bytes"), &daemon.line(), &format!("<5>{want}"));
    }
    daemon.assert_logs("the next", "hello", "hello");
}

/// The kinds of senders alternate, so that a name left over from the previous datagram shows.
#[test]
fn sender() {
    let daemon = Daemon::listening().ready();
    let names = TempDir::new();
    let path = |name: &[u8]| names.path().join(OsStr::from_bytes(name));
    let in_dir = |shown: &str| format!("{}/{shown}", names.path().display());
    let unique = names.path().to_str().unwrap().replace('/', "");
    let abstracts = |name: &[u8]| {
        let name = [unique.as_bytes(), name].concat();
        UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap()
    };
    let bind = |path: PathBuf| UnixDatagram::bind(path).unwrap();
    let nobody = || UnixDatagram::unbound().unwrap();
    let cases = [
        ("a path", bind(path(b"plain")), in_dir("plain")),
        ("not bound, after a path", nobody(), "(unnamed)".into()),
        ("an abstract name", abstracts(b"name"), format!("@{unique}name")),
        ("not bound, after an abstract name", nobody(), "(unnamed)".into()),
        ("a shorter abstract name", abstracts(b""), format!("@{unique}")),
        ("NUL in an abstract name", abstracts(b"\0a\0"), format!(r"@{unique}\x00a\x00")),
        ("binary in an abstract name", abstracts(b"\n\xff"), format!(r"@{unique}\x0a\xff")),
        ("blanks and UTF-8", bind(path("a b\té".as_bytes())), in_dir("a b\té")),
        ("control characters", bind(path(b"a\n<0>b\x1b")), in_dir(r"a\x0a<0>b\x1b")),
        ("not UTF-8", bind(path(b"\xe9")), in_dir(r"\xe9")),
    ];
    for (case, sender, name) in cases {
        patient(sender).send_to(b"hello", daemon.socket()).unwrap();
        let want = line(None, &name, 0, b"hello");
        assert_line(case, &daemon.line(), &format!("<5>{want}"));
    }
}

/// With `SO_PASSCRED` a socket gets the sender's credentials from the kernel, also for datagrams
/// queued before the start. A second socket without it gets none. Attached descriptors are closed.
#[test]
fn credentials() {
    let dir = TempDir::new();
    let (with, without) = (dir.socket("with"), dir.socket("without"));
    sys::ask_for_credentials(&with).unwrap();
    setsockopt(&with, ReceiveTimestamp, &true).unwrap();
    let [to_with, to_without] = ["with", "without"].map(|name| dir.join(name));
    let sender = patient(UnixDatagram::unbound().unwrap());
    sender.send_to(b"early", &to_with).unwrap();
    let daemon = Setup::new(vec![with.into(), without.into()], dir).ready();
    let assert_next = |case: &str, credentials, name: &str, text: &str| {
        let want = line(credentials, name, 0, text.as_bytes());
        assert_line(case, &daemon.line(), &format!("<5>{want}"));
    };
    let of = |pid| Some((pid, getuid().as_raw()));
    let own = of(std::process::id());
    assert_next("queued before the start", own, "(unnamed)", "early");
    let before = daemon.descriptors();
    for (to, credentials) in [(&to_with, own), (&to_without, None)].repeat(3) {
        let sender = patient(UnixDatagram::unbound().unwrap());
        sender.connect(to).unwrap();
        for (attached, with_credentials) in
            [(0, false), (0, true), (1, false), (5, true), (253, true)]
        {
            let fds: Vec<_> =
                (0..attached).map(|_| File::open("/dev/null").unwrap().into()).collect();
            sys::send_with(&sender, b"hello", &fds, with_credentials).unwrap();
            assert_next(&format!("{attached} attached"), credentials, "(unnamed)", "hello");
        }
        assert_eq!(daemon.descriptors(), before, "attached descriptors are still open");
    }
    // From another process: the credentials are the kernel's, not those in the sender's name.
    let dir = TempDir::new();
    let mut client = Command::new(foocl())
        .arg("--socket")
        .arg(&to_with)
        .arg("hi")
        .env("XDG_RUNTIME_DIR", dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    client.wait().unwrap();
    let name = dir.join(&format!("foocl.{}.0.socket", client.id()));
    assert_next("foocl", of(client.id()), name.to_str().unwrap(), "hi");
}

#[test]
fn sender_with_a_path_of_108_bytes() {
    let daemon = Daemon::listening().ready();
    for size in [107, 108] {
        let fill = size - daemon.dir.path().as_os_str().len() - 1;
        let path = daemon.dir.join(&"x".repeat(fill));
        let sender = patient(sys::bind_long(&path).unwrap());
        sender.send_to(b"hello", daemon.socket()).unwrap();
        let want = line(None, path.to_str().unwrap(), 0, b"hello");
        assert_line(&format!("{size} bytes"), &daemon.line(), &format!("<5>{want}"));
    }
}

/// It is reported once, and so is its end. Nothing is lost.
#[test]
fn a_transient_error_of_the_socket() {
    if !have("strace", "strace", "receiving::a_transient_error_of_the_socket") {
        return;
    }
    let fault = "recvmmsg:error=ENOMEM:when=1..3";
    let (setup, trace) = Daemon::listening().trace("ppoll,recvmmsg", &[fault]);
    let daemon = setup.ready();
    let start = Instant::now();
    daemon.send("hello");
    let error = daemon.line();
    assert!(
        error.starts_with("<3>Unable to receive from foo.socket, trying again: Cannot allocate"),
        "{error}"
    );
    assert_eq!(daemon.line(), "<5>Receiving from foo.socket again");
    assert!(start.elapsed() >= Duration::from_millis(300), "too early");
    assert_line("after the error", &daemon.line(), &daemon.received(5, "hello"));
    while daemon.notified().value("STATUS") != Some("Received 1 message, 5 bytes") {}
    daemon.assert_rests("after the error");
    // Between the tries it sleeps.
    let calls = fs::read_to_string(trace).unwrap().lines().count();
    assert!(calls < 40, "{calls} calls");
}

#[test]
fn a_permanent_error_of_the_socket() {
    for how in [Shutdown::Read, Shutdown::Both] {
        let dir = TempDir::new();
        let socket = dir.socket("socket");
        let daemon = Daemon::with([socket.try_clone().unwrap()]).ready();
        socket.shutdown(how).unwrap();
        let end = daemon.end();
        assert_eq!(end.code, 255, "{how:?}");
        assert_eq!(end.errors().len(), 1, "{how:?}: {:?}", end.log);
        assert!(end.notified("STOPPING=1"), "{how:?}");
    }
}

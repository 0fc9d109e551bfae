//! The contract of the client.

#[path = "../common/mod.rs"]
mod common;

mod attacks;

use common::client::Place;
use common::{assert_words, close, eventually, fill, patient, persist, skip, sys};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use proptest::prelude::*;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_message() {
    let cases: [(&[&[u8]], &[u8]); 8] = [
        (&[b"hello"], b"hello"),
        (&[b""], b""),
        (&[b"two words"], b"two words"),
        (&[b"two\nlines\n"], b"two\nlines\n"),
        (&[b"caf\xe9 \xff"], b"caf\xe9 \xff"),
        (&["Zoë 🦀".as_bytes()], "Zoë 🦀".as_bytes()),
        (&[b"--", b"-x"], b"-x"),
        (&[b"--timeout", b"5", b"hello"], b"hello"),
    ];
    let place = Place::new();
    for (args, message) in cases {
        let case = message.escape_ascii().to_string();
        let end = place.run(place.foocl(args.iter().map(|arg| OsStr::from_bytes(arg))));
        end.assert_ok(&case);
        assert_eq!(end.out, [b"sending ", message, b"\n"].concat(), "{case}");
        assert_eq!(place.received().0, message, "{case}");
    }
}

#[test]
fn standard_input() {
    let cases: [(&[u8], &[&[u8]]); 6] = [
        (b"one\ntwo\n", &[b"one", b"two"]),
        (b"one\nno newline", &[b"one", b"no newline"]),
        (b"\n\nx\n\n", &[b"", b"", b"x", b""]),
        (b"a\0b\n\xff\xe9\r\n", &[b"a\0b", b"\xff\xe9\r"]),
        (b"-\n--help\n", &[b"-", b"--help"]),
        (b"", &[]),
    ];
    let place = Place::new();
    for (input, messages) in cases {
        let case = input.escape_ascii().to_string();
        // The queue may hold fewer messages.
        let child = place.reading(input).spawn().unwrap();
        for message in messages {
            assert_eq!(place.received().0, *message, "{case}");
        }
        let end = place.end(child);
        end.assert_ok(&case);
        let said = messages.iter().flat_map(|message| [b"sending ", *message, b"\n"].concat());
        assert_eq!(end.out, said.collect::<Vec<_>>(), "{case}");
    }
}

/// `tail -f log | foocl -` needs this.
#[test]
fn a_line_is_sent_before_the_next_is_there() {
    let place = Place::new();
    let mut child = place.foocl(["-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in ["first\n", "second\n"] {
        input.write_all(line.as_bytes()).unwrap();
        assert_eq!(place.received().0, line.trim().as_bytes());
    }
    drop(input);
    place.end(child).assert_ok("two lines");
}

#[test]
fn its_socket_has_a_name_and_is_not_left_behind() {
    let place = Place::new();
    let run = place.dir.join("run");
    let missing = place.dir.join("missing");
    let (empty, relative, usual) = (PathBuf::new(), PathBuf::from("."), PathBuf::from("/tmp"));
    let cases = [
        ("XDG_RUNTIME_DIR", Some(&run), None, &run),
        ("TMPDIR", None, Some(&run), &run),
        ("no XDG_RUNTIME_DIR there", Some(&missing), Some(&run), &run),
        ("neither", None, None, &usual),
        ("an empty TMPDIR", None, Some(&empty), &usual),
        ("a relative XDG_RUNTIME_DIR", Some(&relative), Some(&run), &run),
    ];
    // Where root has no number, as in a user namespace of an ordinary user, foocl does not use /tmp.
    let owner = fs::metadata(&usual).unwrap().uid();
    let is_known = owner == 0 || owner == geteuid().as_raw();
    if !is_known {
        skip("client::its_socket_has_a_name: in /tmp", "it has an unknown owner");
    }
    for (case, runtime, tmp, parent) in cases.into_iter().filter(|row| is_known || row.3 != &usual)
    {
        let mut command = place.foocl(["hello"]);
        command.env_clear();
        command.envs(runtime.map(|dir| ("XDG_RUNTIME_DIR", dir)));
        command.envs(tmp.map(|dir| ("TMPDIR", dir)));
        place.run(command).assert_ok(case);
        let sender = place.received().1.expect(case);
        assert_eq!(sender.parent(), Some(parent.as_path()), "{case}");
        assert!(sender.symlink_metadata().is_err(), "{case}: {} is left", sender.display());
        assert!(place.left().is_empty(), "{case}: {:?}", place.left());
    }
}

#[test]
fn killed_while_it_waits_leaves_no_socket() {
    let place = Place::new();
    place.fill();
    let mut child = place.foocl(["--timeout", "60", "hello"]).spawn().unwrap();
    place.waits(&child);
    child.kill().unwrap();
    assert_eq!(place.end(child).code, None);
    assert!(place.left().is_empty(), "{:?}", place.left());
}

#[test]
fn the_daemon_dies_while_it_waits() {
    let place = Place::new();
    let dying = place.dir.socket("dying");
    let socket = place.dir.join("dying");
    fill(&socket, b"");
    let child = place
        .bare(["--timeout", "60", "--socket", socket.to_str().unwrap(), "hello"])
        .spawn()
        .unwrap();
    place.waits(&child);
    drop(dying);
    place.end(child).assert_error(
        "dead",
        1,
        &[socket.to_str().unwrap(), "systemctl restart foo.socket foo.service"],
    );
}

/// `systemctl restart foo.socket` makes another socket at the same path.
#[test]
fn the_socket_is_replaced_between_two_lines() {
    let place = Place::new();
    let path = place.dir.join("replaced");
    let mut child = place
        .bare(["--socket", path.to_str().unwrap(), "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in ["first\n", "second\n"] {
        let receiver = patient(place.dir.socket("replaced"));
        input.write_all(line.as_bytes()).unwrap();
        let mut received = [0; 16];
        let length = persist(|| receiver.recv(&mut received)).unwrap();
        assert_eq!(&received[..length], line.trim().as_bytes());
        close(receiver);
        fs::remove_file(&path).unwrap();
    }
    drop(input);
    place.end(child).assert_ok("replaced");
}

#[test]
fn nothing_listens() {
    let place = Place::new();
    let path = |name: &str| place.dir.join(name).to_str().unwrap().to_owned();
    close(place.dir.socket("dead"));
    fs::write(path("file"), "").unwrap();
    let _listener = UnixListener::bind(path("stream")).unwrap();
    let long = path(&"x".repeat(200));
    let longest = path(&"x".repeat(107 - path("").len()));
    let _forbidden = place.dir.socket("forbidden");
    fs::set_permissions(path("forbidden"), Permissions::from_mode(0o0)).unwrap();
    // Root may send there.
    if !geteuid().is_root() {
        let end = place.run(place.bare(["--socket", &path("forbidden"), "hello"]));
        end.assert_error("forbidden", 1, &[&path("forbidden"), "SocketGroup="]);
    }
    let cases = [
        ("missing", path("missing"), "systemctl restart foo.socket foo.service"),
        ("missing, of 107 bytes", longest, "systemctl restart foo.socket foo.service"),
        ("nobody behind it", path("dead"), "systemctl restart foo.socket foo.service"),
        ("a file", path("file"), "listens"),
        ("a directory", path("run"), "listens"),
        ("a stream socket", path("stream"), "datagram"),
        ("a path of over 107 bytes", long, "107"),
    ];
    for (case, socket, remedy) in cases {
        let end = place.run(place.bare(["--socket", &socket, "hello"]));
        end.assert_error(case, 1, &[&socket, remedy]);
        assert!(place.left().is_empty(), "{case}: {:?}", place.left());
    }
}

#[test]
fn the_socket_of_the_unit_is_the_default() {
    let socket = "/run/foo.socket";
    let place = Place::new();
    let end = match fs::symlink_metadata(socket) {
        // An installed foo gets no messages from tests.
        Ok(_) => {
            return skip("client::the_socket_of_the_unit_is_the_default", "foo is installed");
        }
        Err(_) => place.run(place.bare(["hello"])),
    };
    end.assert_error("default", 1, &["run/foo.socket"]);
}

#[test]
fn too_long() {
    let limit = fs::read_to_string("/proc/sys/net/core/wmem_default").unwrap();
    // The kernel reserves 32 bytes of the buffer.
    let limit = limit.trim().parse::<usize>().unwrap() - 32;
    let place = Place::new();
    let longest = vec![b'x'; limit];
    place.run(place.reading(&longest)).assert_ok("as long as can be");
    assert!(place.received().0 == longest);
    let end = place.run(place.reading(&vec![b'x'; limit + 1]));
    end.assert_error("a byte too long", 1, &[&(limit + 1).to_string(), &limit.to_string()]);
}

#[test]
fn queue_full() {
    let place = Place::new();
    let filled = place.fill();
    let start = Instant::now();
    let end = place.run(place.foocl(["--timeout", "0.2", "hello"]));
    assert!(start.elapsed() >= Duration::from_millis(200), "after {:?}", start.elapsed());
    let socket = place.dir.join("foo.socket");
    end.assert_error("nobody reads", 1, &[socket.to_str().unwrap(), "0.2", "--timeout"]);
    for timeout in ["60", "infinity"] {
        let child = place.foocl(["--timeout", timeout, "hello"]).spawn().unwrap();
        place.waits(&child);
        // Even to be stopped and continued interrupts a call that times out.
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        for (signal, state) in [(Signal::SIGSTOP, 'T'), (Signal::SIGCONT, 'S')] {
            kill(pid, signal).unwrap();
            eventually("the signal is taken", || {
                (common::state(child.id()) == state).then_some(())
            });
        }
        (0..filled).for_each(|_| assert_eq!(place.received().0, b""));
        assert_eq!(place.received().0, b"hello");
        place.end(child).assert_ok(timeout);
        assert_eq!(place.fill(), filled);
    }
}

#[test]
fn standard_output_is_full() {
    let place = Place::new();
    let mut command = place.foocl(["hello"]);
    command.stdout(File::options().write(true).open("/dev/full").unwrap());
    place.run(command).assert_error(
        "full",
        1,
        &["standard output", "space", "everything was sent"],
    );
    assert_eq!(place.received().0, b"hello");
}

/// Another program may have set O_NONBLOCK for the terminal or the pipe that foocl shares with it.
#[test]
fn non_blocking_input_and_output() {
    let place = Place::new();
    let (input, mut writer) = UnixStream::pair().unwrap();
    let (output, mut reader) = UnixStream::pair().unwrap();
    input.set_nonblocking(true).unwrap();
    output.set_nonblocking(true).unwrap();
    // Its buffer takes less than the lines.
    sys::set_send_buffer(&output, 1).unwrap();
    let mut command = place.foocl(["-"]);
    command.stdin(OwnedFd::from(input)).stdout(OwnedFd::from(output));
    let child = command.spawn().unwrap();
    // foocl has the only copies now.
    drop(command);
    let long = "x".repeat(40_000);
    for line in [&long, "two"] {
        eventually("foocl waits", || (common::state(child.id()) == 'S').then_some(()));
        writeln!(writer, "{line}").unwrap();
        let mut said = vec![0; "sending \n".len() + line.len()];
        reader.read_exact(&mut said).unwrap();
        assert!(said == format!("sending {line}\n").as_bytes(), "{:?}", &said[..20]);
        assert!(place.received().0 == line.as_bytes());
    }
    drop(writer);
    place.end(child).assert_ok("both");
}

/// A line without an end does not fill the memory.
#[test]
fn an_endless_line() {
    let place = Place::new();
    let mut command = place.foocl(["-q", "-"]);
    command.stdin(File::open("/dev/zero").unwrap());
    place.run(command).assert_error("endless", 1, &["line 1", "too long"]);
}

#[test]
fn quiet() {
    let place = Place::new();
    for option in ["-q", "--quiet"] {
        let end = place.run(place.foocl([option, "hello"]));
        end.assert_ok(option);
        assert!(end.out.is_empty(), "{option}");
        assert_eq!(place.received().0, b"hello", "{option}");
    }
}

#[test]
fn to_an_abstract_name() {
    let place = Place::new();
    let name = place.dir.path().to_str().unwrap();
    let address = SocketAddr::from_abstract_name(name).unwrap();
    let receiver = patient(UnixDatagram::bind_addr(&address).unwrap());
    place.run(place.bare(["-s", &format!("@{name}"), "hello"])).assert_ok("abstract");
    let mut buffer = [0; 16];
    assert_eq!(persist(|| receiver.recv(&mut buffer)).unwrap(), 5);
    close(receiver);
    place.run(place.bare(["-s", &format!("@{name}"), "hello"])).assert_error(
        "nobody",
        1,
        &["nothing listens"],
    );
}

/// As under `ProtectSystem=strict`. The message is sent without a name.
#[test]
fn no_directory_to_bind_a_socket_in() {
    let place = Place::new();
    for directory in ["/proc/self", "/nonexistent"] {
        let mut command = place.foocl(["hello"]);
        command.env_remove("XDG_RUNTIME_DIR").env("TMPDIR", directory);
        let end = place.run(command);
        assert_eq!(end.code, Some(0), "{}", end.err);
        let begin =
            format!("foocl: sending without a name: unable to make a socket in {directory}: ");
        assert!(end.err.starts_with(&begin), "{}", end.err);
        assert!(!end.err.contains("in use"), "{}", end.err);
        assert_eq!(place.received(), (b"hello".to_vec(), None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_bytes_are_lines(input in any_input()) {
        let place = Place::new();
        // The input may have more lines than the queue holds.
        let child = place.reading(&input).spawn().unwrap();
        let input = input.strip_suffix(b"\n").unwrap_or(&input);
        let lines: Vec<_> = input.split(|&byte| byte == b'\n').collect();
        let received: Vec<_> = lines.iter().map(|_| place.received().0).collect();
        place.end(child).assert_ok("any bytes");
        prop_assert_eq!(received, lines);
    }
}

/// Bytes with frequent newlines.
fn any_input() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![1 => Just(b'\n'), 8 => any::<u8>()], 1..1000)
}

#[test]
fn usage() {
    let place = Place::new();
    let wrong: [&[&str]; 10] = [
        &[],
        &["one", "two"],
        &["-", "one"],
        &["--frobnicate", "hello"],
        &["-x", "hello"],
        &["--timeout", "x", "hello"],
        &["--timeout", "-1", "hello"],
        &["--timeout", "nan", "hello"],
        &["hello", "--timeout"],
        &["hello", "--socket"],
    ];
    for (args, words) in [
        (&["one", "two"][..], "quotes"),
        (&[], "'-'"),
        (&["-p", "err", "hello"], "priority"),
        (&["-t", "tag", "hello"], "tag"),
    ] {
        place.run(place.foocl(args)).assert_error(&format!("{args:?}"), 2, &[words]);
    }
    for args in wrong {
        let end = place.run(place.foocl(args));
        end.assert_error(&format!("{args:?}"), 2, &["--help"]);
        assert!(end.out.is_empty(), "{args:?}");
    }
    for (args, words) in [
        (["--help"], &["--socket", "--timeout", "--help", "--version", "-"][..]),
        (["-h"], &["--socket", "--timeout"]),
        (["--version"], &["foocl 1.3.0"]),
        (["-V"], &["foocl 1.3.0"]),
    ] {
        let end = place.run(place.bare(args));
        end.assert_ok(args[0]);
        let shown = String::from_utf8(end.out).unwrap();
        assert_words(args[0], &shown, words);
    }
    place.receiver.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    assert!(place.receiver.recv(&mut [0]).is_err(), "something was sent");
}

//! The contract of the client, one test a row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

mod common;

use common::client::Place;
use common::{foocl, skip};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixListener;
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
        let end = place.run(place.reading(input));
        end.assert_ok(&case);
        let said = messages.iter().flat_map(|message| [b"sending ", *message, b"\n"].concat());
        assert_eq!(end.out, said.collect::<Vec<_>>(), "{case}");
        for message in messages {
            assert_eq!(place.received().0, *message, "{case}");
        }
    }
}

#[test]
fn a_thousand_lines_in_order() {
    let place = Place::new();
    let input: String = (0..1000).map(|i| format!("line {i}\n")).collect();
    let child = place.reading(input.as_bytes()).spawn().unwrap();
    for i in 0..1000 {
        assert_eq!(place.received().0, format!("line {i}").as_bytes());
    }
    place.end(child).assert_ok("1000 lines");
}

/// As `tail -f log | foocl -` needs it.
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
    let cases = [
        ("XDG_RUNTIME_DIR", Some(&run), None, &run),
        ("TMPDIR", None, Some(&run), &run),
        ("no XDG_RUNTIME_DIR there", Some(&missing), Some(&run), &run),
        ("neither", None, None, &PathBuf::from("/tmp")),
    ];
    for (case, runtime, tmp, parent) in cases {
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
fn killed_while_it_waits_it_leaves_nothing() {
    let place = Place::new();
    place.fill();
    let mut child = place.foocl(["--timeout", "60", "hello"]).spawn().unwrap();
    place.waits(&child);
    child.kill().unwrap();
    assert_eq!(place.end(child).code, None);
    assert!(place.left().is_empty(), "{:?}", place.left());
}

/// Whoever guesses the name of foocl's socket can put something there first.
#[test]
fn what_is_in_its_way_is_neither_removed_nor_followed() {
    let place = Place::new();
    let pid = {
        let child = place.foocl(["hello"]).spawn().unwrap();
        let pid = child.id().to_string();
        place.end(child).assert_ok("nothing in the way");
        pid
    };
    // The shell becomes foocl, so `$$` is the pid in its name.
    let name = place.received().1.unwrap().to_str().unwrap().replace(&pid, "$$");
    let file = format!("echo precious >{name}");
    let link = format!("ln -s {name}.target {name}");
    let cases: [(&str, &str, &[&str]); 4] = [
        ("a file", &file, &["precious\n"]),
        ("a link to a file", &format!("echo precious >{name}.target; {link}"), &["link", "precious\n"]),
        ("a link to nothing", &link, &["link"]),
        ("a directory", &format!("mkdir {name}"), &["directory"]),
    ];
    for (case, obstacle, stays) in cases {
        let script = format!("{obstacle}; exec \"$0\" --socket \"$1\" hello");
        let mut shell = place.program("/bin/sh");
        shell.arg("-c").arg(script).arg(foocl()).arg(place.dir.join("foo.socket"));
        shell.env("PATH", "/usr/bin:/bin");
        place.run(shell).assert_ok(case);
        assert_eq!(place.received().0, b"hello", "{case}");
        let left = place.left();
        assert_eq!(left.iter().map(describe).collect::<Vec<_>>(), stays, "{case}");
        left.iter().for_each(|path| fs::remove_file(path).or_else(|_| fs::remove_dir(path)).unwrap());
    }
}

/// What a path names; the text of a file.
fn describe(path: &PathBuf) -> String {
    match path.symlink_metadata().unwrap().file_type() {
        kind if kind.is_symlink() => "link".into(),
        kind if kind.is_dir() => "directory".into(),
        _ => fs::read_to_string(path).unwrap(),
    }
}

#[test]
fn nothing_listens() {
    let place = Place::new();
    let path = |name: &str| place.dir.join(name).to_str().unwrap().to_owned();
    drop(place.dir.socket("dead"));
    fs::write(path("file"), "").unwrap();
    let _listener = UnixListener::bind(path("stream")).unwrap();
    let long = path(&"x".repeat(200));
    let cases = [
        ("missing", path("missing"), "systemctl start foo"),
        ("nobody behind it", path("dead"), "systemctl start foo"),
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
        // A foo is installed here: it gets no messages from tests.
        Ok(_) => return skip("client::the_socket_of_the_unit_is_the_default", "foo is installed"),
        Err(_) => place.run(place.bare(["hello"])),
    };
    end.assert_error("default", 1, &["run/foo.socket"]);
}

#[test]
fn too_long() {
    let limit = fs::read_to_string("/proc/sys/net/core/wmem_default").unwrap();
    // The kernel keeps 32 bytes of the buffer for itself.
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
        (0..filled).for_each(|_| assert_eq!(place.received().0, b""));
        assert_eq!(place.received().0, b"hello");
        place.end(child).assert_ok(timeout);
        assert_eq!(place.fill(), filled);
    }
}

/// Between binding a name and removing it, others could swap what it names.
#[test]
fn a_directory_that_others_can_write() {
    let place = Place::new();
    for (mode, refused) in [(0o777, true), (0o770, true), (0o1777, false), (0o700, false)] {
        let case = format!("{mode:o}");
        let dir = place.dir.join(&case);
        DirBuilder::new().mode(0o700).create(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = place.foocl(["hello"]);
        command.env_remove("XDG_RUNTIME_DIR").env("TMPDIR", &dir);
        let end = place.run(command);
        if refused {
            end.assert_error(&case, 1, &[dir.to_str().unwrap(), "TMPDIR"]);
        } else {
            end.assert_ok(&case);
            assert_eq!(place.received().0, b"hello", "{case}");
        }
    }
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
        for word in words {
            assert!(shown.contains(word), "{args:?}: no {word} in {shown}");
        }
    }
    place.receiver.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    assert!(place.receiver.recv(&mut [0]).is_err(), "something was sent");
}

//! The example of a reader, on a journal that is written meanwhile.

mod common;
#[path = "../libsystemd-safe/tests/wrapper/written.rs"]
#[allow(dead_code, reason = "the tests of the wrapper use all of it")]
mod written;

use common::{DEADLINE, TempDir, example};
use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

/// A journal that a test writes, and the example that reads it.
struct Reading {
    root: TempDir,
    output: UnixStream,
    example: Child,
}

const FILE: &str = "var/log/journal/00000000000000000000000000000001/system.journal";

impl Reading {
    /// Starts the example on a journal of these entries.
    fn start(entries: &[Vec<u8>], arguments: &[&str]) -> Self {
        let root = TempDir::new();
        fs::create_dir_all(root.join(FILE).parent().unwrap()).unwrap();
        written::write(&root.join(FILE), entries);
        let (output, stdout) = UnixStream::pair().unwrap();
        output.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut command = Command::new(example("read_journal"));
        command.args(arguments).arg(root.path()).stdout(OwnedFd::from(stdout));
        let example = command.spawn().unwrap();
        Self { root, output, example }
    }

    /// Appends an entry.
    fn write(&self, entry: Vec<u8>) {
        written::write(&self.root.join(FILE), &[entry]);
    }

    /// Waits until the example prints, and checks what it prints next.
    #[track_caller]
    fn assert_prints(&mut self, want: &[u8]) {
        let mut printed = vec![0; want.len()];
        self.output.read_exact(&mut printed).expect("as many bytes");
        assert_eq!(printed.escape_ascii().to_string(), want.escape_ascii().to_string());
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let _ = self.example.kill();
        let _ = self.example.wait();
    }
}

/// An entry of a unit's process, with these fields.
fn of(number: u64, unit: &str, fields: &[(&str, &[u8])]) -> Vec<u8> {
    written::entry(number, &[fields, &[("_SYSTEMD_UNIT", unit.as_bytes())]].concat())
}

#[test]
fn the_messages_of_a_unit() {
    if !written::can_write("the_messages_of_a_unit") {
        return;
    }
    let of_manager = |number, message, pid| {
        written::entry(number, &[("MESSAGE", message), ("UNIT", "a.service"), ("_PID", pid)])
    };
    let message =
        |number, unit, message: &str| of(number, unit, &[("MESSAGE", message.as_bytes())]);
    let entries = [
        of_manager(0, "Starting", "1"),
        message(1, "a.service", "one"),
        message(2, "b.service", "another unit's"),
        of_manager(3, "forged", "2"),
    ];
    let mut reading = Reading::start(&entries, &["a.service"]);
    reading.assert_prints(b"Starting\none\n");
    // It may still read, or wait already.
    for (number, text) in [(4, "two"), (5, "three")] {
        reading.write(message(number, "a.service", text));
        reading.assert_prints(format!("{text}\n").as_bytes());
    }
}

#[test]
fn the_exact_bytes_of_two_senders() {
    if !written::can_write("the_exact_bytes_of_two_senders") {
        return;
    }
    let sent = |number, unit, uid: &str, payload: &[u8]| {
        let message = [b"Received: ", payload.escape_ascii().to_string().as_bytes()].concat();
        of(
            number,
            unit,
            &[("MESSAGE", &message), ("FOO_SENDER_UID", uid.as_bytes()), ("FOO_PAYLOAD", payload)],
        )
    };
    let entries = [
        of(0, "foo.service", &[("MESSAGE", b"foo service started")]),
        sent(1, "foo.service", "1000", b"two\nlines"),
        sent(2, "foo.service", "1002", b"another sender's"),
        sent(3, "bar.service", "1000", b"another daemon's"),
        sent(4, "foo.service", "1001", b"\0\xff\n"),
    ];
    let senders = ["foo.service", "FOO_SENDER_UID=1000", "FOO_SENDER_UID=1001"];
    let mut reading = Reading::start(&entries, &senders);
    reading.assert_prints(b"two\nlines\n\0\xff\n\n");
    reading.write(sent(5, "foo.service", "1002", b"another sender's"));
    reading.write(sent(6, "foo.service", "1000", b"later"));
    reading.assert_prints(b"later\n");
}

//! The example of a reader, on a journal that is written meanwhile.

mod common;
#[path = "../libsystemd-safe/tests/wrapper/written.rs"]
#[allow(dead_code, reason = "the tests of the wrapper use all of it")]
mod written;

use common::{DEADLINE, TempDir, example};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;

#[test]
fn the_messages_of_a_unit() {
    if !written::can_write("the_messages_of_a_unit") {
        return;
    }
    let root = TempDir::new();
    let directory = root.join("var/log/journal/00000000000000000000000000000001");
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("system.journal");
    let of = |number, message, fields: &[(&str, &str)]| {
        written::entry(number, &[&[("MESSAGE", message)], fields].concat())
    };
    let unit = ("_SYSTEMD_UNIT", "a.service");
    let entries = [
        of(0, "Starting", &[("UNIT", "a.service"), ("_PID", "1")]),
        of(1, "one", &[unit]),
        of(2, "another unit's", &[("_SYSTEMD_UNIT", "b.service")]),
        of(3, "forged", &[("UNIT", "a.service"), ("_PID", "2")]),
    ];
    written::write(&file, &entries);

    let (output, stdout) = UnixStream::pair().unwrap();
    output.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut example = Command::new(example("read_journal"));
    let mut reader =
        example.arg("a.service").arg(root.path()).stdout(OwnedFd::from(stdout)).spawn().unwrap();
    drop(example);
    let mut lines = BufReader::new(output).lines();
    for message in ["Starting", "one"] {
        assert_eq!(lines.next().unwrap().unwrap(), message);
    }
    // It may still read, or wait already.
    for (number, message) in [(4, "two"), (5, "three")] {
        written::write(&file, &[of(number, message, &[unit])]);
        assert_eq!(lines.next().unwrap().unwrap(), message);
    }
    reader.kill().unwrap();
    reader.wait().unwrap();
}

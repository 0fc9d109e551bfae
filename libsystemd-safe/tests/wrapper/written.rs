//! Journals that systemd-journal-remote(8) writes, so that the real libsystemd is on both sides.

use crate::common::{TempDir, have};
use libsystemd_safe::journal::{OpenFlags, Reader};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";

/// The boot of all entries.
pub const BOOT: &str = "0123456789abcdef0123456789abcdef";

/// Returns whether journals can be written here, and reports the test as skipped if not.
pub fn can_write(test: &str) -> bool {
    have(REMOTE, "systemd-journal-remote", test)
}

/// When the journal received an entry: a second after the one before.
pub fn realtime(number: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number)
}

pub fn monotonic(number: u64) -> Duration {
    Duration::from_secs(1000 + number)
}

/// An entry of this number in the Journal Export Format.
pub fn entry<V: AsRef<[u8]>>(number: u64, fields: &[(&str, V)]) -> Vec<u8> {
    let realtime = realtime(number).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    let monotonic = monotonic(number).as_micros();
    let mut text = format!(
        "__REALTIME_TIMESTAMP={realtime}\n__MONOTONIC_TIMESTAMP={monotonic}\n_BOOT_ID={BOOT}\n"
    )
    .into_bytes();
    for (name, value) in fields {
        let (name, value) = (name.as_bytes(), value.as_ref());
        // The form for any bytes can't be empty.
        text.extend(match (value.len() as u64).to_le_bytes() {
            [0, 0, 0, 0, 0, 0, 0, 0] => [name, b"=\n"].concat(),
            length => [name, b"\n", &length, value, b"\n"].concat(),
        });
    }
    text.push(b'\n');
    text
}

/// An entry that has only a message.
pub fn message(number: u64, message: &str) -> Vec<u8> {
    entry(number, &[("MESSAGE", message)])
}

/// Appends entries to a file, or creates it in a format that each supported libsystemd can read.
#[track_caller]
pub fn write(file: &Path, entries: &[Vec<u8>]) {
    write_as(("SYSTEMD_JOURNAL_COMPACT", "0"), file, entries);
}

/// The same in the format that a variable of the environment selects, if this systemd knows it.
#[track_caller]
pub fn write_as((name, value): (&str, &str), file: &Path, entries: &[Vec<u8>]) {
    let mut remote = Command::new(REMOTE);
    remote.arg("--output").arg(file).arg("-").env(name, value);
    remote.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut remote = remote.spawn().unwrap();
    // It reads everything before it reports an error.
    remote.stdin.take().unwrap().write_all(&entries.concat()).unwrap();
    let end = remote.wait_with_output().unwrap();
    assert!(end.status.success(), "{}", String::from_utf8_lossy(&end.stderr));
}

/// A directory with a journal of these entries.
pub fn directory(entries: &[Vec<u8>]) -> TempDir {
    let directory = TempDir::new();
    write(&directory.join("system.journal"), entries);
    directory
}

/// Messages 0 to 7, each with the bits of its number as fields A, B and C.
pub fn numbered() -> TempDir {
    let bit = |number: u64, bit: u64| ((number >> bit) & 1).to_string();
    let numbered = |number: u64| {
        entry(
            number,
            &[
                ("MESSAGE", number.to_string()),
                ("A", bit(number, 2)),
                ("B", bit(number, 1)),
                ("C", bit(number, 0)),
            ],
        )
    };
    directory(&(0..8).map(numbered).collect::<Vec<_>>())
}

/// Opens all files of a directory.
#[track_caller]
pub fn open(directory: &TempDir) -> Reader {
    Reader::open_directory(directory.path(), OpenFlags::default()).unwrap()
}

/// The current entry's field as text.
#[track_caller]
pub fn text(reader: &mut Reader) -> String {
    let value = reader.data(c"MESSAGE").unwrap().expect("a message");
    String::from_utf8_lossy(value).into_owned()
}

/// The messages of all entries from here on.
#[track_caller]
pub fn texts(reader: &mut Reader) -> Vec<String> {
    let mut texts = Vec::new();
    while reader.next().unwrap() {
        texts.push(text(reader));
    }
    texts
}

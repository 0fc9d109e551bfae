//! A reader of a journal that is written meanwhile.

use crate::common::{DEADLINE, TempDir};
use crate::role::{self, assert_errno};
use crate::written::{self, can_write, message, text, texts};
use libsystemd_safe::journal::{OpenFlags, Reader, Wakeup};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Waits until there is another entry. Returns its message, and what was reported before.
#[track_caller]
fn next_message(reader: &mut Reader) -> (String, Vec<Wakeup>) {
    let mut wakeups = Vec::new();
    while !reader.next().unwrap() {
        let wakeup = reader.wait(Some(DEADLINE)).unwrap();
        assert_ne!(wakeup, Wakeup::Nop, "no entry in {DEADLINE:?}");
        wakeups.push(wakeup);
    }
    (text(reader), wakeups)
}

pub fn each_change() {
    if !can_write("each_change") {
        return;
    }
    let directory = written::directory(&[message(0, "0")]);
    let (file, archived) = (directory.join("system.journal"), directory.join("system@0.journal"));
    let mut reader = written::open(&directory);
    assert_ne!(reader.wait(None).unwrap(), Wakeup::Nop, "the first call returns at once");
    assert_eq!(texts(&mut reader), ["0"]);
    assert_eq!(reader.wait(Some(Duration::from_millis(1))).unwrap(), Wakeup::Nop);

    written::write(&file, &[message(1, "1")]);
    assert_eq!(reader.wait(Some(DEADLINE)).unwrap(), Wakeup::Append);
    assert_eq!(texts(&mut reader), ["1"]);

    fs::rename(&file, &archived).unwrap();
    written::write(&file, &[message(2, "2")]);
    let (message, wakeups) = next_message(&mut reader);
    assert_eq!(message, "2");
    assert!(wakeups.contains(&Wakeup::Invalidate), "{wakeups:?}");

    // The same with poll(2).
    while reader.process().unwrap() != Wakeup::Nop {}
    assert!(!is_ready(&reader, PollTimeout::ZERO));
    fs::remove_file(&archived).unwrap();
    assert!(is_ready(&reader, PollTimeout::try_from(DEADLINE).unwrap()));
    assert_eq!(reader.process().unwrap(), Wakeup::Invalidate);
    assert_eq!(reader.process().unwrap(), Wakeup::Nop);
    reader.seek_head().unwrap();
    assert_eq!(texts(&mut reader), ["2"], "the entries of the removed file are gone");
    // No test has files on a network.
    assert!(reader.reliable_fd().unwrap());
    assert_eq!(reader.timeout().unwrap(), None);
}

/// The file of the current entry is removed.
pub fn a_vacuumed_place() {
    if !can_write("a_vacuumed_place") {
        return;
    }
    let directory = written::directory(&[message(2, "2")]);
    let archived = directory.join("system@0.journal");
    written::write(&archived, &[message(0, "0"), message(1, "1")]);
    let mut reader = written::open(&directory);
    reader.fd().unwrap();
    assert!(reader.next().unwrap());
    let cursor = reader.cursor().unwrap();
    assert_eq!(text(&mut reader), "0");

    fs::remove_file(&archived).unwrap();
    while reader.wait(Some(DEADLINE)).unwrap() != Wakeup::Invalidate {}
    assert_errno("its entry is gone", reader.cursor(), libc::EADDRNOTAVAIL);
    assert_errno("its entry is gone", reader.data(c"MESSAGE").map(|_| ()), libc::EADDRNOTAVAIL);
    assert_eq!(texts(&mut reader), ["2"], "it goes on with what is left");

    reader.seek_cursor(&cursor).unwrap();
    assert!(reader.next().unwrap());
    assert_eq!(text(&mut reader), "2", "the nearest entry");
    assert!(!reader.test_cursor(&cursor).unwrap());
}

/// As the documentation of `Reader::seek_tail` shows it.
pub fn only_new_entries() {
    if !can_write("only_new_entries") {
        return;
    }
    // The unit that is followed, if it has entries already.
    for (case, unit, old) in [("after old ones", "a", true), ("the first ones", "b", false)] {
        let of = |number, unit: &str| written::entry(number, &[("MESSAGE", unit), ("UNIT", unit)]);
        let directory = written::directory(&[of(0, "a"), of(1, "a"), of(2, "c")]);
        let mut reader = written::open(&directory);
        reader.add_match("UNIT", unit).unwrap();
        reader.seek_tail().unwrap();
        assert_eq!(reader.previous().unwrap(), old, "{case}");
        if !old {
            reader.seek_head().unwrap();
        }
        assert!(!reader.next().unwrap(), "{case}");
        written::write(&directory.join("system.journal"), &[of(3, unit), of(4, unit)]);
        for _ in 0..2 {
            assert_eq!(next_message(&mut reader).0, unit, "{case}");
        }
        assert!(!reader.next().unwrap(), "{case}");
    }
}

/// Waits with poll(2) until there is a change.
fn is_ready(reader: &Reader, timeout: PollTimeout) -> bool {
    let events = PollFlags::from_bits(reader.events().unwrap()).unwrap();
    poll(&mut [PollFd::new(reader.fd().unwrap(), events)], timeout).unwrap() > 0
}

/// Entries of each file.
const ENTRIES: u64 = 5;

/// The writer archives the file and begins a new one as fast as it can, and vacuums files that have
/// been read.
pub fn rotations_lose_and_double_nothing() {
    if !can_write("rotations_lose_and_double_nothing") {
        return;
    }
    let rotations = if std::env::var_os("FOO_SOAK").is_some() { 1000 } else { 20 };
    let directory = TempDir::new();
    let (directory, read) = (&directory, &AtomicU64::new(0));
    let archive = |number: u64| directory.join(&format!("system@{number}.journal"));
    thread::scope(|scope| {
        let mut reader = written::open(directory);
        scope.spawn(move || {
            let file = directory.join("system.journal");
            let mut vacuumed = 0;
            for number in 0..rotations {
                for part in [0..2, 2..ENTRIES] {
                    let entry = |n: u64| {
                        message(number * ENTRIES + n, &format!("{}", number * ENTRIES + n))
                    };
                    written::write(&file, &part.map(entry).collect::<Vec<_>>());
                }
                fs::rename(&file, archive(number)).unwrap();
                while (vacuumed + 1) * ENTRIES < read.load(Ordering::Relaxed) {
                    fs::remove_file(archive(vacuumed)).unwrap();
                    vacuumed += 1;
                }
            }
        });
        for want in 0..rotations * ENTRIES {
            assert_eq!(next_message(&mut reader).0, want.to_string());
            read.store(want, Ordering::Relaxed);
        }
        assert!(!reader.next().unwrap());
    });
}

pub fn a_forked_child() {
    role::run("a_forked_child", role::new("follow::forks", vec![]));
}

/// A process of one thread, so that its child may do anything.
pub fn forks() {
    let directory = TempDir::new();
    let mut reader = written::open(&directory);
    // SAFETY: the child calls only the reader, and exits.
    match unsafe { libc::fork() } {
        0 => {
            let is_refused =
                reader.next().err().and_then(|error| error.raw_os_error()) == Some(libc::ECHILD);
            // SAFETY: this ends the child without the parent's destructors.
            unsafe { libc::_exit(if is_refused { 0 } else { 1 }) }
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` has room for the result.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert_eq!(status, 0, "the child could use its parent's reader");
        }
    }
    assert!(!reader.next().unwrap());
    assert_errno("no place", reader.cursor(), libc::EADDRNOTAVAIL);
    assert!(Reader::open_directory(directory.path(), OpenFlags::default()).is_ok());
}

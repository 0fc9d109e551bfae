//! Which entry is the current one: matches, seeks, cursors.

use crate::role::{assert_errno, assert_invalid, assert_unsupported, has};
use crate::written::{self, BOOT, can_write, monotonic, numbered, realtime, text, texts};
use libsystemd_safe::id128::Id128;
use libsystemd_safe::journal::Reader;
use std::io;
use std::time::{Duration, SystemTime};

pub fn matches() {
    if !can_write("matches") {
        return;
    }
    let mut reader = written::open(&numbered());
    type Row = (&'static str, fn(&mut Reader) -> io::Result<()>, &'static [&'static str]);
    let rows: &[Row] = &[
        ("none", |_| Ok(()), &["0", "1", "2", "3", "4", "5", "6", "7"]),
        ("one", |r| r.add_match("A", "1"), &["4", "5", "6", "7"]),
        ("two fields", |r| r.add_match("A", "1").and_then(|()| r.add_match("B", "1")), &["6", "7"]),
        (
            "two values",
            |r| r.add_match("MESSAGE", "2").and_then(|()| r.add_match("MESSAGE", b"6")),
            &["2", "6"],
        ),
        (
            "a disjunction",
            |r| {
                r.add_match("A", "1")?;
                r.add_match("B", "1")?;
                r.add_disjunction()?;
                r.add_match("MESSAGE", "0")
            },
            &["0", "6", "7"],
        ),
        (
            "a conjunction",
            |r| {
                r.add_match("A", "1")?;
                r.add_disjunction()?;
                r.add_match("B", "1")?;
                r.add_conjunction()?;
                r.add_match("C", "0")
            },
            &["2", "4", "6"],
        ),
        ("no such value", |r| r.add_match("A", ""), &[]),
        ("no such field", |r| r.add_match("NONE", [0xff, 0]), &[]),
    ];
    for (case, set, want) in rows {
        reader.flush_matches();
        set(&mut reader).expect(case);
        reader.seek_head().unwrap();
        assert_eq!(texts(&mut reader), *want, "{case}");
    }
    for field in ["", "a", "A-B", "__CURSOR", "A\0", "\u{c4}"] {
        assert_errno(field, reader.add_match(field, "1"), libc::EINVAL);
    }
}

pub fn positions() {
    if !can_write("positions") {
        return;
    }
    let mut reader = written::open(&numbered());
    let boot: Id128 = BOOT.parse().unwrap();
    type Move = fn(&mut Reader) -> io::Result<bool>;
    let rows: &[(&str, Move, Option<&str>)] = &[
        ("the head", |r| r.seek_head().and_then(|()| r.next()), Some("0")),
        ("the tail", |r| r.seek_tail().and_then(|()| r.previous()), Some("7")),
        ("forward", |r| Ok(r.next_skip(3)? == 3), Some("3")),
        ("a step back", |r| Ok(r.next_skip(3)? == 3 && r.previous()?), Some("2")),
        ("forward and back", |r| Ok(r.next_skip(3)? == 3 && r.previous_skip(2)? == 2), Some("1")),
        ("beyond the end", |r| Ok(r.next_skip(100)? == 7), Some("7")),
        ("beyond the beginning", |r| Ok(r.previous_skip(100)? == 0), Some("0")),
        ("a time", |r| r.seek_realtime(realtime(3)).and_then(|()| r.next()), Some("3")),
        ("until a time", |r| r.seek_realtime(realtime(3)).and_then(|()| r.previous()), Some("3")),
        (
            "after a time",
            |r| r.seek_realtime(realtime(3) + Duration::from_micros(1)).and_then(|()| r.next()),
            Some("4"),
        ),
        ("1970", |r| r.seek_realtime(SystemTime::UNIX_EPOCH).and_then(|()| r.next()), Some("0")),
        (
            "the last time",
            |r| r.seek_realtime(realtime(u32::MAX.into())).and_then(|()| r.next()),
            None,
        ),
    ];
    for (case, seek, want) in rows {
        // Each row begins at the first entry.
        reader.seek_head().unwrap();
        assert!(reader.next().unwrap());
        let moved = seek(&mut reader).expect(case);
        assert_eq!(moved.then(|| text(&mut reader)).as_deref(), *want, "{case}");
    }
    reader.seek_monotonic(boot, monotonic(5)).unwrap();
    assert!(reader.next().unwrap());
    assert_eq!(text(&mut reader), "5", "the time since the boot");
    assert_eq!(reader.monotonic().unwrap(), (monotonic(5), boot));
    assert_eq!(reader.realtime().unwrap(), realtime(5));
    if has(254) {
        assert_eq!(reader.seqnum().unwrap().0, 6);
    } else {
        assert_unsupported(reader.seqnum(), 254);
    }

    assert_invalid(
        "1969",
        reader.seek_realtime(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
        "before 1970",
    );
    assert_invalid("too many", reader.next_skip(1 << 31), "at most 2147483647");
    assert_invalid("too many", reader.previous_skip(u32::MAX), "at most 2147483647");
    assert_eq!(reader.cutoff_realtime().unwrap(), Some((realtime(0), realtime(7))));
    assert_eq!(reader.cutoff_monotonic(boot).unwrap(), Some((monotonic(0), monotonic(7))));
    assert_eq!(reader.cutoff_monotonic(Id128::default()).unwrap(), None);
    assert!(reader.usage().unwrap() > 0);
}

pub fn cursors() {
    if !can_write("cursors") {
        return;
    }
    let directory = numbered();
    let mut reader = written::open(&directory);
    reader.next_skip(4).unwrap();
    let cursor = reader.cursor().unwrap();
    assert!(reader.test_cursor(&cursor).unwrap());

    let mut other = written::open(&directory);
    other.seek_cursor(&cursor).unwrap();
    assert!(other.next().unwrap());
    assert_eq!(text(&mut other), "3");
    assert!(other.test_cursor(&cursor).unwrap());
    assert!(other.next().unwrap());
    assert!(!other.test_cursor(&cursor).unwrap());

    for wrong in ["", "x", "s=", &"a".repeat(100_000)] {
        assert_errno(wrong, other.seek_cursor(wrong), libc::EINVAL);
        assert_errno(wrong, other.test_cursor(wrong), libc::EINVAL);
    }
    assert_invalid("a NUL", other.seek_cursor("t=1\0"), "nul byte");
    assert_invalid("a NUL", other.test_cursor("t=1\0"), "nul byte");
}

pub fn without_a_current_entry() {
    if !can_write("without_a_current_entry") {
        return;
    }
    let mut reader = written::open(&numbered());
    type Row = (&'static str, fn(&mut Reader));
    let rows: &[Row] = &[
        ("just opened", |_| ()),
        ("after a seek", |r| r.seek_head().unwrap()),
        ("after a match", |r| r.add_match("A", "1").unwrap()),
        ("after all matches are flushed", Reader::flush_matches),
    ];
    for (case, leave) in rows {
        leave(&mut reader);
        let none = libc::EADDRNOTAVAIL;
        assert_errno(case, reader.data(c"MESSAGE").map(|_| ()), none);
        assert_errno(case, reader.enumerate_data().next().map(|_| ()), none);
        assert_errno(case, reader.cursor(), none);
        assert_errno(case, reader.test_cursor("t=1"), none);
        assert_errno(case, reader.realtime(), none);
        assert_errno(case, reader.monotonic(), none);
        assert_errno(case, reader.catalog(), none);
        if has(254) {
            assert_errno(case, reader.seqnum(), none);
        }
        assert!(reader.next().unwrap());
        reader.cursor().expect(case);
    }
}

//! What an entry has, and what the whole journal has.

use crate::common::TempDir;
use crate::role::assert_errno;
use crate::written::{self, BOOT, can_write, entry, message, numbered};
use libsystemd_safe::id128::Id128;
use libsystemd_safe::journal::{Reader, catalog_for_message_id};
use std::ffi::{CStr, CString};
use std::path::Path;

pub fn fields_of_any_bytes() {
    if !can_write("fields_of_any_bytes") {
        return;
    }
    // More than 64 KiB, to which libsystemd 247 truncates what is compressed.
    let (compressible, random) = (vec![b'x'; 1_000_000], noise(200_000));
    let rows: &[(&CStr, &[u8])] = &[
        (c"MESSAGE", b"two\nlines"),
        (c"EMPTY", b""),
        (c"EQUALS", b"=a=b"),
        (c"RAW", b"\0\xff\n\x80"),
        (c"COMPRESSED", &compressible),
        (c"RANDOM", &random),
    ];
    let fields: Vec<_> = rows.iter().map(|(name, value)| (name.to_str().unwrap(), value)).collect();
    let mut reader = written::open(&written::directory(&[entry(0, &fields)]));
    assert!(reader.next().unwrap());
    for (name, value) in rows {
        let got = reader.data(name).unwrap();
        assert!(got == Some(value), "{name:?}: {:?} bytes", got.map(<[u8]>::len));
    }
    for missing in [c"NONE", c"MESSAG", c"MESSAGE_"] {
        assert_eq!(reader.data(missing).unwrap(), None, "{missing:?}");
    }
    for invalid in [c"", c"a", c"A=", c"__CURSOR", c"A B"] {
        assert_errno("no name", reader.data(invalid).map(|_| ()), libc::EINVAL);
        assert_errno("no name", reader.query_unique(invalid).map(|_| ()), libc::EINVAL);
    }
    // Twice: the second iteration begins anew.
    for _ in 0..2 {
        let mut seen = Vec::new();
        let mut data = reader.enumerate_data();
        while let Some((name, value)) = data.next().unwrap() {
            seen.push((CString::new(name).unwrap(), value.to_vec()));
        }
        seen.retain(|(name, _)| !name.to_bytes().starts_with(b"_"));
        seen.sort();
        let mut want: Vec<_> =
            rows.iter().map(|(name, value)| (CString::from(*name), value.to_vec())).collect();
        want.sort();
        assert!(
            seen == want,
            "{:?}",
            seen.iter().map(|(name, value)| (name, value.len())).collect::<Vec<_>>()
        );
    }
}

pub fn files_of_each_format() {
    if !can_write("files_of_each_format") {
        return;
    }
    let rows = [
        ("SYSTEMD_JOURNAL_COMPACT", "1"),
        ("SYSTEMD_JOURNAL_KEYED_HASH", "0"),
        ("SYSTEMD_JOURNAL_COMPRESS", "lz4"),
        ("SYSTEMD_JOURNAL_COMPRESS", "xz"),
        ("SYSTEMD_JOURNAL_COMPRESS", "none"),
    ];
    let long = "x".repeat(100_000);
    let directory = TempDir::new();
    for format in rows {
        let file = directory.join(&format!("{}-{}.journal", format.0, format.1));
        written::write_as(format, &file, &[message(0, "short"), message(1, &long)]);
        let mut reader = match Reader::open_files([&file]) {
            Ok(reader) => reader,
            // An older libsystemd than the one of systemd-journal-remote.
            other => {
                assert_errno("not supported", other, libc::EPROTONOSUPPORT);
                continue;
            }
        };
        assert!(written::texts(&mut reader) == ["short", &long], "{format:?}");
    }
}

/// Bytes that can't be compressed.
fn noise(count: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(1_u64), next).map(|state| (state >> 56) as u8).take(count).collect()
}

/// The order that `Reader::enumerate_data` documents.
pub fn values_of_one_field() {
    if !can_write("values_of_one_field") {
        return;
    }
    let rows: &[(&[&str], &[&str])] = &[
        (&["b", "a", "b"], &["b", "a"]),
        (&["a", "b", "c"], &["b", "a", "c"]),
        (&["d", "c", "b", "b", "a"], &["b", "a", "c", "d"]),
        (&["a"], &["a"]),
    ];
    let sent = |(number, (values, _)): (u64, &(&[&str], _))| {
        entry(number, &values.iter().map(|value| ("VALUE", value)).collect::<Vec<_>>())
    };
    let mut reader =
        written::open(&written::directory(&(0..).zip(rows).map(sent).collect::<Vec<_>>()));
    for (sent, want) in rows {
        assert!(reader.next().unwrap());
        let mut values = Vec::new();
        let mut data = reader.enumerate_data();
        while let Some((name, value)) = data.next().unwrap() {
            if name == b"VALUE" {
                values.push(String::from_utf8(value.to_vec()).unwrap());
            }
        }
        assert_eq!(values, *want, "sent {sent:?}");
        assert_eq!(reader.data(c"VALUE").unwrap(), Some(want[0].as_bytes()), "sent {sent:?}");
    }
}

/// `MESSAGE_ID=` of a coredump, which systemd's catalog explains.
const COREDUMP: &str = "fc2e22bc6ee647b6b90729ab34a250b1";

pub fn the_catalog() {
    if !can_write("the_catalog") {
        return;
    }
    let process: &[u8] = b"\xff\n";
    let with = |number, id: &[u8]| entry(number, &[("MESSAGE_ID", id), ("COREDUMP_PID", process)]);
    let other = b"00000000000000000000000000000001";
    let entries =
        [message(0, "none"), with(1, other), with(2, b"fc2e"), with(3, COREDUMP.as_bytes())];
    let mut reader = written::open(&written::directory(&entries));
    for case in ["no MESSAGE_ID=", "an ID without an explanation"] {
        assert!(reader.next().unwrap());
        assert_eq!(reader.catalog().unwrap(), None, "{case}");
    }
    assert!(reader.next().unwrap());
    assert_errno("no ID", reader.catalog(), libc::EINVAL);
    assert!(reader.next().unwrap());
    let (text, raw) =
        (reader.catalog().unwrap(), catalog_for_message_id(COREDUMP.parse().unwrap()).unwrap());
    assert_eq!(catalog_for_message_id(Id128::default()).unwrap(), None);
    if !Path::new("/var/lib/systemd/catalog/database").exists() {
        assert_eq!((text, raw), (None, None));
        return;
    }
    let holds = |text: Option<Vec<u8>>, part: &[u8]| {
        text.unwrap().windows(part.len()).any(|window| window == part)
    };
    assert!(holds(text, b"Process \xff\n (COREDUMP_COMM)"));
    assert!(holds(raw, b"Process @COREDUMP_PID@ (@COREDUMP_COMM@)"));
}

pub fn the_whole_journal() {
    if !can_write("the_whole_journal") {
        return;
    }
    let directory = numbered();
    written::write(&directory.join("other.journal"), &[entry(9, &[("A", "1"), ("D", "x")])]);
    let mut reader = written::open(&directory);
    // Matches do not count.
    reader.add_match("MESSAGE", "0").unwrap();
    let rows: &[(&CStr, &[&str])] =
        &[(c"A", &["0", "1"]), (c"D", &["x"]), (c"_BOOT_ID", &[BOOT]), (c"NONE", &[])];
    for (field, want) in rows {
        let mut values = Vec::new();
        let mut unique = reader.query_unique(field).unwrap();
        while let Some(value) = unique.next().unwrap() {
            values.push(String::from_utf8(value.to_vec()).unwrap());
        }
        values.sort();
        // libsystemd 247 returns a value, and below a name, once for each file.
        values.dedup();
        assert_eq!(values, *want, "{field:?}");
    }
    for _ in 0..2 {
        let mut names = Vec::new();
        let mut fields = reader.enumerate_fields();
        while let Some(name) = fields.next().unwrap() {
            names.push(name.to_str().unwrap().to_owned());
        }
        names.sort();
        names.dedup();
        assert_eq!(names, ["A", "B", "C", "D", "MESSAGE", "_BOOT_ID"]);
    }
}

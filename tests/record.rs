//! The line that a datagram becomes: tables of cases, and properties that hold for any bytes.

#[path = "common/property.rs"]
mod property;
#[path = "common/shown.rs"]
mod shown;

use foo::daemon::record::Record;
use foo::daemon::unit::Unit;
use property::{record, rendered_fields};
use proptest::prelude::*;
use shown::{head, unnamed};

/// Returns the line that foo logs.
fn rendered(
    credentials: Option<(u32, u32)>,
    sun_path: &[u8],
    truncated: usize,
    payload: &[u8],
) -> String {
    let mut line = Vec::new();
    record(credentials, sun_path, truncated, payload).render(&mut line);
    String::from_utf8(line).expect("a line is UTF-8")
}

/// The wording, in each form. The other tests take it from `shown`.
#[test]
fn wording() {
    let cases = [
        (None, &b"/run/a\0"[..], 0, "Received 5 bytes from /run/a: hello"),
        (None, b"", 4, "Received 9 bytes from (unnamed), 4 of them cut: hello"),
        (Some((47, 1000)), b"\0a", 0, "Received 5 bytes (pid 47, uid 1000) from @a: hello"),
    ];
    for (credentials, sun_path, truncated, want) in cases {
        assert_eq!(rendered(credentials, sun_path, truncated, b"hello"), want);
    }
}

#[test]
fn payloads() {
    let cases: &[(&[u8], &str)] = &[
        (b"", ""),
        (b"hello", "hello"),
        (b"hello\n", "hello"),
        (b"hello\0", "hello"),
        (b"hello\n\n", "hello\\x0a"),
        (b"hello\n\0", "hello"),
        (b"hello\0\n", "hello\\x00"),
        (b"\n", ""),
        (b"a\tb", "a\tb"),
        (b"a\rb", "a\\x0db"),
        (b"x\n<0>kernel: panic", "x\\x0a<0>kernel: panic"),
        (b"a\\x0ab", "a\\x0ab"),
        (b"\x1b[2J\x7f", "\\x1b[2J\\x7f"),
        ("é€😀".as_bytes(), "é€😀"),
        (b"\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\u{a0}"),
        (b"\xff\xc3(\xe2\x82", "\\xff\\xc3(\\xe2\\x82"),
        (b"\xc2", "\\xc2"),
        // Too long for its value, a surrogate, beyond Unicode.
        (b"\xc0\xaf", "\\xc0\\xaf"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"),
    ];
    for (payload, text) in cases {
        let want = head(payload.len(), None, "(unnamed)", 0) + text;
        assert_eq!(rendered(None, b"", 0, payload), want);
    }
}

#[test]
fn senders() {
    let longest = [b'p'; 108];
    let path = "p".repeat(108);
    let cases: &[(&[u8], &str)] = &[
        (b"", "(unnamed)"),
        (b"/run/a.socket\0", "/run/a.socket"),
        (b"/run/a.socket\0left over", "/run/a.socket"),
        (b"/run/a", "/run/a"),
        (&longest, &path),
        (b"\0name", "@name"),
        (b"\0", "@"),
        (b"\0a\0b", "@a\\x00b"),
        (b"/tmp/a\nb\0", "/tmp/a\\x0ab"),
        (b"/tmp/\xff\0", "/tmp/\\xff"),
    ];
    for (sun_path, name) in cases {
        assert_eq!(rendered(None, sun_path, 0, b"m"), head(1, None, name, 0) + "m");
    }
}

#[test]
fn truncated() {
    // Its last byte is not its end.
    let want = head(9, None, "(unnamed)", 4) + r"hell\x0a";
    assert_eq!(rendered(None, b"", 4, b"hell\n"), want);
}

#[test]
fn credentials() {
    let cases = [
        ((4711, 1000), &b"/run/a\0"[..], "/run/a"),
        ((0, 65534), b"", "(unnamed)"),
        ((u32::MAX, u32::MAX), b"\0a", "@a"),
        // No name passes for credentials: they come first.
        ((7, 8), b" (pid 1, uid 0) from /", " (pid 1, uid 0) from /"),
    ];
    for (credentials, sun_path, name) in cases {
        let want = head(1, Some(credentials), name, 0) + "m";
        assert_eq!(rendered(Some(credentials), sun_path, 0, b"m"), want);
    }
}

/// The unit of a control group, as sd_pid_get_unit(3) and sd_pid_get_user_unit(3) name it.
#[test]
fn units() {
    let longest = format!("{}.service", "x".repeat(247));
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("system.slice", &[]),
        ("user.slice/user-1000.slice", &[]),
        ("init.scope", &["init.scope"]),
        ("system.slice/backup.service", &["backup.service"]),
        ("system.slice/backup.service/sub/other.service", &["backup.service"]),
        ("system.slice/system-getty.slice/getty@tty1.service", &["getty@tty1.service"]),
        ("system.slice/dev-hugepages.mount", &["dev-hugepages.mount"]),
        ("system.slice/_cgroup.service", &["cgroup.service"]),
        ("system.slice/a\\x2db.service", &["a\\x2db.service"]),
        ("user.slice/user-1000.slice/session-2.scope", &["session-2.scope"]),
        (
            "user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
            &["user@1000.service", "x.service"],
        ),
        (
            "user.slice/user-1000.slice/user@1000.service/init.scope",
            &["user@1000.service", "init.scope"],
        ),
        ("user.slice/user-1000.slice/user@1000.service", &["user@1000.service"]),
        ("user@x.service/x.service", &["user@x.service"]),
        // Names that a user can choose, below the unit of its manager, and that no unit has.
        ("user@1000.service/a b.service", &["user@1000.service"]),
        ("user@1000.service/, unit x.service", &["user@1000.service"]),
        ("user@1000.service/a\u{fffd}.service", &["user@1000.service"]),
        ("lxc/backup.service", &[]),
        ("system.slice/.service", &[]),
        (&longest, &[&longest]),
        (&format!("x{longest}"), &[]),
    ];
    for (path, want) in cases {
        let unit = Unit::of_cgroup(path);
        let names = unit.into_iter().flat_map(|unit| [Some(unit.name), unit.user]);
        assert_eq!(names.flatten().collect::<Vec<_>>(), *want, "{path}");
    }
}

#[test]
fn senders_with_units() {
    let unit = |user: Option<&str>| Unit {
        name: "user@1000.service".into(),
        user: user.map(str::to_owned),
    };
    let (system, user) = (unit(None), unit(Some("x.service")));
    let cases = [
        (Some((4711, 1000)), &system, " (pid 4711, uid 1000, unit user@1000.service) from "),
        (
            Some((4711, 1000)),
            &user,
            " (pid 4711, uid 1000, unit user@1000.service, user unit x.service) from ",
        ),
        (None, &system, " (unit user@1000.service) from "),
    ];
    for (credentials, unit, who) in cases {
        let record = Record { unit: Some(unit), ..record(credentials, b"", 0, b"m") };
        let mut line = Vec::new();
        record.render(&mut line);
        assert_eq!(String::from_utf8(line).unwrap(), unnamed("m").replace(" from ", who));
    }
    let record = Record { unit: Some(&user), ..record(None, b"", 0, b"m") };
    let want = [
        "FOO_SENDER_UNIT=user@1000.service",
        "FOO_SENDER_USER_UNIT=x.service",
        "FOO_LENGTH=1",
        "FOO_PAYLOAD=m",
    ];
    assert_eq!(rendered_fields(&record), want.map(|field| field.as_bytes().to_vec()));
}

#[test]
fn fields_of_an_entry() {
    let cases = [
        (record(None, b"", 0, b""), &["FOO_LENGTH=0", "FOO_PAYLOAD="][..]),
        (
            record(Some((4711, 1000)), b"/run/a\0", 0, b"hello\n"),
            &[
                "FOO_SENDER_ADDRESS=/run/a",
                "FOO_SENDER_PID=4711",
                "FOO_SENDER_UID=1000",
                "FOO_LENGTH=6",
                "FOO_PAYLOAD=hello\n",
            ],
        ),
        // No name and no text add a field, and the payload is not escaped.
        (
            record(None, b"\0a\nFOO_SENDER_UID=0", 3, b"\nFOO_SENDER_UID=0\n_UID=0\0\n\n"),
            &[
                "FOO_SENDER_ADDRESS=@a\\x0aFOO_SENDER_UID=0",
                "FOO_LENGTH=30",
                "FOO_PAYLOAD=\nFOO_SENDER_UID=0\n_UID=0\0\n\n",
            ],
        ),
        (
            record(None, b"FOO_PAYLOAD=", 0, b"m"),
            &["FOO_SENDER_ADDRESS=FOO_PAYLOAD=", "FOO_LENGTH=1", "FOO_PAYLOAD=m"],
        ),
    ];
    for (record, want) in cases {
        let got = rendered_fields(&record);
        let got: Vec<_> = got.iter().map(|field| std::str::from_utf8(field).unwrap()).collect();
        assert_eq!(got, want);
    }
}

/// Bytes that need an escape, or that end text of several bytes for a character, at each place of
/// blocks that are checked at once.
#[test]
fn escapes_at_each_place() {
    let pieces: &[&[u8]] = &[
        b"\n",
        b"\0\x1f\x7f",
        b"\xc2\x85",
        b"\xc1\x85",
        b"\xc3",
        b"\x80",
        b"\xe0\x9f\xbf",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        "\t\u{a0}é€😀\u{10ffff}".as_bytes(),
    ];
    for text in ["x", "é", "€", "😀", "x\té€😀"] {
        let text = text.repeat(2200 / text.len());
        let starts = text.char_indices().map(|(start, _)| start);
        for start in starts.filter(|start| matches!(start, 0..300 | 1900..2100)) {
            for piece in pieces {
                let payload = [&text.as_bytes()[..start], piece, &text.as_bytes()[..300]].concat();
                let got = rendered(None, b"", 0, &payload);
                assert_eq!(got, unnamed(&payload), "{piece:x?} at {start}");
            }
        }
    }
}

/// Any bytes, in which characters of all lengths are as likely as invalid UTF-8.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let character = any::<char>().prop_map(|character| character.to_string().into_bytes());
    let control =
        prop::char::range('\0', '\u{a0}').prop_map(|character| character.to_string().into_bytes());
    let byte = any::<u8>().prop_map(|byte| vec![byte]);
    let run = ("[x\tё€😀]", 0..200_usize).prop_map(|(text, count)| text.repeat(count).into_bytes());
    prop::collection::vec(prop_oneof![3 => character, 3 => control, 3 => byte, 1 => run], 0..64)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_datagram_is_one_line_and_its_fields(
        credentials in any::<Option<(u32, u32)>>(),
        sun_path in bytes(),
        truncated in prop_oneof![Just(0), any::<u16>().prop_map(usize::from)],
        payload in bytes(),
    ) {
        property::holds(credentials, &sun_path, truncated, &payload);
    }
}

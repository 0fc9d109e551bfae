//! The line that a datagram becomes: tables of cases, and properties that hold for any bytes.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "common/shown.rs"]
#[allow(dead_code, reason = "for others")]
mod shown;

use foo::record::{Credentials, Record, Sender, escape};
use proptest::prelude::*;
use shown::{is_printable, shown};

/// The line of a datagram without credentials.
fn line(sender: Sender<'_>, length: usize, payload: &[u8]) -> String {
    let mut line = Vec::new();
    Record { credentials: None, sender, length, payload }.render(&mut line);
    String::from_utf8(line).expect("a line is UTF-8")
}

fn escaped(bytes: &[u8]) -> String {
    let mut line = Vec::new();
    escape(bytes, &mut line);
    String::from_utf8(line).expect("what is escaped is UTF-8")
}

#[test]
fn payloads() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "Received 0 bytes from (unnamed): "),
        (b"hello", "Received 5 bytes from (unnamed): hello"),
        (b"hello\n", "Received 6 bytes from (unnamed): hello"),
        (b"hello\0", "Received 6 bytes from (unnamed): hello"),
        (b"hello\n\n", "Received 7 bytes from (unnamed): hello\\x0a"),
        (b"hello\n\0", "Received 7 bytes from (unnamed): hello\\x0a"),
        (b"\n", "Received 1 bytes from (unnamed): "),
        (b"a\tb", "Received 3 bytes from (unnamed): a\tb"),
        (b"a\rb", "Received 3 bytes from (unnamed): a\\x0db"),
        (b"x\n<0>kernel: panic", "Received 18 bytes from (unnamed): x\\x0a<0>kernel: panic"),
        (b"a\\x0ab", "Received 6 bytes from (unnamed): a\\x0ab"),
        (b"\x1b[2J\x7f", "Received 5 bytes from (unnamed): \\x1b[2J\\x7f"),
        ("é€😀".as_bytes(), "Received 9 bytes from (unnamed): é€😀"),
        (
            b"\xc2\x80\xc2\x9f\xc2\xa0",
            "Received 6 bytes from (unnamed): \\xc2\\x80\\xc2\\x9f\u{a0}",
        ),
        (b"\xff\xc3(\xe2\x82", "Received 5 bytes from (unnamed): \\xff\\xc3(\\xe2\\x82"),
        (b"\xc2", "Received 1 bytes from (unnamed): \\xc2"),
        // Too long for its value, a surrogate, beyond Unicode.
        (b"\xc0\xaf", "Received 2 bytes from (unnamed): \\xc0\\xaf"),
        (b"\xed\xa0\x80", "Received 3 bytes from (unnamed): \\xed\\xa0\\x80"),
        (b"\xf4\x90\x80\x80", "Received 4 bytes from (unnamed): \\xf4\\x90\\x80\\x80"),
    ];
    for (payload, expected) in cases {
        assert_eq!(line(Sender::Unnamed, payload.len(), payload), *expected);
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
    for (sun_path, expected) in cases {
        let line = line(Sender::from_sun_path(sun_path), 1, b"m");
        assert_eq!(line, format!("Received 1 bytes from {expected}: m"));
    }
}

#[test]
fn what_was_cut_is_told() {
    assert_eq!(
        line(Sender::Unnamed, 9, b"hello"),
        "Received 9 bytes from (unnamed), 4 of them cut: hello"
    );
    // Its last byte is not its end.
    assert_eq!(
        line(Sender::Unnamed, 9, b"hell\n"),
        "Received 9 bytes from (unnamed), 4 of them cut: hell\\x0a"
    );
}

/// The line of a payload from a sender with credentials.
fn line_with(pid: u32, uid: u32, sender: Sender<'_>) -> String {
    let mut line = Vec::new();
    let credentials = Some(Credentials { pid, uid });
    Record { credentials, sender, length: 1, payload: b"m" }.render(&mut line);
    String::from_utf8(line).expect("a line is UTF-8")
}

#[test]
fn credentials() {
    let cases = [
        (4711, 1000, &b"/run/a\0"[..], "Received 1 bytes (pid 4711, uid 1000) from /run/a: m"),
        (0, 65534, b"", "Received 1 bytes (pid 0, uid 65534) from (unnamed): m"),
        (
            u32::MAX,
            u32::MAX,
            b"\0a",
            "Received 1 bytes (pid 4294967295, uid 4294967295) from @a: m",
        ),
    ];
    for (pid, uid, sender, expected) in cases {
        assert_eq!(line_with(pid, uid, Sender::from_sun_path(sender)), expected);
    }
}

/// What stands between `Received N bytes` and ` from `, which the sender can't choose.
fn before_the_name(line: String) -> String {
    let rest = line.strip_prefix("Received ").expect("the first word");
    rest.split_once(" bytes")
        .and_then(|(_, rest)| rest.split_once(" from "))
        .expect("a name")
        .0
        .to_owned()
}

/// Any bytes, in which characters of all lengths are as likely as invalid UTF-8.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let character = any::<char>().prop_map(|character| character.to_string().into_bytes());
    let control =
        prop::char::range('\0', '\u{a0}').prop_map(|character| character.to_string().into_bytes());
    let byte = any::<u8>().prop_map(|byte| vec![byte]);
    prop::collection::vec(prop_oneof![character, control, byte], 0..64)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn is_one_line_without_control_characters(path in bytes(), payload in bytes()) {
        let line = line(Sender::from_sun_path(&path), payload.len(), &payload);
        prop_assert!(line.chars().all(is_printable), "{line:?}");
    }

    /// No name of a sender passes for credentials or changes them.
    #[test]
    fn no_name_looks_like_credentials(path in bytes(), imitation in any::<bool>(), pid in any::<u32>(), uid in any::<u32>()) {
        let path = if imitation { [b" (pid 1, uid 0) from /", &path[..]].concat() } else { path };
        let sender = Sender::from_sun_path(&path);
        prop_assert_eq!(before_the_name(line(sender, 1, b"m")), "");
        prop_assert_eq!(before_the_name(line_with(pid, uid, sender)), format!(" (pid {pid}, uid {uid})"));
    }

    #[test]
    fn leaves_text_unchanged(text in "[\\P{Cc}\t]*") {
        prop_assert_eq!(escaped(text.as_bytes()), text);
    }

    /// Compares with a second, slow implementation.
    #[test]
    fn escapes_each_other_byte(bytes in bytes()) {
        prop_assert_eq!(escaped(&bytes), shown(&bytes));
    }
}

//! A datagram becomes one entry of the journal, with foo's identifier and priority.

use super::frame::container::Container;
use super::frame::journal::Entry;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

pub fn foocl_is_named_by_its_socket(container: &mut Container) {
    let text = one_entry(container, |container| {
        assert_eq!(container.run("foocl hello"), "sending hello");
    });
    let sender =
        text.strip_prefix("Received 5 bytes from ").and_then(|rest| rest.strip_suffix(": hello"));
    assert!(sender.is_some_and(|path| path.starts_with('/')), "{text}");
}

pub fn socat_is_unnamed(container: &mut Container) {
    let text = one_entry(container, |container| {
        container.run("echo hello | socat - UNIX-SENDTO:/run/foo.socket");
    });
    assert_eq!(text, "Received 6 bytes from (unnamed): hello");
}

pub fn socat_with_a_socket_is_named_by_it(container: &mut Container) {
    let text = one_entry(container, |container| {
        container.run("echo hello | socat - UNIX-SENDTO:/run/foo.socket,bind=/run/client.socket");
    });
    assert_eq!(text, "Received 6 bytes from /run/client.socket: hello");
}

/// socat can't bind an abstract name and send to a path.
pub fn a_sender_with_an_abstract_name_is_named(container: &mut Container) {
    let name = format!("booted-client-{}", container.path("").display());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let sender = UnixDatagram::bind_addr(&address).unwrap();
    let text = one_entry(container, |container| container.send_from(&sender, b"hello"));
    assert_eq!(text, format!("Received 5 bytes from @{name}: hello"));
}

/// logger writes a priority first: 8 for the facility and 2 for critical.
pub fn what_logger_sends_is_text_like_any_other(container: &mut Container) {
    let logger = "logger --socket /run/foo.socket --priority user.crit";
    let entries = entries_of(container, |container| {
        container.run(&format!("{logger} --rfc3164 an old text"));
        container.run(&format!("{logger} --rfc5424 a new text"));
    });
    let texts = entries.iter().map(text_of).collect::<Vec<_>>();
    let [old, new] = &texts[..] else { panic!("not two entries: {texts:?}") };
    assert!(old.contains(" from (unnamed): <10>") && old.ends_with("an old text"), "{old}");
    assert!(new.contains(" from (unnamed): <10>1 ") && new.ends_with("a new text"), "{new}");
}

pub fn a_newline_makes_no_second_entry(container: &mut Container) {
    let text = one_entry(container, |container| container.send(b"x\n<0>kernel: panic"));
    assert_eq!(text, "Received 18 bytes from (unnamed): x\\x0a<0>kernel: panic");
}

/// journald cuts a line at 48 KiB.
pub fn a_datagram_longer_than_a_line_is_one_entry(container: &mut Container) {
    let payload = "0123456789".repeat(20_000);
    let text = one_entry(container, |container| container.send(payload.as_bytes()));
    assert_same(&text, &format!("Received 200000 bytes from (unnamed): {payload}"));
}

pub fn a_long_datagram_of_binary_bytes_is_one_entry(container: &mut Container) {
    let payload: Vec<u8> = (0x80..=0xff).cycle().take(60_000).collect();
    let escaped: String =
        payload.iter().map(|byte| format!("\\x{byte:02x}")).collect::<Vec<_>>().concat();
    let text = one_entry(container, |container| container.send(&payload));
    assert_same(&text, &format!("Received 60000 bytes from (unnamed): {escaped}"));
}

/// Returns the text of the one entry that `send` causes.
fn one_entry(container: &Container, send: impl FnOnce(&Container)) -> String {
    let entries = entries_of(container, send);
    let [entry] = &entries[..] else {
        let texts = entries.iter().map(|entry| shortened(&entry.message()));
        panic!("not one entry: {:#?}", texts.collect::<Vec<_>>());
    };
    text_of(entry)
}

/// Returns the text of an entry. It must be foo's, and have the priority of datagrams.
fn text_of(entry: &Entry) -> String {
    let text = entry.message();
    let fields = ["PRIORITY", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT"].map(|name| entry.field(name));
    assert_eq!(fields, ["5", "foo", "foo.service"], "{}", shortened(&text));
    text
}

/// Returns all entries that `send` causes: those before the entry of a datagram that is sent
/// afterwards.
fn entries_of(container: &Container, send: impl FnOnce(&Container)) -> Vec<Entry> {
    container.start();
    let before = container.journal().len();
    send(container);
    container.send(b"the end");
    container.wait_for(": the end");
    let mut entries = container.journal().split_off(before);
    let end = entries.pop().expect("the end");
    assert!(end.message().ends_with(": the end"), "out of order: {}", shortened(&end.message()));
    entries
}

/// Compares long texts. A failure shows only how they begin.
fn assert_same(text: &str, expected: &str) {
    assert!(text == expected, "{} bytes: {}", text.len(), shortened(text));
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

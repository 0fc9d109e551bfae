//! A datagram becomes one entry of the journal, with foo's identifier and priority.

use super::frame::container::Container;
use super::frame::journal::Entry;
use crate::common::shown::{BEGIN, line, unnamed};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

pub fn a_datagram_of_any_sender_is_one_entry(container: &mut Container) {
    // socat can't bind an abstract name and send to a path.
    let name = format!("booted-client-{}", container.path("").display());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let hidden = UnixDatagram::bind_addr(&address).unwrap();
    let socat = "echo hello | socat - UNIX-SENDTO:/run/foo.socket";
    let logger = "logger --socket /run/foo.socket --priority user.crit";
    let texts = texts(container, |container| {
        assert_eq!(container.run("foocl hello"), "sending hello");
        container.run(socat);
        container.run(&format!("{socat},bind=/run/client.socket"));
        container.send_from(&hidden, b"hello");
        container.run(&format!("{logger} --rfc3164 an old text"));
        container.run(&format!("{logger} --rfc5424 a new text"));
        container.send(b"x\n<0>kernel: panic");
    });
    // Each row has what an entry consists of, in order, with any text between.
    let want: [&[&str]; 7] = [
        &[BEGIN, " from /", ": hello"],
        &[&unnamed("hello\n")],
        &[&line(None, "/run/client.socket", 0, b"hello\n")],
        &[&line(None, &format!("@{name}"), 0, b"hello")],
        // logger writes a priority first: 8 for the facility and 2 for critical.
        &[BEGIN, " from (unnamed): <10>", "an old text"],
        &[BEGIN, " from (unnamed): <10>1 ", "a new text"],
        &[&unnamed("x\n<0>kernel: panic")],
    ];
    assert_eq!(texts.len(), want.len(), "{texts:#?}");
    for (text, parts) in texts.iter().zip(want) {
        let mut rest = text.strip_prefix(parts[0]);
        for part in &parts[1..] {
            rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
        }
        assert_eq!(rest, Some(""), "{text:?} is not {parts:?}");
    }
}

/// journald cuts a line at 48 KiB.
pub fn a_datagram_longer_than_a_line_is_one_entry(container: &mut Container) {
    let text = "0123456789".repeat(20_000);
    let bytes: Vec<u8> = (0x80..=0xff).cycle().take(60_000).collect();
    let texts = texts(container, |container| {
        container.send(text.as_bytes());
        container.send(&bytes);
    });
    let want = [unnamed(&text), unnamed(&bytes)];
    let begins: Vec<_> = texts.iter().map(|text| shortened(text)).collect();
    assert!(texts == want, "{begins:#?}");
}

/// What an ordinary user types, what that prints, and the sender and the text of its entry.
pub fn what_clients_meet(container: &mut Container) {
    // In a user namespace, the owner of /tmp is shown as 65534, and must be another.
    let user = "setpriv --reuid=1234 --regid=1234 --clear-groups";
    let socat = r#"sh -c 'printf "four\n\0" | socat - UNIX-SENDTO:/run/foo.socket'"#;
    let endless = "sh -c 'ulimit -v 100000; head -c 800M /dev/zero | foocl -'";
    let hidden = "unshare --user --map-current-user foocl three";
    container.start();
    for (command, prints, sender, text) in [
        ("foocl one", "sending one", "/tmp/foocl.", ": one"),
        ("env TMPDIR= foocl two", "sending two", "/tmp/foocl.", ": two"),
        (hidden, "sending without a name", "(unnamed)", ": three"),
        (socat, "", "(unnamed)", ": four"),
        (endless, "line 1: the message", "", ""),
        ("foocl several words", "needs quotes around it", "", ""),
        ("sh -c 'echo piped | foocl'", "'-' sends the lines of standard input", "", ""),
        ("foocl -p user.err text", "there is no -p", "", ""),
        ("foocl -t tag text", "a tag can't be chosen", "", ""),
    ] {
        let printed = container.run(&format!("{user} {command} 2>&1 || :"));
        assert!(printed.contains(prints), "{command}: {printed}");
        let entry = container.wait_for(text);
        assert!(entry.message().contains(sender), "{command}: {}", entry.message());
    }
    let received = |entry: &Entry| entry.message().starts_with(BEGIN);
    assert_eq!(container.journal().iter().filter(|entry| received(entry)).count(), 4);
}

/// Returns the text of each entry that `send` causes: of those before the entry of a datagram that
/// is sent afterwards. Each must be foo's, and have the priority of datagrams.
fn texts(container: &Container, send: impl FnOnce(&Container)) -> Vec<String> {
    container.start();
    let before = container.journal().len();
    send(container);
    container.send(b"the end");
    container.wait_for(": the end");
    let entries = container.journal().split_off(before);
    let mut texts: Vec<_> = entries.iter().map(Entry::message).collect();
    for (entry, text) in entries.iter().zip(&texts) {
        let fields = ["PRIORITY", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT"];
        let fields = fields.map(|name| entry.field(name));
        assert_eq!(fields, ["5", "foo", "foo.service"], "{}", shortened(text));
    }
    let end = texts.pop().expect("the end");
    assert!(end.ends_with(": the end"), "out of order: {}", shortened(&end));
    texts
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

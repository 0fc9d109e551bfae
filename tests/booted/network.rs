//! What foo(8) describes for many machines: their journals send the messages to one of them.

use super::frame::container::{Container, until};
use super::frame::document::example;
use super::frame::journal;
use libsystemd_safe::journal::{OpenFlags, Reader};

const MESSAGES: u32 = 10_000;

/// Sends the messages `first` to `last`.
fn send(sender: &Container, first: u32, last: u32) {
    sender.run(&format!("seq {first} {last} | foocl - >/dev/null"));
}

/// Returns the numbers of the messages that the receiver has, in its order.
fn received(receiver: &Container) -> Vec<u32> {
    let directory = receiver.path("/var/log/journal/remote");
    let mut reader = Reader::open_directory(directory, OpenFlags::default()).expect("a directory");
    reader.add_match("SYSLOG_IDENTIFIER", "foo").expect("a match");
    let lines = journal::lines(&mut reader);
    lines.lines().filter_map(|line| line.rsplit_once(": ")?.1.parse().ok()).collect()
}

fn wait_until_received(receiver: &Container, last: u32) {
    let has_last = || received(receiver).contains(&last);
    until("the last at the receiver", has_last, |&is_there| is_there);
}

pub fn all_reach_another_machine(sender: &mut Container) {
    let receiver = sender.another("");
    sender.join(&receiver);
    receiver.drop_in("systemd-journal-remote.service", &example("Collect the messages"));
    receiver.run("systemctl start systemd-journal-remote.socket");
    let retry = example("makes them retry while the receiver is down");
    sender.drop_in("systemd-journal-upload.service", &retry);
    sender.run("printf '[Upload]\\nURL=http://10.0.0.2\\n' > /etc/systemd/journal-upload.conf");
    sender.run("systemctl start systemd-journal-upload");
    sender.start();
    send(sender, 1, MESSAGES / 2);
    wait_until_received(&receiver, MESSAGES / 4);
    receiver.run("systemctl stop systemd-journal-remote.socket systemd-journal-remote");
    send(sender, MESSAGES / 2 + 1, MESSAGES);
    sender.wait_for(&format!(": {MESSAGES}"));
    receiver.run("systemctl start systemd-journal-remote.socket");
    wait_until_received(&receiver, MESSAGES);
    let mut received = received(&receiver);
    let count = received.len();
    received.sort_unstable();
    received.dedup();
    assert!(received.iter().copied().eq(1..=MESSAGES), "{} of {MESSAGES} messages", received.len());
    sender.report(format_args!("{MESSAGES} messages, {} of them twice", count - received.len()));
}

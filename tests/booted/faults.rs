//! Faults under load: of the journal, of the disk, and of the program.

use super::frame::container::{Container, until};
use super::frame::host::times;
use super::frame::load::{Account, Load, NO_LIMIT};
use super::recipes::another_path;
use std::time::{Duration, Instant};

/// Messages accepted between two steps.
const BETWEEN: u64 = 300;

/// Lengths of messages, in bytes. The first becomes a line of the stream, the others entries.
const MIXED: &[usize] = &[100, 60_000, 200_000];

const JOURNAL: &str =
    "systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket";

/// Commands against the journal.
const RESTART: &str = "systemctl restart systemd-journald";
const KILL: &str = "systemctl kill --signal=KILL systemd-journald";

/// Lines that a killed journald had read and not stored, and that nobody can report. At four lines
/// a millisecond, these are the most.
const READ_AT_ONCE: u64 = 100;

/// foo fails at each start for a while, as after a failed upgrade. The socket keeps the queue.
pub fn a_broken_program_loses_nothing(container: &mut Container) {
    // Twenty starts take ten seconds, without growing delays. systemd's default limit is five.
    let starts = times(20).max(7);
    container.drop_in("foo.service", "[Service]\nRestartSteps=0\n");
    container.start();
    let socket = container.socket();
    let load = Load::heavy(container);
    load.wait_for(BETWEEN);
    container.run("mv /usr/local/bin/foo /foo; printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/foo; chmod +x /usr/local/bin/foo");
    container.run("systemctl kill --kill-who=main foo");
    let restarts = || container.show("NRestarts").parse().unwrap_or(0);
    until("many starts", restarts, |&restarts| restarts >= starts);
    container.run("mv /foo /usr/local/bin/foo");
    load.wait_for(BETWEEN);
    load.finish(container).assert_whole();
    assert_eq!(container.socket(), socket, "another socket");
}

pub fn a_restarted_journal(container: &mut Container) {
    let account = journal(container, Load::at_ease, 3, RESTART);
    account.assert_lost_at_most(container.reported_lost());
}

pub fn a_restarted_journal_and_long_messages(container: &mut Container) {
    let account = journal(container, mixed, 3, RESTART);
    account.assert_lost_at_most(container.reported_lost());
}

pub fn a_killed_journal(container: &mut Container) {
    let account = journal(container, Load::at_ease, 3, KILL);
    account.assert_lost_at_most(container.reported_lost() + 3 * READ_AT_ONCE);
}

pub fn a_killed_journal_and_long_messages(container: &mut Container) {
    let account = journal(container, mixed, 3, KILL);
    account.assert_lost_at_most(container.reported_lost() + 3 * READ_AT_ONCE);
}

/// libsystemd drops an entry then, and reports success.
pub fn a_journal_without_its_socket_for_entries(container: &mut Container) {
    let socket = "/run/systemd/journal/socket";
    let remove = format!("mv {socket} {socket}.away; sleep 2; mv {socket}.away {socket}");
    let mut account = journal(container, mixed, 2, &remove);
    // An entry sent just before the socket is removed is sent again.
    account.doubled = account.doubled.saturating_sub(2);
    account.assert_lost_at_most(container.reported_lost());
}

/// A reload and the watchdog do not wait for a journald that hangs, for messages of any length.
pub fn a_frozen_journal_holds_nothing_up(container: &mut Container) {
    let kill = "systemctl kill systemd-journald --signal";
    container.drop_in("foo.service", &format!("[Service]\nWatchdogSec=2s\n{NO_LIMIT}"));
    container.start();
    let pid = container.show("MainPID");
    let load = Load::of_lengths(container, MIXED);
    load.wait_for(100);
    container.run(&format!("{kill}=STOP"));
    load.wait_until_full();
    container.run("timeout 5 systemctl reload foo");
    // Longer than the watchdog's timeout.
    for _ in 0..4 {
        let before = container.show("WatchdogTimestampMonotonic");
        let ping = || container.show("WatchdogTimestampMonotonic");
        until("another ping", ping, |now| *now != before);
    }
    container.run(&format!("{kill}=CONT"));
    load.wait_for(100);
    load.finish(container).assert_whole();
    assert_eq!((container.show("MainPID"), container.show("NRestarts")), (pid, "0".to_owned()));
}

/// A stop does not wait for a journald that hangs. What fits into its buffers is logged afterwards.
pub fn a_frozen_journal_does_not_keep_foo_from_stopping(container: &mut Container) {
    let kill = "systemctl kill systemd-journald --signal";
    container.start();
    container.run("journalctl --sync");
    container.run(&format!("{kill}=STOP"));
    let messages: Vec<_> =
        MIXED.iter().cycle().take(12).map(|&length| "x".repeat(length)).collect();
    for (number, text) in messages.iter().enumerate() {
        container.send(format!("{number} {text}").as_bytes());
    }
    let begin = Instant::now();
    container.run("systemctl stop foo");
    let took = begin.elapsed();
    container.run(&format!("{kill}=CONT"));
    container.wait_until_both("inactive");
    container.report(format_args!("stopped in {} ms", took.as_millis()));
    assert!(took < Duration::from_secs(6), "stopped after {took:?}");
    for number in 0..messages.len() {
        let begin = format!(": {number} x");
        let count = || container.lines().matches(&begin).count();
        until("each message once", count, |&count| count == 1);
    }
}

pub fn a_stopped_journal(container: &mut Container) {
    let account = journal(container, Load::at_ease, 1, &stop_journal());
    account.assert_lost_at_most(container.reported_lost());
}

pub fn a_stopped_journal_and_long_messages(container: &mut Container) {
    let account = journal(container, mixed, times(20).max(3), &stop_journal());
    account.assert_lost_at_most(container.reported_lost());
}

/// systemd gives a foo that starts meanwhile /dev/null in the journal's place, and says nothing. foo
/// does not consume what it can't log.
pub fn a_start_without_a_journal(container: &mut Container) {
    container.run(&format!("systemctl stop {JOURNAL} syslog.socket"));
    container.start_service();
    let pid = container.show("MainPID");
    let output = container.run(&format!("readlink /proc/{pid}/fd/2"));
    assert_eq!(output.trim(), "/dev/null", "systemd has another way out now");
    for number in 0..8 {
        container.send(format!("message {number}").as_bytes());
    }
    let status = || container.show("StatusText");
    until("the reason", status, |status| status.contains("the journal can't be reached"));
    container.run(&format!("systemctl reset-failed; systemctl start {JOURNAL}"));
    for number in 0..8 {
        let end = format!(": message {number}");
        let count = || container.lines().lines().filter(|line| line.ends_with(&end)).count();
        until("each message once", count, |&count| count == 1);
    }
    assert_eq!(container.show("MainPID"), pid, "another process");
}

fn mixed(container: &Container) -> Load {
    Load::of_lengths(container, MIXED)
}

fn stop_journal() -> String {
    // Longer than an entry waits for its queue. So many starts would exceed systemd's limit, whose
    // count this resets.
    format!(
        "systemctl stop {JOURNAL} syslog.socket; sleep 3; systemctl reset-failed; systemctl start {JOURNAL}"
    )
}

/// `journalctl -x` explains what foo reports.
pub fn reports_are_explained(container: &mut Container) {
    // make install does this if it installs on the machine itself.
    container.run("journalctl --update-catalog");
    container.start();
    let limit = "[Service]\nExecStart=\nExecStart=/usr/local/bin/foo --max-rate=1\n";
    for (unit, settings, cause, subject) in [
        ("foo.service", limit, "systemctl restart foo; foocl 4", "Senders wait for the rate limit"),
        ("foo.socket", &another_path(), "systemctl restart foo || :", "systemd passed no socket"),
    ] {
        container.drop_in(unit, settings);
        container.run(cause);
        let query = "journalctl --sync; journalctl --catalog --unit=foo";
        container.until(query, |shown| shown.contains(&format!("Subject: {subject}")));
    }
}

/// journald drops messages while the disk is full. foo stays up and works as before afterwards.
pub fn a_full_disk(container: &mut Container) {
    container
        .run("systemctl stop systemd-journald.service; mount -t tmpfs -o size=20M tmpfs /var/log/journal");
    container.run("systemctl restart systemd-journald; journalctl --flush; journalctl --sync");
    container.start();
    let pid = container.show("MainPID");
    let load = Load::heavy(container);
    load.wait_for(BETWEEN);
    container.run("head --bytes=100M /dev/zero > /var/log/journal/filling || :");
    load.wait_for(BETWEEN);
    container.run("rm /var/log/journal/filling");
    load.finish(container);
    assert_eq!(container.show("MainPID"), pid, "another process");
}

/// Runs a command against the journal under load, some times. foo stays the same process.
fn journal(
    container: &Container,
    load: fn(&Container) -> Load,
    times: u64,
    command: &str,
) -> Account {
    container.drop_in("foo.service", &format!("[Service]\n{NO_LIMIT}"));
    container.start();
    let pid = container.show("MainPID");
    let load = load(container);
    for _ in 0..times {
        load.wait_for(BETWEEN);
        container.run(command);
        let is_active = "systemctl is-active systemd-journald || :";
        container.until(is_active, |state| state == "active");
    }
    load.wait_for(BETWEEN);
    let account = load.finish(container);
    assert_eq!(container.show("MainPID"), pid, "another process");
    account
}

//! What goes wrong around foo while senders are at full speed: the journal, foo itself, its limits.

use super::frame::container::{Container, eventually};
use super::frame::host::times;
use super::frame::load::{Load, NO_LIMIT};
use std::time::{Duration, Instant};

/// Messages that are accepted between one step and the next.
const BETWEEN: u64 = 300;

/// Lengths of messages that become lines and entries of the journal.
const MIXED: &[usize] = &[100, 60_000, 200_000];

/// foo fails at each start for a while, as after a botched upgrade. The socket keeps what is queued.
pub fn a_broken_program_loses_nothing(container: &mut Container) {
    // Twenty take ten seconds; systemd's own limit would let five pass.
    let starts = times(20).max(7);
    container.start();
    let socket = container.socket();
    let load = Load::at_full_speed(container);
    load.wait_for(BETWEEN);
    container.run("mv /usr/local/bin/foo /foo; printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/foo; chmod +x /usr/local/bin/foo");
    container.run("systemctl kill --kill-who=main foo");
    eventually("many starts", || {
        let restarts = container.show("NRestarts");
        if restarts
            .parse::<u64>()
            .is_ok_and(|restarts| restarts >= starts)
        {
            Ok(())
        } else {
            Err(restarts)
        }
    });
    container.run("mv /foo /usr/local/bin/foo");
    load.wait_for(BETWEEN);
    let account = load.finish(container);
    container.tell(&account);
    account.assert_whole();
    assert_eq!(container.socket(), socket, "another socket");
}

/// A daemon that is stuck is told to stop, and logs what it has before it does.
pub fn a_stuck_daemon_is_restarted(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nWatchdogSec=1s\n");
    container.start();
    let load = Load::at_full_speed(container);
    for _ in 0..times(10) {
        load.wait_for(BETWEEN);
        let pid = container.show("MainPID");
        container.run("systemctl kill --signal=STOP foo");
        container.wait_for_another_than(&pid);
    }
    load.wait_for(BETWEEN);
    let account = load.finish(container);
    container.tell(&account);
    account.assert_whole();
}

pub fn a_restarted_journal(container: &mut Container) {
    let restart = "systemctl restart systemd-journald";
    journal(container, Load::at_ease, 3, 0, restart);
}

pub fn a_restarted_journal_and_long_messages(container: &mut Container) {
    let restart = "systemctl restart systemd-journald";
    journal(container, mixed, 3, 0, restart);
}

pub fn a_killed_journal(container: &mut Container) {
    // At four lines a millisecond it has not read many more.
    let kill = "systemctl kill --signal=KILL systemd-journald";
    journal(container, Load::at_ease, 3, 100, kill);
}

pub fn a_killed_journal_and_long_messages(container: &mut Container) {
    let kill = "systemctl kill --signal=KILL systemd-journald";
    journal(container, mixed, 3, 100, kill);
}

/// libsystemd reports success for an entry that it then drops.
pub fn a_journal_without_its_socket_for_entries(container: &mut Container) {
    let socket = "/run/systemd/journal/socket";
    let remove = format!("mv {socket} {socket}.away; sleep 2; mv {socket}.away {socket}");
    journal(container, mixed, 2, 0, &remove);
}

/// One that hangs takes nothing for five seconds, but drops nothing.
pub fn a_frozen_journal(container: &mut Container) {
    let kill = "systemctl kill systemd-journald --signal";
    container.start();
    let load = Load::at_full_speed(container);
    load.wait_for(BETWEEN);
    container.run(&format!("{kill}=STOP; sleep 5; {kill}=CONT"));
    load.wait_for(BETWEEN);
    let account = load.finish(container);
    container.tell(&account);
    account.assert_whole();
}

/// Nothing that the service manager or an administrator wants of foo waits for a journal that hangs, whatever the
/// lengths of the messages.
pub fn a_frozen_journal_holds_nothing_up(container: &mut Container) {
    let kill = "systemctl kill systemd-journald --signal";
    container.drop_in(
        "foo.service",
        &format!("[Service]\nWatchdogSec=2s\n{NO_LIMIT}"),
    );
    container.start();
    let pid = container.show("MainPID");
    let load = Load::of_lengths(container, MIXED);
    load.wait_for(100);
    container.run(&format!("{kill}=STOP"));
    load.wait_until_full();
    container.run("timeout 5 systemctl reload foo");
    // Longer than the watchdog waits.
    for _ in 0..4 {
        let before = container.show("WatchdogTimestampMonotonic");
        eventually("a ping", || {
            let now = container.show("WatchdogTimestampMonotonic");
            if now == before { Err(now) } else { Ok(()) }
        });
    }
    container.run(&format!("{kill}=CONT"));
    load.wait_for(100);
    let account = load.finish(container);
    container.tell(&account);
    account.assert_whole();
    assert_eq!(
        (container.show("MainPID"), container.show("NRestarts")),
        (pid, "0".to_owned())
    );
}

/// What fits into the journal's buffers is there after the thaw, and the stop does not wait for that.
pub fn a_frozen_journal_does_not_keep_foo_from_stopping(container: &mut Container) {
    let kill = "systemctl kill systemd-journald --signal";
    container.start();
    container.run("journalctl --sync");
    container.run(&format!("{kill}=STOP"));
    let messages: Vec<_> = MIXED
        .iter()
        .cycle()
        .take(12)
        .map(|&length| "x".repeat(length))
        .collect();
    for (number, text) in messages.iter().enumerate() {
        container.send(format!("{number} {text}").as_bytes());
    }
    let begin = Instant::now();
    container.run("systemctl stop foo");
    let took = begin.elapsed();
    container.run(&format!("{kill}=CONT"));
    container.wait_until_both("inactive");
    container.tell(format_args!("stopped in {} ms", took.as_millis()));
    assert!(took < Duration::from_secs(6), "stopped after {took:?}");
    for number in 0..messages.len() {
        eventually("each message once", || {
            let begin = format!(": {number} x");
            let count = container
                .lines()
                .lines()
                .filter(|line| line.contains(&begin))
                .count();
            if count == 1 {
                Ok(())
            } else {
                Err(format!("{number}: {count}"))
            }
        });
    }
}

pub fn a_stopped_journal(container: &mut Container) {
    journal(container, Load::at_ease, 1, 0, &stop_journal());
}

pub fn a_stopped_journal_and_long_messages(container: &mut Container) {
    // journald may end between reading an entry and storing it.
    journal(container, mixed, 1, 2, &stop_journal());
}

fn mixed(container: &Container) -> Load {
    Load::of_lengths(container, MIXED)
}

fn stop_journal() -> String {
    let units = "systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket";
    format!("systemctl stop {units} syslog.socket; sleep 5; systemctl start {units}")
}

/// What does not fit is dropped by the journal, not by foo, which stays up; afterwards all is well again.
pub fn a_full_disk(container: &mut Container) {
    container
        .run("systemctl stop systemd-journald.service; mount -t tmpfs -o size=20M tmpfs /var/log/journal");
    container.run("systemctl restart systemd-journald; journalctl --flush; journalctl --sync");
    container.start();
    let pid = container.show("MainPID");
    let load = Load::at_full_speed(container);
    load.wait_for(BETWEEN);
    container.run("head --bytes=100M /dev/zero > /var/log/journal/filling || :");
    load.wait_for(BETWEEN);
    container.run("rm /var/log/journal/filling");
    let account = load.finish(container);
    container.tell(&account);
    assert_eq!(container.show("MainPID"), pid, "another process");
}

pub fn too_few_descriptors(container: &mut Container) {
    limited(container, "LimitNOFILE=4", &["Too many open files"]);
}

pub fn too_little_address_space(container: &mut Container) {
    // Whether systemd's sandbox, the dynamic linker or foo is the first that lacks it.
    limited(
        container,
        "LimitAS=8M",
        &[
            "Failed at step",
            "annot allocate memory",
            "failed to map segment",
            "out of memory",
        ],
    );
}

/// Under a limit that it can't work with, the unit's log says so, and foo works through the queue once the
/// limit is lifted.
fn limited(container: &Container, limit: &str, says: &[&str]) {
    container.start();
    let load = Load::of_lengths(container, &[200_000]);
    load.wait_for(10);
    container.drop_in("foo.service", &format!("[Service]\n{limit}\n"));
    container.run("systemctl kill foo");
    eventually(says[0], || {
        let lines = container
            .run("journalctl --sync; journalctl --unit=foo --output=cat --lines=10 | cut -c 1-200");
        if says.iter().any(|text| lines.contains(text)) {
            Ok(())
        } else {
            Err(lines)
        }
    });
    container.drop_in("foo.service", "");
    load.wait_for(10);
    let account = load.finish(container);
    container.tell(&account);
    account.assert_whole();
}

/// Twice what the libraries take up is enough, since foo reserves what it needs at its start.
pub fn little_address_space_is_enough(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nLimitAS=24M\n");
    container.start();
    let pid = container.show("MainPID");
    let load = Load::of_lengths(container, &[200_000]);
    load.wait_for(100);
    let account = load.finish(container);
    container.tell(&account);
    account.assert_whole();
    assert_eq!(container.show("MainPID"), pid, "another process");
}

/// Does something to the journal under load. foo stays up; the same process. What is lost foo reports, but for
/// what the journal had read, so many lines each time, and not stored.
fn journal(
    container: &Container,
    load: fn(&Container) -> Load,
    times: u64,
    read: u64,
    command: &str,
) {
    container.drop_in("foo.service", &format!("[Service]\n{NO_LIMIT}"));
    container.start();
    let pid = container.show("MainPID");
    let load = load(container);
    for _ in 0..times {
        load.wait_for(BETWEEN);
        container.run(command);
        eventually("the journal", || {
            let state = container.run("systemctl is-active systemd-journald || :");
            if state == "active" {
                Ok(())
            } else {
                Err(state)
            }
        });
    }
    load.wait_for(BETWEEN);
    let account = load.finish(container);
    container.tell(&account);
    assert_eq!(container.show("MainPID"), pid, "another process");
    account.assert_lost_at_most(container.told_lost() + times * read);
}

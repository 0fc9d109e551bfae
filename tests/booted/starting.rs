//! Starting, stopping, reloading and restarting, from either unit of either pair.

use std::fs;
use std::time::{Duration, Instant};

use super::frame::container::{Container, eventually};
use super::frame::journal::Entry;

pub fn starting_the_service_starts_both(container: &mut Container) {
    container.start_service();
}

/// The original's service gets no socket if it is started by itself.
pub fn starting_the_service_alone_fails_as_it_did(container: &mut Container) {
    container.fails("systemctl start foo");
    assert_eq!(container.show("Result"), "exit-code");
    assert_eq!(container.show("ExecMainStatus"), "255");
    eventually("the two lines that say so, each an entry", || {
        let lines: Vec<_> = container.journal().iter().map(Entry::line).collect();
        let [.., no_descriptors, no_socket] = &lines[..] else {
            return Err(format!("{lines:?}"));
        };
        let as_it_did = no_descriptors == "4 Unable to find any file descriptors"
            && no_socket == "3 Unable to get file descriptor for socket";
        if as_it_did { Ok(()) } else { Err(format!("{lines:?}")) }
    });
}

pub fn the_start_up_lines_stand_in_the_journal(container: &mut Container) {
    container.start();
    let entries = container.journal();
    assert!(entries.iter().all(|entry| entry.field("SYSLOG_IDENTIFIER") == "foo"));
    let lines: Vec<_> = entries.iter().map(Entry::line).collect();
    assert_eq!(lines[0].trim_end(), "6 Environment:");
    let start = lines.len() - 3;
    assert!(lines[1..start].iter().all(|line| line.starts_with("6  ")), "{lines:?}");
    assert!(lines.contains(&"6  LISTEN_FDNAMES=foo.socket".to_owned()), "{lines:?}");
    let want = ["5 foo service started", "5 File Descriptor names are:", "5  foo.socket"];
    assert_eq!(lines[start..], want);
}

pub fn stopping_the_socket_stops_both(container: &mut Container) {
    assert_stops_both(container, "foo.socket");
}

pub fn stopping_the_service_stops_both(container: &mut Container) {
    assert_stops_both(container, "foo.service");
}

/// Both stop with success, and no client starts them again.
fn assert_stops_both(container: &Container, unit: &str) {
    container.start();
    // systemd forgets the result of a stopped unit, so the journal must show it. It has a success
    // at this level only.
    container.run("systemctl log-level debug");
    container.run(&format!("systemctl stop {unit}"));
    container.wait_until_both("inactive");
    container.fails("foocl hello");
    container.wait_until_both("inactive");
    let entries = container.entries("_PID=1 UNIT=foo.service");
    let texts: Vec<_> = entries.iter().map(Entry::message).collect();
    // The second text has another form before systemd 248.
    for ends in [
        &["Main process exited, code=exited, status=0/SUCCESS"][..],
        &["Deactivated successfully.", "Succeeded."],
    ] {
        let said =
            |text: &String| ends.iter().any(|end| text.starts_with(&format!("foo.service: {end}")));
        assert!(texts.iter().any(said), "no {ends:?} in {texts:#?}");
    }
}

pub fn reloading_keeps_the_process(container: &mut Container) {
    container.start();
    let pid = container.show("MainPID");
    container.run("systemctl reload foo");
    container.send(b"after the reload");
    let entry = container.wait_for(": after the reload");
    assert_eq!(entry.field("_PID"), pid);
    assert_eq!(container.show("MainPID"), pid);
    container.wait_until_both("active");
}

pub fn restarting_starts_another_process(container: &mut Container) {
    container.start();
    let pid = container.show("MainPID");
    container.run("systemctl restart foo");
    container.assert_serves("after the restart");
    assert_ne!(container.show("MainPID"), pid);
}

/// Its socket is there before all units that are ordered after sockets.target.
pub fn enabled_it_is_up_after_a_boot(container: &mut Container) {
    container.run("systemctl enable foo");
    container.wait_until_both("inactive");
    container.reboot();
    container.assert_serves("hello");
    let before = container.run("systemctl show --property=Before --value foo.socket");
    assert!(before.split(' ').any(|unit| unit == "sockets.target"), "ordered before {before} only");
    let since = |unit| {
        let query =
            format!("systemctl show --property=ActiveEnterTimestampMonotonic --value {unit}");
        container.run(&query).parse::<u64>().expect("a time")
    };
    let (socket, target) = (since("foo.socket"), since("sockets.target"));
    assert!(
        socket > 0 && socket <= target,
        "the socket {socket} us, sockets.target {target} us after the boot"
    );
}

pub fn systemd_analyze_finds_no_fault(container: &mut Container) {
    // A minimal Debian has no man(1), with which systemd-analyze looks up the pages.
    let faults = container.run("systemd-analyze verify --man=no foo.service foo.socket 2>&1");
    assert_eq!(faults, "");
}

/// A unit that wants the socket keeps it active when the service is stopped. Named together, both
/// stop.
pub fn stopping_both_stops_a_socket_that_is_wanted(container: &mut Container) {
    let wants = "[Unit]\nWants=foo.socket\n[Service]\nExecStart=/bin/sleep infinity\n";
    fs::write(container.path("/etc/systemd/system/sender.service"), wants).expect("a unit");
    container.run("systemctl daemon-reload; systemctl start sender");
    container.wait_until_both("active");
    container.run("systemctl stop foo.socket foo.service");
    container.wait_until_both("inactive");
    assert_eq!(container.run("systemctl is-active sender"), "active");
}

/// foo stops after all ordinary services, so that what they send at a shutdown is logged, also by
/// one that takes its time.
pub fn what_is_sent_at_a_shutdown_is_logged(container: &mut Container) {
    let unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\n\
        ExecStart=/bin/sh -c 'foocl \"at the boot\"'\n\
        ExecStop=/bin/sh -c 'sleep 1; seq --format=\"the end %%g\" 10 | foocl -'\n\
        [Install]\nWantedBy=multi-user.target\n";
    fs::write(container.path("/etc/systemd/system/sender.service"), unit).expect("a unit");
    container.run(
        "mkdir -p /var/log/journal; systemctl restart systemd-journald; systemctl daemon-reload",
    );
    container.run("systemctl enable foo; systemctl start foo; systemctl enable --now sender");
    container.wait_for(": at the boot");
    container.reboot();
    for number in 1..=10 {
        container.wait_for(&format!(": the end {number}"));
    }
}

/// systemd's default limit is five starts in ten seconds.
pub fn many_stops_and_starts_fail_neither(container: &mut Container) {
    let times = || {
        let begin = Instant::now();
        for _ in 0..7 {
            container.run("systemctl start foo && systemctl stop foo");
            container.wait_until_both("inactive");
        }
        begin.elapsed()
    };
    // A machine that is too slow to reach the limit tries again.
    assert!((0..3).any(|_| times() < Duration::from_secs(10)), "never within ten seconds");
    container.start();
    container.assert_serves("still there");
}

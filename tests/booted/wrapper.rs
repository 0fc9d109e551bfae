//! The examples, and so the safe wrapper, with a real PID 1 and a real journal.

use super::frame::container::{Container, until};
use std::fs;

/// Installs a service and starts it.
fn start(container: &Container, unit: &str, service: &str) {
    let path = container.path(&format!("/etc/systemd/system/{unit}.service"));
    fs::write(path, format!("[Service]\nType=notify\n{service}\n")).expect("a unit");
    container.run(&format!("systemctl daemon-reload; systemctl start {unit}"));
}

/// Returns a property of a service.
fn show(container: &Container, unit: &str, property: &str) -> String {
    container.run(&format!("systemctl show --property={property} --value {unit}.service"))
}

/// Each process of the service gets the number in the stored file, also after a crash.
pub fn the_descriptor_store_survives_restarts(container: &mut Container) {
    let store = "ExecStart=/usr/local/bin/fd_store\nFileDescriptorStoreMax=1\nRestart=always\nRestartSec=0\n\
        WatchdogSec=20s";
    start(container, "fd_store", store);
    assert_eq!(show(container, "fd_store", "StatusText"), "Start 1");
    assert_eq!(show(container, "fd_store", "NFileDescriptorStore"), "1");
    container.run("systemctl restart fd_store");
    assert_eq!(show(container, "fd_store", "StatusText"), "Start 2");
    container.run("systemctl kill --signal=KILL fd_store");
    let status = || show(container, "fd_store", "StatusText");
    until("a third start", status, |status| status == "Start 3");
    assert_eq!(show(container, "fd_store", "NFileDescriptorStore"), "1");
}

/// A service that sends each line it reads as a notification. It answers with the exit status, the
/// PID of another process, and its own.
const NOTIFIER: &str = "mkfifo /run/words /run/results
sleep infinity & other=$!
notify ready
while read -r words; do eval \"notify $words\" </dev/zero; echo $? $other $$ >/run/results; done <>/run/words";

/// The first systemd that knows a notification, the notification, the property that shows it, and
/// its value. `notify` ends with a barrier, so the service manager knows the value by then.
const NOTIFICATIONS: &[(u32, &str, &str, &str)] = &[
    (0, "'status=Waiting = \u{e4}'", "StatusText", "Waiting = \u{e4}"),
    (0, "errno=2", "StatusErrno", "2"),
    (254, "bus_error=org.example.Error", "StatusBusError", "org.example.Error"),
    (0, "watchdog_usec=3600", "WatchdogUSec", "1h"),
    (0, "reloading", "ActiveState", "reloading"),
    (0, "ready", "ActiveState", "active"),
    (0, "main_pid=$other", "MainPID", "$other"),
    (0, "main_pid=$$", "MainPID", "$$"),
    (0, "fdstore fd_name=kept", "NFileDescriptorStore", "1"),
    (0, "fdstore fd_name=more FDPOLL=0", "NFileDescriptorStore", "2"),
    (0, "fdstoreremove fd_name=kept", "NFileDescriptorStore", "1"),
    (0, "status=Listening X_OWN=any", "StatusText", "Listening"),
    (254, "notify_access_main", "NotifyAccess", "main"),
    (254, "status=unheard", "StatusText", "Listening"),
];

pub fn the_service_manager_knows_what_it_was_told(container: &mut Container) {
    fs::write(container.path("/run/notifier"), NOTIFIER).expect("a script");
    let notifier = "ExecStart=/bin/sh /run/notifier\nNotifyAccess=all\nFileDescriptorStoreMax=9";
    start(container, "notifier", notifier);
    for &(since, words, property, value) in NOTIFICATIONS {
        if container.systemd() < since {
            continue;
        }
        let answer = container
            .run(&format!("echo \"{}\" > /run/words; cat /run/results", words.replace('$', "\\$")));
        let [status, other, own] = answer.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{answer}")
        };
        assert_eq!(status, "0", "notify {words}");
        let value = value.replace("$$", own).replace("$other", other);
        assert_eq!(show(container, "notifier", property), value, "notify {words}");
    }
}

/// Takes two seconds to start with a timeout of one. Then it triggers its watchdog.
pub fn a_service_has_more_time_and_triggers_its_watchdog(container: &mut Container) {
    let slow = "ExecStart=/bin/sh -c 'notify extend_timeout_usec=20; sleep 2; notify ready; read end </run/end; \
        notify watchdog_trigger; sleep infinity'\nTimeoutStartSec=1s\nNotifyAccess=all";
    container.run("mkfifo /run/end");
    start(container, "slow", slow);
    assert_eq!(show(container, "slow", "ActiveState"), "active");
    container.run("echo > /run/end");
    let result = || show(container, "slow", "Result");
    until("the watchdog ends it", result, |result| result == "watchdog");
}

pub fn the_journal_has_each_byte_of_an_entry(container: &mut Container) {
    container.run("journal");
    let [entry] = &container.entries("EXAMPLE_ID=1 EXAMPLE_ID=2")[..] else { panic!("not one") };
    let fields: &[(&str, &[&[u8]])] = &[
        ("MESSAGE", &[b"two\nlines"]),
        ("PRIORITY", &[b"4"]),
        ("ERRNO", &[b"2"]),
        ("CODE_FILE", &[b"libsystemd-safe/examples/journal.rs"]),
        ("SYSLOG_IDENTIFIER", &[b"journal"]),
        ("EXAMPLE_RAW", &[b"\0\n\xff"]),
        ("EXAMPLE_ID", &[b"1", b"2"]),
    ];
    for (name, values) in fields {
        assert_eq!(entry.values(name).collect::<Vec<_>>(), *values, "{name}");
    }
    let lines: Vec<_> =
        container.entries("SYSLOG_IDENTIFIER=example").iter().map(|entry| entry.line()).collect();
    assert_eq!(lines, ["6 a line", "3 an error"]);
}

/// A service rotates the journal while it logs, and a reader follows it.
pub fn a_reader_follows_rotations(container: &mut Container) {
    container.run(
        "systemd-run --quiet --unit=reading --property=StandardOutput=file:/run/read \
            read_journal counting.service",
    );
    container.run(
        "systemd-run --quiet --wait --unit=counting sh -ec \
            'for number in $(seq 200); do \
                echo \"message $number\"; [ $((number % 10)) != 0 ] || journalctl --rotate; \
            done'",
    );
    let read =
        container.until("grep ^message /run/read || :", |read| read.ends_with("message 200"));
    let want: Vec<_> = (1..=200).map(|number| format!("message {number}")).collect();
    assert_eq!(read.lines().collect::<Vec<_>>(), want);
}

//! The text of each assignment to the service manager.

use crate::role::assert_invalid;
use libsystemd_safe::daemon::{NotifyAccess, NotifyState as State};
use nix::time::{ClockId, clock_gettime};
use proptest::prelude::*;
use std::time::Duration;

pub fn each_assignment() {
    let longest = "x".repeat(255);
    let rows = [
        (State::READY, "READY=1"),
        (State::STOPPING, "STOPPING=1"),
        (State::WATCHDOG, "WATCHDOG=1"),
        (State::WATCHDOG_TRIGGER, "WATCHDOG=trigger"),
        (State::FDSTORE, "FDSTORE=1"),
        (State::FDSTOREREMOVE, "FDSTOREREMOVE=1"),
        (State::FDPOLL_0, "FDPOLL=0"),
        (State::RESTART_RESET, "RESTART_RESET=1"),
        (State::status("it's = \u{e4}\t").unwrap(), "STATUS=it's = \u{e4}\t"),
        (State::status("").unwrap(), "STATUS="),
        (State::errno(libc::ENOENT), "ERRNO=2"),
        (State::bus_error("org.example.Error").unwrap(), "BUSERROR=org.example.Error"),
        (State::exit_status(0), "EXIT_STATUS=0"),
        (State::exit_status(255), "EXIT_STATUS=255"),
        (State::main_pid(4711), "MAINPID=4711"),
        (State::watchdog_usec(Duration::from_millis(1500)), "WATCHDOG_USEC=1500000"),
        (State::watchdog_usec(Duration::from_nanos(1999)), "WATCHDOG_USEC=1"),
        (State::watchdog_usec(Duration::MAX), "WATCHDOG_USEC=18446744073709551614"),
        (State::extend_timeout_usec(Duration::from_micros(7)), "EXTEND_TIMEOUT_USEC=7"),
        (State::extend_timeout_usec(Duration::MAX), "EXTEND_TIMEOUT_USEC=18446744073709551614"),
        (State::fd_name("a b@c").unwrap(), "FDNAME=a b@c"),
        (State::fd_name(&longest).unwrap(), &format!("FDNAME={longest}")),
        (State::notify_access(NotifyAccess::None), "NOTIFYACCESS=none"),
        (State::notify_access(NotifyAccess::All), "NOTIFYACCESS=all"),
        (State::notify_access(NotifyAccess::Exec), "NOTIFYACCESS=exec"),
        (State::notify_access(NotifyAccess::Main), "NOTIFYACCESS=main"),
        (State::assignment("X_1", "a=b").unwrap(), "X_1=a=b"),
    ];
    for (state, text) in rows {
        assert_eq!(state.as_str(), text);
        assert_eq!(state.to_string(), text);
    }
}

pub fn invalid_assignments() {
    let too_long = "x".repeat(256);
    let rows = [
        ("a status of two lines", State::status("a\nREADY=1"), "newline"),
        ("a status with a NUL", State::status("a\0"), "NUL"),
        (
            "a status with a carriage return, which systemd takes for a newline",
            State::status("a\rMAINPID=1"),
            "carriage return",
        ),
        (
            "a final backslash, which hides the newline after it from systemd",
            State::status("a\\"),
            "final backslash",
        ),
        ("a bus error of two lines", State::bus_error("a\n"), "newline"),
        ("a bus error with a NUL", State::bus_error("\0"), "NUL"),
        ("a value of two lines", State::assignment("X_1", "\n"), "newline"),
        ("a value with a NUL", State::assignment("X_1", "a\0b"), "NUL"),
        ("no name", State::assignment("", "a"), "can't name an assignment"),
        ("a name with =", State::assignment("A=B", "a"), "can't name an assignment"),
        ("a name with a newline", State::assignment("A\nB", "a"), "can't name an assignment"),
        ("a name with a NUL", State::assignment("A\0", "a"), "can't name an assignment"),
        ("small letters", State::assignment("ready", "1"), "can't name an assignment"),
        ("a space", State::assignment("A B", "a"), "can't name an assignment"),
        ("no descriptor's name", State::fd_name(""), "can't name a descriptor"),
        ("a descriptor's name too long", State::fd_name(&too_long), "can't name a descriptor"),
        ("a descriptor's name with a colon", State::fd_name("a:b"), "can't name a descriptor"),
        (
            "a descriptor's name with a backslash, which systemd removes",
            State::fd_name("a\\b"),
            "can't name a descriptor",
        ),
        ("a descriptor's name with a newline", State::fd_name("a\n"), "can't name a descriptor"),
        ("a descriptor's name with a control", State::fd_name("\x7f"), "can't name a descriptor"),
        ("a descriptor's name not ASCII", State::fd_name("\u{e4}"), "can't name a descriptor"),
    ];
    for (case, state, says) in rows {
        assert_invalid(case, state, says);
    }
}

pub fn any_text_is_one_assignment_or_refused() {
    // Any text, and text in which the special characters are frequent.
    let text = || prop_oneof![any::<String>(), "[A-Za-z0-9_=:\\\\\0\n\r \u{e4}]{0,300}"];
    proptest!(|(name in text(), value in text())| {
        let states = [
            ("STATUS", State::status(&value)),
            ("BUSERROR", State::bus_error(&value)),
            ("FDNAME", State::fd_name(&value)),
            (name.as_str(), State::assignment(&name, &value)),
        ];
        for (name, state) in states {
            let Ok(state) = state else { continue };
            let text = state.as_str();
            prop_assert!(!text.contains(['\0', '\n', '\r']), "{text:?}");
            prop_assert!(!text.ends_with('\\'), "{text:?}");
            prop_assert_eq!(text.split_once('='), Some((name, value.as_str())));
        }
    });
    proptest!(|(value in "([^\0\n\r]*[^\0\n\r\\\\])?")| {
        prop_assert!(State::status(&value).is_ok());
        prop_assert!(State::assignment("X_ANY", &value).is_ok());
    });
}

pub fn a_reload_has_a_timestamp() {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap()).as_micros();
    let before = now();
    let state = State::reloading().unwrap();
    let after = now();
    let time = state.as_str().strip_prefix("RELOADING=1\nMONOTONIC_USEC=").map(str::parse);
    assert!(
        matches!(time, Some(Ok(time)) if (before..=after).contains(&time)),
        "{before} {state} {after}"
    );
}

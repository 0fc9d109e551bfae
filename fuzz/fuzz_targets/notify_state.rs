//! What is told the service manager is the assignments that were meant and no other, or an error.

#![no_main]

use arbitrary::Arbitrary;
use foo::systemd::daemon::{NotifyAccess, NotifyState};
use libfuzzer_sys::fuzz_target;
use std::{io, time::Duration};

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Status(&'a str),
    Errno(i32),
    BusError(&'a str),
    ExitStatus(u8),
    MainPid(u32),
    WatchdogUsec(Duration),
    ExtendTimeoutUsec(Duration),
    FdName(&'a str),
    NotifyAccess(u8),
    Assignment(&'a str, &'a str),
    Reloading,
}

fuzz_target!(|inputs: Vec<Input>| {
    for input in inputs {
        let (names, state) = made(&input);
        let bad = match input {
            Input::Status(text) | Input::BusError(text) | Input::Assignment(_, text) => {
                is_two(text)
            }
            _ => false,
        };
        let Ok(state) = state else {
            assert!(
                bad || matches!(input, Input::FdName(_) | Input::Assignment(..)),
                "refused: {input:?}"
            );
            continue;
        };
        assert!(!bad, "taken: {input:?}");
        let text = state.as_str();
        assert!(!text.contains('\0'), "{text:?}");
        let assigned = text
            .split('\n')
            .map(|line| line.split_once('=').expect("NAME=value").0);
        assert!(assigned.eq(names), "{text:?}");
    }
});

/// Whether a text would end its assignment and begin another.
fn is_two(text: &str) -> bool {
    text.bytes().any(|byte| byte == b'\n' || byte == 0)
}

/// What is to be assigned, and what came of it.
fn made<'a>(input: &Input<'a>) -> (Vec<&'a str>, io::Result<NotifyState>) {
    match *input {
        Input::Status(text) => (vec!["STATUS"], NotifyState::status(text)),
        Input::Errno(errno) => (vec!["ERRNO"], Ok(NotifyState::errno(errno))),
        Input::BusError(name) => (vec!["BUSERROR"], NotifyState::bus_error(name)),
        Input::ExitStatus(status) => (vec!["EXIT_STATUS"], Ok(NotifyState::exit_status(status))),
        Input::MainPid(pid) => (vec!["MAINPID"], Ok(NotifyState::main_pid(pid))),
        Input::WatchdogUsec(period) => (
            vec!["WATCHDOG_USEC"],
            Ok(NotifyState::watchdog_usec(period)),
        ),
        Input::ExtendTimeoutUsec(time) => (
            vec!["EXTEND_TIMEOUT_USEC"],
            Ok(NotifyState::extend_timeout_usec(time)),
        ),
        Input::FdName(name) => (vec!["FDNAME"], NotifyState::fd_name(name)),
        Input::NotifyAccess(number) => {
            let all = [
                NotifyAccess::None,
                NotifyAccess::All,
                NotifyAccess::Exec,
                NotifyAccess::Main,
            ];
            (
                vec!["NOTIFYACCESS"],
                Ok(NotifyState::notify_access(all[usize::from(number % 4)])),
            )
        }
        Input::Assignment(name, text) => (vec![name], NotifyState::assignment(name, text)),
        Input::Reloading => (
            vec!["RELOADING", "MONOTONIC_USEC"],
            NotifyState::reloading(),
        ),
    }
}

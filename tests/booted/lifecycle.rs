//! What an administrator does to the units under load, and faults of foo itself: nothing is lost.

use super::frame::container::Container;
use super::frame::host::times;
use super::frame::load::{Account, Load, account, fill};

/// Messages accepted between two steps, so that each step is under load.
const BETWEEN: u64 = 500;

pub fn restarts_lose_nothing(container: &mut Container) {
    repeated(container, 20, "systemctl restart foo");
}

pub fn try_restarts_lose_nothing(container: &mut Container) {
    repeated(container, 5, "systemctl try-restart foo");
}

pub fn reloads_lose_nothing(container: &mut Container) {
    repeated(container, 50, "systemctl reload foo");
}

pub fn a_daemon_reload_loses_nothing(container: &mut Container) {
    repeated(container, 5, "systemctl daemon-reload");
}

pub fn a_daemon_reexec_loses_nothing(container: &mut Container) {
    repeated(container, 5, "systemctl daemon-reexec");
}

/// Repeats a command under load. The socket stays the same, and all messages arrive in order.
fn repeated(container: &Container, soak: u64, command: &str) {
    container.start();
    let socket = container.socket();
    let load = Load::heavy(container);
    for _ in 0..times(soak) {
        load.wait_for(BETWEEN);
        container.run(command);
    }
    load.wait_for(BETWEEN);
    load.finish(container).assert_whole();
    assert_eq!(container.socket(), socket, "another socket");
    container.wait_until_both("active");
}

/// Each time one batch, 16 datagrams, may be in flight. journald may read the lines of the next
/// process before the last of this one.
pub fn a_killed_daemon_loses_a_batch_at_most(container: &mut Container) {
    let account = restarted_after(container, "KILL", 20);
    account.assert_lost_at_most(times(20) * 16);
    assert_eq!(account.refused, 0, "{account:?}");
}

/// The watchdog stops a daemon that hangs. It logs what it has received first.
pub fn a_stuck_daemon_is_restarted(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nWatchdogSec=1s\n");
    restarted_after(container, "STOP", 10).assert_whole();
}

/// Sends a signal under load, and waits until another process serves the same socket.
fn restarted_after(container: &Container, signal: &str, soak: u64) -> Account {
    container.start();
    let socket = container.socket();
    let load = Load::heavy(container);
    for _ in 0..times(soak) {
        load.wait_for(BETWEEN);
        let pid = container.show("MainPID");
        container.run(&format!("systemctl kill --signal={signal} foo"));
        container.wait_for_another_than(&pid);
    }
    load.wait_for(BETWEEN);
    let account = load.finish(container);
    assert_eq!(container.socket(), socket, "another socket");
    account
}

pub fn stopping_the_service_logs_what_was_accepted(container: &mut Container) {
    stopped(container, "foo.service");
}

pub fn stopping_the_socket_logs_what_was_accepted(container: &mut Container) {
    stopped(container, "foo.socket");
}

/// Stops a unit under load, with a full queue. Both units stop, and all accepted messages are
/// logged.
fn stopped(container: &Container, unit: &str) {
    container.start();
    let load = Load::heavy(container);
    load.wait_for(10 * BETWEEN);
    // systemd sends SIGCONT to a process that it stops.
    container.run("systemctl kill --signal=STOP foo");
    let accepted = load.wait_until_full();
    container.run(&format!("systemctl stop {unit}"));
    container.wait_until_both("inactive");
    load.account(&accepted, container).assert_lost_at_most(0);
    container.wait_until_both("inactive");
}

/// A stop drops the queue of a foo that does not run, so foo(8) says to restart it first.
pub fn restarted_and_stopped_a_killed_daemon_loses_nothing(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nRestartSec=1h\nRestartSteps=0\n");
    container.start();
    let kill = |signal| container.run(&format!("systemctl kill --kill-who=main -s {signal} foo"));
    kill("STOP");
    let sent = fill(container, &[100]);
    kill("KILL");
    container.until("systemctl is-active foo || :", |state| state == "activating");
    container.run("systemctl restart foo; systemctl stop foo");
    container.wait_until_both("inactive");
    account(sent, container).assert_lost_at_most(0);
}

/// Whatever became of the units, the hint of foocl leads back.
pub fn a_restart_leads_back_from_each_state(container: &mut Container) {
    let broken = "mkdir -p /etc/systemd/system/foo.service.d; \
        printf '[Service]\\nUser=nobody-has-this-name\\n' > /etc/systemd/system/foo.service.d/x.conf; \
        systemctl daemon-reload; ! systemctl restart foo; systemctl revert foo.service";
    for (number, state) in [
        "systemctl stop foo",
        "systemctl mask foo; systemctl unmask foo",
        "systemctl mask --now foo; systemctl unmask foo",
        "systemctl mask foo.socket; systemctl unmask foo.socket",
        "systemctl enable foo; systemctl disable foo",
        broken,
        "systemctl isolate basic.target; systemctl isolate multi-user.target",
    ]
    .iter()
    .enumerate()
    {
        container.start();
        container.send(format!("before {number}").as_bytes());
        container.run(state);
        container.run("systemctl restart foo.socket foo.service");
        container.assert_serves(&format!("after {number}"));
        container.wait_for(&format!(": before {number}"));
    }
    container.run("systemctl stop foo");
    container.wait_until_both("inactive");
    container.run(
        "foocl hello 2>&1 | grep \"start it with 'systemctl restart foo.socket foo.service'\"",
    );
}

/// journald's default limit, 10,000 lines in 30 seconds, would drop most of this burst.
pub fn a_burst_is_whole(container: &mut Container) {
    container.start();
    let load = Load::at_full_speed(container);
    load.wait_for(200_000);
    load.finish(container).assert_whole();
}

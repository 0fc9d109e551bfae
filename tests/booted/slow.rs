//! Stops of a full queue on a slow machine: what was accepted is logged, or counted.

use super::frame::container::Container;
use super::frame::load::{account, fill};

/// Lengths of messages, in bytes. The kernel charges a sender for more than that.
const LENGTHS: &[usize] = &[32, 1000, 60_000, 200_000];

pub fn a_stop_with_a_slow_journal_loses_nothing(container: &mut Container) {
    stopped(container, &["systemd-journald"], "foo.service");
}

pub fn a_stop_of_a_slow_foo_loses_nothing(container: &mut Container) {
    stopped(container, &["foo"], "foo.socket");
}

pub fn a_stop_on_a_slow_machine_loses_nothing(container: &mut Container) {
    // foo asks for more time as long as it logs.
    container.drop_in("foo.service", "[Service]\nTimeoutStopSec=2s\n");
    stopped(container, &["systemd-journald", "foo"], "foo.service");
}

/// Stops a unit with a full queue and no sender, while services are slow: they run for a few
/// milliseconds of 30. `CPUQuota=` does the same, but not in each container.
fn stopped(container: &Container, slow: &[&str], unit: &str) {
    container.start();
    let sent = full_queue(container);
    for service in slow {
        container.run(&format!(
            "pid=$(systemctl show --property=MainPID --value {service}); \
             systemd-run --quiet --unit=slow-{service} --property=ExecStopPost=\"-/bin/sh -c 'kill -CONT $pid'\" \
             sh -c \"while kill -STOP $pid; do sleep 0.03; kill -CONT $pid; sleep 0.001; done\""
        ));
    }
    container.run(&format!("systemctl stop {unit}"));
    container.run("systemctl stop 'slow-*'");
    container.wait_until_both("inactive");
    account(sent, container).assert_lost_at_most(0);
    assert_eq!(container.show("Result"), "success");
}

/// A journald that reads nothing makes the stop give up. The status counts what is not logged.
pub fn a_stop_that_gives_up_counts_what_is_lost(container: &mut Container) {
    container.start();
    container.run("journalctl --sync");
    let sent = full_queue(container);
    let kill = "systemctl kill systemd-journald --signal";
    container.run(&format!("{kill}=STOP"));
    container.run("systemctl stop foo");
    container.run(&format!("{kill}=CONT"));
    assert_eq!([container.show("Result"), container.show("ExecMainStatus")], ["exit-code", "255"]);
    let status = container.show("StatusText");
    let counts: Vec<u64> = status.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [received, queued] = counts[..] else { panic!("no counts: {status}") };
    let account = account(sent, container);
    account.assert_lost_at_most(received + queued);
    assert!(account.lost >= queued, "{status}, but {account:?}");
}

/// Fills the queue of a foo that does not read. A stop makes foo continue.
fn full_queue(container: &Container) -> u64 {
    container.run("systemctl kill --kill-who=main --signal=STOP foo");
    let sent = fill(container, LENGTHS);
    // systemd sets net.unix.max_dgram_qlen to 512.
    assert_eq!(sent, 513, "not a full queue");
    sent
}

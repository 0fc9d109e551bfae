//! The Debian package: installed, upgraded, removed, purged.

use super::frame::container::Container;
use super::frame::deb::OLD;
use super::frame::host::times;
use super::frame::load::{Load, account, fill};
use super::recipes::another_path;
use std::fs;

/// Messages accepted between two steps.
const BETWEEN: u64 = 500;

pub fn installed_it_runs(container: &mut Container) {
    install(container, "new");
    assert_eq!(container.run("systemctl is-enabled foo"), "enabled");
    container.assert_serves("hello");
    assert_packaged(container);
    assert!(container.run("journalctl --list-catalog").contains(" foo: Messages may be lost"));
    container.reboot();
    container.assert_serves("hello again");
}

/// autopkgtest installs the package itself. `debian/files` tells it that the tree is built. It must
/// not ask the mirrors, which can't be reached.
pub fn its_autopkgtest_passes(container: &mut Container) {
    let output = container.run(
        "touch /root/source/debian/files; rm -f /etc/apt/sources.list; \
         autopkgtest --ignore-restrictions=isolation-container --summary-file=/root/summary \
             /root/new.deb /root/source/ -- null 2>&1 || :",
    );
    let summary = container.run("cat /root/summary");
    assert_eq!(summary.split_whitespace().collect::<Vec<_>>(), ["messages", "PASS"], "{output}");
}

/// The socket stays the same, so senders wait and none is refused.
pub fn an_upgrade_loses_nothing(container: &mut Container) {
    install(container, "old");
    container.wait_until_both("active");
    let socket = container.socket();
    let load = Load::heavy(container);
    for _ in 0..times(10).div_ceil(2) {
        for version in ["new", "old"] {
            load.wait_for(BETWEEN);
            let pid = container.show("MainPID");
            install(container, version);
            assert_eq!(
                version == "old",
                is_old(container),
                "not the version that was to be installed"
            );
            container.wait_for_another_than(&pid);
        }
    }
    load.wait_for(BETWEEN);
    assert_complete(container, load, socket);
    container.wait_until_both("active");
}

pub fn upgraded_a_disabled_pair_stays_down(container: &mut Container) {
    install(container, "old");
    container.run("systemctl disable --now foo");
    assert_stays_down(container, "disabled");
}

pub fn upgraded_a_stopped_pair_stays_down(container: &mut Container) {
    install(container, "old");
    container.run("systemctl stop foo");
    assert_stays_down(container, "enabled");
    container.start_service();
    container.assert_serves("hello");
}

fn assert_stays_down(container: &Container, enabled: &str) {
    container.wait_until_both("inactive");
    install(container, "new");
    assert!(!is_old(container));
    container.wait_until_both("inactive");
    assert_eq!(container.run("systemctl is-enabled foo || :"), enabled);
}

pub fn nothing_starts_where_policy_forbids_it(container: &mut Container) {
    container.run(
        "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d",
    );
    install(container, "new");
    assert_eq!(container.run("systemctl is-enabled foo"), "enabled");
    container.wait_until_both("inactive");
}

/// Installed again, both start.
pub fn removed_both_stop(container: &mut Container) {
    install(container, "new");
    container.wait_until_both("active");
    let program = container.path("/usr/bin/foo");
    container.run("dpkg --remove foo");
    container.wait_until_both("inactive");
    assert!(!program.exists(), "the program is still there");
    install(container, "new");
    container.assert_serves("hello");
}

/// The package can be removed while another unit wants the socket, and after its units are gone.
pub fn removed_whatever_became_of_its_units(container: &mut Container) {
    let wants = "[Unit]\nWants=foo.socket\n[Service]\nExecStart=/bin/sleep infinity\n";
    fs::write(container.path("/etc/systemd/system/sender.service"), wants).expect("a unit");
    for before in ["systemctl start sender", "rm -f $(dpkg -L foo | grep system/foo)"] {
        install(container, "new");
        container.assert_serves("hello");
        container.run(&format!("systemctl daemon-reload; {before}"));
        container.run("dpkg --remove foo");
        container.wait_until_both("inactive");
        container.run("systemctl stop sender; systemctl reset-failed");
        container.run("dpkg --purge foo; test ! -e /run/foo.new; test ! -e /run/foo.socket");
    }
}

/// The upgrade starts a socket whose unit was edited and not restarted.
pub fn an_upgrade_serves_a_socket_that_was_edited(container: &mut Container) {
    install(container, "old");
    container.assert_serves("hello");
    container.drop_in("foo.socket", &another_path());
    install(container, "new");
    container.wait_until_both("active");
    container.run("foocl --socket /run/another.socket 'to another'");
    container.wait_for(": to another");
}

/// A foo that can't start leaves the queue in the socket. The upgrade says what to do.
pub fn an_upgrade_that_fails_keeps_the_queue(container: &mut Container) {
    install(container, "old");
    container.wait_until_both("active");
    let socket = container.socket();
    container.drop_in("foo.service", "[Service]\nUser=nobody-has-this-name\n");
    container.fails("systemctl restart foo");
    let sent = fill(container, &[100]);
    let said = install(container, "new");
    assert!(said.contains("systemctl daemon-reload && systemctl restart foo"), "{said}");
    assert_eq!(container.socket(), socket, "another socket");
    container.drop_in("foo.service", "");
    container.run("systemctl daemon-reload && systemctl restart foo");
    container.assert_serves("hello");
    account(sent, container).assert_lost_at_most(0);
}

/// `systemctl mask` without `--now` stops the socket of a foo that runs.
pub fn an_upgrade_of_a_masked_service_says_what_to_do(container: &mut Container) {
    install(container, "old");
    container.wait_until_both("active");
    container.run("systemctl mask foo");
    container.until("systemctl is-active foo.socket || :", |state| state == "inactive");
    let said = install(container, "new");
    assert!(said.contains("systemctl unmask foo && systemctl restart foo"), "{said}");
    container.run("systemctl unmask foo && systemctl restart foo");
    container.assert_serves("hello");
}

pub fn purged_nothing_is_left(container: &mut Container) {
    let before = files(container);
    install(container, "old");
    install(container, "new");
    container.assert_serves("hello");
    assert_ne!(files(container), before);
    container.run("dpkg --purge foo");
    let changes = changes(&before, &files(container));
    assert!(changes.is_empty(), "{changes:#?}");
    let known = container
        .run("systemctl list-unit-files 'foo*'; systemctl list-units --all 'foo*'; getent passwd foo || :");
    assert!(!known.contains("foo."), "{known}");
}

/// Returns each file with its type, permissions and link target, and the contents of /etc. Logs,
/// caches and the state of other programs are left out. So are the users: they stay, since they may
/// own files.
pub fn files(container: &Container) -> String {
    container.run(
        "find / /run -xdev \\( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /run/systemd \
           -o -path /run/log -o -path /tmp -o -path /var/tmp -o -path /run/udev \\) -prune \
           -o -printf '%M %p %l\\n' | sort -u; find /etc -type f \
           ! -name '*passwd*' ! -name '*shadow*' ! -name '*group*' -exec md5sum {} + | sort",
    )
}

/// Returns the lines of [`files`] that are gone, and those that are new.
pub fn changes(before: &str, after: &str) -> Vec<String> {
    let missing = |from: &str, sign: char, lines: &str| -> Vec<_> {
        let missing = lines.lines().filter(|line| !from.lines().any(|other| other == *line));
        missing.map(|line| format!("{sign} {line}")).collect()
    };
    [missing(after, '-', before), missing(before, '+', after)].concat()
}

/// Nothing is lost or refused, since the socket stays the same. journald may read lines of the new
/// process before the last of the old one.
pub fn assert_complete(container: &Container, load: Load, socket: u64) {
    let account = load.finish(container);
    account.assert_lost_at_most(0);
    assert_eq!(account.refused, 0, "{account:?}");
    assert_eq!(container.socket(), socket, "another socket");
}

/// Installs the package. Returns what that prints.
fn install(container: &Container, version: &str) -> String {
    container.run(&format!(
        "DEBIAN_FRONTEND=noninteractive dpkg --force-downgrade --install /root/{version}.deb 2>&1"
    ))
}

fn is_old(container: &Container) -> bool {
    container.run("dpkg-query --show --showformat='${Version}' foo") == OLD
}

/// Fails unless the program that runs is the package's.
pub fn assert_packaged(container: &Container) {
    let program = container.path(&format!("/proc/{}/exe", container.show("MainPID")));
    let program = fs::read_link(program).expect("the program that runs");
    assert!(program.ends_with("usr/bin/foo"), "{}", program.display());
}

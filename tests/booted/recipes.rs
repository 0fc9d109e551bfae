//! The changes that foo(8) describes: another path, several sockets, a second foo, another log.

use super::frame::container::{Container, until};
use super::frame::document::example;
use super::frame::host::soaks;
use super::frame::journal::Entry;
use crate::common::shown::{BEGIN, line};
use crate::common::{skip, sys};
use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;

/// Returns a drop-in of foo.socket.
pub fn another_path() -> String {
    example("Receive at another path")
}

/// Sends a message to a socket.
fn send_to(container: &Container, path: &str, message: &str) {
    container.run(&format!("foocl --socket {path} '{message}'"));
}

pub fn at_another_path(container: &mut Container) {
    container.drop_in("foo.socket", &another_path());
    container.start();
    send_to(container, "/run/another.socket", "hello");
    container.wait_for(": hello");
    container.fails("test -e /run/foo.socket");
}

/// After such an edit the service alone gets no socket. Its log names the remedy.
pub fn an_edited_socket_is_restarted(container: &mut Container) {
    container.start();
    container.drop_in("foo.socket", &another_path());
    container.fails("systemctl restart foo");
    let line = "it was changed since it was started: 'systemctl restart foo.socket'";
    container.wait_for(line);
    container.run("systemctl restart foo.socket foo.service");
    container.wait_until_both("active");
    send_to(container, "/run/another.socket", "to another");
    container.wait_for(": to another");
}

/// Lines and entries have the same identifier and facility.
pub fn under_another_name_and_facility(container: &mut Container) {
    container.drop_in("foo.service", &example("another identifier and facility"));
    container.start_service();
    for text in ["short".to_owned(), "x".repeat(60_000), "<0>".to_owned()] {
        container.send(text.as_bytes());
    }
    let count = || {
        let entries = container.entries("SYSLOG_IDENTIFIER=bar SYSLOG_FACILITY=16 PRIORITY=5");
        let texts = entries.iter().map(Entry::message);
        texts.filter(|text| text.starts_with(BEGIN)).count()
    };
    until("three of that name", count, |&count| count == 3);
}

pub fn at_several_sockets(container: &mut Container) {
    container.drop_in("foo.socket", &example("Receive at further sockets"));
    container.start_service();
    send_to(container, "/run/foo.socket", "one");
    send_to(container, "/run/another.socket", "two");
    container.run("printf three | socat - ABSTRACT-SENDTO:third");
    for end in [": one", ": two", ": three"] {
        container.wait_for(end);
    }
}

pub fn a_second_foo(container: &mut Container) {
    container.run(&format!("set -e; cd /etc/systemd/system\n{}", example("Run a second")));
    container.start();
    send_to(container, "/run/bar.socket", "to the second");
    send_to(container, "/run/foo.socket", "to the first");
    let logged = |unit: &str, message: &str| {
        let query = format!("journalctl --sync; journalctl --output=cat --unit={unit}");
        container.until(&query, |lines| lines.contains(message))
    };
    assert!(!logged("bar.service", ": to the second").contains("to the first"));
    assert!(!logged("foo.service", ": to the first").contains("to the second"));
    // Neither stops with the other.
    container.run("systemctl stop foo");
    container.wait_until_both("inactive");
    send_to(container, "/run/bar.socket", "again");
    logged("bar.service", ": again");
}

/// The messages go to a journal namespace, which has limits of its own.
pub fn in_a_journal_of_its_own(container: &mut Container) {
    container.drop_in("foo.service", &example("Keep the messages in a journal of their own"));
    container.start_service();
    let long = "x".repeat(60_000);
    container.send(b"hello");
    container.send(long.as_bytes());
    for end in ["hello", &long] {
        let query = "journalctl --namespace=foo --sync; journalctl --namespace=foo --output=cat --all --unit=foo";
        let end = format!(": {end}");
        container.until(query, |lines| lines.contains(&end));
    }
    assert_eq!(container.lines(), "");
}

pub fn to_a_file(container: &mut Container) {
    container.drop_in("foo.service", &example(TO_A_FILE));
    container.start_service();
    let has = |file: &str, message: &str| {
        send_to(container, "/run/foo.socket", message);
        let end = format!(": {message}");
        container.until(&format!("cat {file} || :"), |lines| lines.ends_with(&end))
    };
    has("/var/log/foo.log", "hello");
    assert_eq!(container.run("stat --format=%a /var/log/foo.log"), "600");
    container.run("systemctl restart foo");
    // The file is appended to.
    assert!(has("/var/log/foo.log", "again").contains(": hello"));
    // As logrotate does.
    container.run("mv /var/log/foo.log /var/log/foo.log.1; systemctl try-restart foo.service");
    assert!(!has("/var/log/foo.log", "anew").contains(": again"));
    assert_eq!(container.lines(), "");
}

const TO_A_FILE: &str = "Write the messages to a file";

/// While the disk is full, senders wait and the status says why. Nothing is lost.
pub fn to_a_file_on_a_full_disk(container: &mut Container) {
    container.run("mkdir /var/log/full; mount -t tmpfs -o size=64k tmpfs /var/log/full");
    let settings = example(TO_A_FILE).replace("/var/log/", "/var/log/full/");
    container.drop_in("foo.service", &settings);
    container.start_service();
    container.run("head -c 1M /dev/zero > /var/log/full/filling || :");
    let text = "x".repeat(3000);
    (0..6).for_each(|number| container.send(format!("full {number} {text}").as_bytes()));
    let waits = "the log can't be written, senders wait";
    container.until(SHOW_STATUS, |status| status.ends_with(waits));
    container.run("rm /var/log/full/filling");
    container.until("grep -c ': full' /var/log/full/foo.log || :", |count| count == "6");
    container.until(SHOW_STATUS, |status| !status.ends_with(waits));
}

/// What runs in a root directory of its own reaches foo through a directory that is mounted there,
/// also after the socket was created anew.
pub fn from_a_chroot(container: &mut Container) {
    container.drop_in("foo.socket", &example("from containers and chroots"));
    container.start();
    container.run(
        "mkdir /srv/inside; systemd-run --unit=inside -p RootDirectory=/srv/inside -p BindPaths=/run/foo \
         -p BindReadOnlyPaths='/usr /lib /lib64 /bin' -p Type=exec sleep infinity",
    );
    for message in ["one", "after a restart"] {
        container.run(&format!(
            "nsenter --target $(systemctl show --value -p MainPID inside) --mount --root --wd \
             foocl --socket=/run/foo/socket '{message}'"
        ));
        container.wait_for(&format!("from (unnamed): {message}"));
        container.run("systemctl restart foo.socket foo.service");
    }
}

/// A group that is not there yet, such as one of a directory service, fails the socket. foo starts
/// once it is.
pub fn for_a_group_that_comes_later(container: &mut Container) {
    let settings = example("Let only the members of a group send").replace("users", "later");
    container.drop_in("foo.socket", &settings);
    container.fails("systemctl start foo");
    container.run("groupadd later; systemctl start foo");
    assert_eq!(container.run("stat --format=%G /run/foo.socket"), "later");
    container.run("setpriv --reuid=65534 --groups=later foocl hello");
    container.wait_for(": hello");
}

pub fn with_another_rate(container: &mut Container) {
    container.drop_in("foo.service", &example("Receive more in the long run"));
    container.start();
    container.assert_serves("hello");
    let command = "tr '\\0' ' ' </proc/$(systemctl show --value -p MainPID foo)/cmdline";
    assert_eq!(container.run(command), "/usr/local/bin/foo --max-rate=4M");
}

/// The sender's credentials with each setting of `PrivateUsers=`.
pub fn with_credentials(container: &mut Container) {
    let systemd = container.systemd();
    let values = [("yes", 0), ("no", 0), ("identity", 257), ("full", 258)];
    for (private, _) in values.into_iter().filter(|&(_, since)| systemd >= since) {
        container.run("systemctl stop foo.socket foo.service");
        container.wait_until_both("inactive");
        container.drop_in("foo.socket", &example("Log which process and user sent a message"));
        let settings = example("sees only root and itself in its own user namespace");
        container.drop_in("foo.service", &settings.replace("=no", &format!("={private}")));
        container.start();
        for (uid, seen) in [("0", 0), ("1234", if private == "yes" { 65534 } else { 1234 })] {
            let message = format!("{private} {uid}");
            let send = format!(
                "setpriv --reuid={uid} --regid={uid} --clear-groups sh -c 'echo $$; exec foocl \"{message}\"'"
            );
            let pid = container.run(&format!("cd /tmp; {send}"));
            let pid = pid.lines().next().unwrap_or_default();
            let entry = container.wait_for(&format!(": {message}"));
            let credentials = Some((pid.parse().expect("a number"), seen));
            let name = format!("/tmp/foocl.{pid}.0.socket");
            assert_eq!(entry.message(), line(credentials, &name, 0, message.as_bytes()));
        }
        // This process is in another PID namespace than foo.
        container.send(format!("{private} outside").as_bytes());
        let entry = container.wait_for(&format!("{private} outside"));
        assert!(entry.message().contains(" (pid 0, uid "), "{}", entry.message());
        let table = container.run("systemd-analyze security foo.service --no-pager | tail -n 1");
        let exposure =
            table.split(": ").nth(1).unwrap_or_default().split(' ').next().unwrap_or_default();
        container.report(format_args!("PrivateUsers={private}: exposure {exposure}"));
    }
}

/// A socket that has lost its file: foo's status and foocl both name what helps, and it does.
pub fn a_socket_without_its_file(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nWatchdogSec=2s\n");
    container.start();
    let other = "rm /run/foo.socket; socat -u UNIX-RECVFROM:/run/foo.socket - >/dev/null 2>&1 & \
        while ! test -e /run/foo.socket; do sleep 0.1; done";
    let foocl = "setpriv --reuid=65534 --clear-groups foocl hello 2>&1 || :";
    for (cause, what) in [("rm /run/foo.socket", "is gone"), (other, "belongs to another socket")] {
        container.run(cause);
        let status = format!("/run/foo.socket {what}, restart its socket unit");
        container.until(SHOW_STATUS, |shown| shown.ends_with(&status));
        if what == "is gone" {
            let said = container.run(foocl);
            assert!(said.contains("systemctl restart foo.socket foo.service"), "{said}");
        }
        container.run("systemctl restart foo.socket foo.service");
        container.assert_serves(what);
        container.until(SHOW_STATUS, |shown| !shown.contains(what));
    }
}

const SHOW_STATUS: &str = "systemctl show --property=StatusText --value foo.service";

/// `journalctl` finds messages by their fields, and writes their exact bytes.
pub fn with_fields(container: &mut Container) {
    container.drop_in("foo.socket", "[Socket]\nPassCredentials=yes\n");
    container.drop_in(
        "foo.service",
        "[Service]\nPrivateUsers=no\nExecStart=\nExecStart=/usr/local/bin/foo --fields --max-rate=256K\n",
    );
    container.start();
    let all: Vec<u8> = (0..=255).collect();
    let forged = b"\nFOO_SENDER_UID=0\n_UID=0\nMESSAGE=forged\nPRIORITY=0\n\n";
    let messages = [&b"hello\n\n"[..], b"\0", &all, &all.repeat(800), forged];
    for (number, message) in messages.iter().enumerate() {
        let uid = 1000 + number;
        fs::write(container.path("/tmp/sent"), message).expect("a message");
        let socat = "exec socat -b 262144 -u OPEN:/tmp/sent UNIX-SENDTO:/run/foo.socket";
        let send =
            format!("setpriv --reuid={uid} --regid={uid} --clear-groups sh -c 'echo $$; {socat}'");
        let pid = container.run(&send);
        let query = format!(
            "journalctl -q FOO_SENDER_UID={uid} FOO_SENDER_PID={pid} PRIORITY=5 _SYSTEMD_UNIT=foo.service"
        );
        let length = message.len().to_string();
        container.until(
            &format!("journalctl --sync; {query} -o cat --output-fields=FOO_LENGTH"),
            |found| *found == length,
        );
        container.run(&format!(
            "{query} -n 1 -o cat --output-fields=FOO_PAYLOAD | head -c -1 | cmp - /tmp/sent"
        ));
    }
}

/// Makes foo show units. Returns whether it does, which takes systemd 258, or `None` with a message if
/// the kernel is too old for that.
fn pass_units(container: &Container, test: &str) -> Option<bool> {
    // `make install` left the last one out, if this machine has an older systemd.
    container.drop_in(
        "foo.socket",
        "[Socket]\nPassCredentials=yes\nPassPIDFD=yes\nAcceptFileDescriptors=no\n",
    );
    let kernel = container.run("uname -r");
    let mut numbers = kernel.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    let passes = container.systemd() >= 258;
    if passes && (numbers.next(), numbers.next()) < (Some(6), Some(16)) {
        skip(test, "needs Linux 6.16");
        return None;
    }
    Some(passes)
}

/// Returns what a line shows of its sender's unit.
fn shown_unit(line: &str) -> Option<&str> {
    let (begin, _) = line.split_once(") from")?;
    Some(begin.split_once(", unit ")?.1)
}

/// The unit of a sender is right, also if the sender has ended, or not shown. An older systemd does
/// not pass it.
pub fn with_units(container: &mut Container) {
    let Some(passes) = pass_units(container, "with_units") else { return };
    container.drop_in(
        "foo.service",
        "[Service]\nExecStart=\nExecStart=/usr/local/bin/foo --fields --max-rate=256K\n",
    );
    container.start();
    let unit_of = |message: &str| {
        shown_unit(&container.wait_for(&format!(": {message}")).message()).map(str::to_owned)
    };
    let shown = |unit: &str| passes.then(|| unit.to_owned());
    let while_stopped = |command: &str| {
        container.run("systemctl kill --signal=STOP foo.service");
        container.run(command);
        container.run("systemctl kill --signal=CONT foo.service");
    };
    // The sender has ended, and its unit has not.
    while_stopped(
        "systemd-run -q --unit=backup sh -c 'foocl one; touch /run/sent; exec sleep infinity'
        until test -e /run/sent; do sleep 0.01; done",
    );
    assert_eq!(unit_of("one"), shown("backup.service"));
    if passes {
        let found = container.run(
            "journalctl --sync; journalctl -q -o cat --output-fields=FOO_PAYLOAD FOO_SENDER_UNIT=backup.service",
        );
        assert_eq!(found, "one");
    }
    // Both have ended.
    while_stopped("systemd-run -q --wait --unit=ended foocl two");
    assert_eq!(unit_of("two"), None);
    // Debian's minimal system lacks the PAM module that sets this.
    container.drop_in("user@.service", "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n");
    container.run("useradd --uid=1234 somebody; systemctl start user@1234.service");
    let of_user =
        "setpriv --reuid=1234 --regid=1234 --clear-groups env XDG_RUNTIME_DIR=/run/user/1234";
    let in_other_namespaces = "systemd-run -q --unit=inner unshare --pid --cgroup --fork";
    for (message, begin, unit) in [
        ("below a slice", "systemd-run -q --slice=a-b.slice --unit=c@1", "c@1.service"),
        ("in other namespaces", in_other_namespaces, "inner.service"),
        (
            "in a session",
            &format!("{of_user} systemd-run --user -q --unit=mail"),
            "user@1234.service, user unit mail.service",
        ),
    ] {
        container.run(&format!("{begin} sh -c 'foocl \"{message}\"; exec sleep infinity'"));
        assert_eq!(unit_of(message), shown(unit), "{message}");
    }
    container.run("foocl 'in no unit'");
    assert_eq!(unit_of("in no unit"), None);
    // Descriptors would take the room of the pidfd, so foo.socket refuses them.
    let sender = UnixDatagram::unbound().expect("a socket");
    sender.connect(container.path("/run/foo.socket")).expect("foo's socket");
    let attached = sys::send_with(&sender, b"five", &[File::open("/").unwrap().into()], false);
    assert_eq!(attached.is_err(), passes, "{attached:?}");
}

/// A hundred units start processes that send one message and end. Each line has the right unit or
/// none.
pub fn with_units_of_many_short_lived_senders(container: &mut Container) {
    let test = "with_units_of_many_short_lived_senders";
    let Some(passes) = pass_units(container, test) else { return };
    let each = if soaks() { 100 } else { 10 };
    let senders = format!("for i in $$(seq {each}); do foocl -q 'of %n'; done");
    let unit = format!("[Service]\nType=oneshot\nExecStart=sh -c \"{senders}\"\n");
    fs::write(container.path("/etc/systemd/system/many@.service"), unit).expect("a template");
    container.run("systemctl daemon-reload");
    container.start();
    container.run("systemctl start $(printf 'many@%d.service ' $(seq 100))");
    container.send(b"the end");
    container.wait_for(": the end");
    let lines: Vec<_> = container.journal().iter().map(Entry::message).collect();
    let senders = lines.iter().filter_map(|line| Some((line.split_once(": of ")?.1, line)));
    let (mut all, mut right) = (0, 0);
    for (unit, line) in senders {
        all += 1;
        if let Some(shown) = shown_unit(line) {
            assert_eq!(shown, unit, "{line}");
            right += 1;
        }
    }
    container.report(format_args!("the unit of {right} of {all} senders"));
    assert_eq!(all, 100 * each);
    // None is looked up while its unit ends, or once the share of time for that is used up.
    assert!(if passes { right > all / 2 } else { right == 0 }, "{right} of {all}");
}

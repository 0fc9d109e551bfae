//! What foo(8) tells how to change: another path, several sockets, a second foo, another place for the log.

use super::container::{Container, eventually};

/// Sends a message to a socket at that path.
fn send_to(container: &Container, path: &str, message: &str) {
    container.run(&format!("foocl --socket {path} '{message}'"));
}

pub fn at_another_path(container: &mut Container) {
    container.drop_in("foo.socket", "[Socket]\nListenDatagram=\nListenDatagram=/run/another.socket\n");
    container.start();
    send_to(container, "/run/another.socket", "hello");
    container.wait_for(": hello");
    container.fails("test -e /run/foo.socket");
}

pub fn at_several_sockets(container: &mut Container) {
    container.drop_in("foo.socket", "[Socket]\nListenDatagram=/run/another.socket\nListenDatagram=@third\n");
    container.run("systemctl start foo");
    container.wait_until_both("active");
    send_to(container, "/run/foo.socket", "one");
    send_to(container, "/run/another.socket", "two");
    container.run("printf three | socat - ABSTRACT-SENDTO:third");
    for end in [": one", ": two", ": three"] {
        container.wait_for(end);
    }
}

pub fn a_second_foo(container: &mut Container) {
    container.run(
        "set -e; cd /etc/systemd/system
        units=$(dirname \"$(systemctl show --value -p FragmentPath foo.service)\")
        sed 's/foo\\.socket/bar.socket/; s/foo\\.service/bar.service/' $units/foo.socket > bar.socket
        sed 's/foo\\.socket/bar.socket/' $units/foo.service > bar.service
        systemctl daemon-reload
        systemctl start bar",
    );
    container.start();
    send_to(container, "/run/bar.socket", "to the second");
    send_to(container, "/run/foo.socket", "to the first");
    let logged = |unit: &str, message: &str| {
        eventually(message, || {
            let lines = container.run(&format!("journalctl --sync; journalctl --output=cat --unit={unit}"));
            if lines.contains(message) { Ok(lines) } else { Err(lines) }
        })
    };
    assert!(!logged("bar.service", ": to the second").contains("to the first"));
    assert!(!logged("foo.service", ": to the first").contains("to the second"));
    // Neither goes with the other.
    container.run("systemctl stop foo");
    container.wait_until_both("inactive");
    send_to(container, "/run/bar.socket", "again");
    logged("bar.service", ": again");
}

/// What would push out the system's own journal goes to one of its own, with limits of its own.
pub fn in_a_journal_of_its_own(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nLogNamespace=foo\n");
    container.run("systemctl start foo");
    container.wait_until_both("active");
    let long = "x".repeat(60_000);
    container.send(b"hello");
    container.send(long.as_bytes());
    for end in ["hello", &long] {
        eventually("the message in the journal of its own", || {
            let query =
                "journalctl --namespace=foo --sync; journalctl --namespace=foo --output=cat --all --unit=foo";
            let lines = container.run(query);
            if lines.contains(&format!(": {end}")) { Ok(()) } else { Err(lines) }
        });
    }
    assert_eq!(container.lines(), "");
}

pub fn to_a_file(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nStandardError=append:/var/log/foo.log\n");
    container.run("systemctl start foo");
    container.wait_until_both("active");
    send_to(container, "/run/foo.socket", "hello");
    eventually("the message in the file", || {
        let lines = container.run("cat /var/log/foo.log");
        if lines.ends_with(": hello") { Ok(()) } else { Err(lines) }
    });
    container.run("systemctl restart foo");
    container.wait_until_both("active");
    // It goes on where it was.
    assert!(container.run("cat /var/log/foo.log").contains(": hello"));
    assert_eq!(container.lines(), "");
}

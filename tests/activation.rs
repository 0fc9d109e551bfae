//! The daemon under systemd-socket-activate, which passes sockets as systemd does.

mod common;

use common::activate::activate;
use common::shown::unnamed;
use common::{TempDir, foo, patient};
use nix::sys::signal::Signal::SIGTERM;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The first message starts the daemon, and is the first that it logs.
#[test]
fn every_socket_is_served() {
    let (test, dir) = ("every_socket_is_served", TempDir::new());
    let paths = ["a", "b", "c"].map(|name| dir.join(name).to_str().unwrap().to_owned());
    let hidden = dir.path().to_str().unwrap().to_owned();
    let mut sockets = paths.to_vec();
    sockets.push(format!("@{hidden}"));
    let options = ["--datagram", "--fdname=a:b:c:hidden"];
    let Some(daemon) = activate(test, foo(), dir, &options, &sockets) else { return };
    let client = patient(UnixDatagram::unbound().unwrap());
    let hidden = SocketAddr::from_abstract_name(hidden).unwrap();
    client.send_to_addr(b"start", &hidden).unwrap();
    assert!(daemon.notified().has("READY=1"));
    while daemon.line() != "<5>foo service started" {}
    assert_eq!(daemon.line(), "<5>File Descriptor names are:");
    for name in ["a", "b", "c", "hidden"] {
        assert_eq!(daemon.line(), format!("<5> {name}"));
    }
    assert_eq!(daemon.line(), format!("<5>{}", unnamed("start")));
    for _ in 0..20 {
        for path in &paths {
            client.send_to(b"hello", path).unwrap();
            assert_eq!(daemon.line(), format!("<5>{}", unnamed("hello")));
        }
    }
    daemon.signal(SIGTERM);
    let end = daemon.end();
    assert_eq!(end.code, 0);
    assert!(end.notified("STOPPING=1"));
}

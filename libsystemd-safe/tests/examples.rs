//! The examples of services under systemd-socket-activate, and the wrapper in a shared library.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::activate::activate;
use common::setup::Setup;
use common::{DEADLINE, TempDir, example};
use nix::sys::signal::Signal::SIGHUP;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::iter;
use std::os::unix::net::UnixStream;
use std::process::Command;

#[test]
fn the_example_of_a_server_serves_several() {
    let (test, dir) = ("the_example_of_a_server_serves_several", TempDir::new());
    let socket = dir.join("echo");
    let sockets = [socket.to_str().unwrap().to_owned()];
    let program = example("stream_socket");
    let Some(server) = activate(test, program, dir, &[], &sockets) else { return };
    let connect = || {
        let stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        BufReader::new(stream)
    };
    let mut clients = [connect(), connect()];
    assert!(server.notified().has("READY=1"));
    for (number, client) in (1..).zip(&mut clients) {
        assert!(server.notified().has(&format!("STATUS={number} connections so far")));
        for line in ["hello\n", "\u{e4}\n"] {
            client.get_mut().write_all(line.as_bytes()).unwrap();
            let mut echo = String::new();
            client.read_line(&mut echo).unwrap();
            assert_eq!(echo, line, "client {number}");
        }
    }
}

#[test]
fn the_example_of_a_server_says_what_it_needs() {
    let (test, dir) = ("the_example_of_a_server_says_what_it_needs", TempDir::new());
    let (socket, other) = (dir.join("echo"), dir.join("other"));
    let sockets = [&socket, &other].map(|path| path.to_str().unwrap().to_owned());
    let program = example("stream_socket");
    let Some(server) = activate(test, program, dir, &[], &sockets) else { return };
    let _client = UnixStream::connect(socket).unwrap();
    let end = server.end();
    assert_eq!(end.code, 1);
    assert!(
        end.log.iter().any(|line| line.contains("2 sockets were passed, not one")),
        "{:?}",
        end.log
    );
}

/// Each answers two clients at once, with its first notification sent before.
#[test]
fn the_examples_of_async_servers_answer() {
    let test = "the_examples_of_async_servers_answer";
    for (name, says, answer) in
        [("tokio_socket", "hello\n", "hello\n"), ("async_io_socket", "", "Hello\n")]
    {
        let dir = TempDir::new();
        let socket = dir.join("socket");
        let sockets = [socket.to_str().unwrap().to_owned()];
        let Some(server) = activate(test, example(name), dir, &[], &sockets) else { return };
        let mut clients = [(); 2].map(|()| UnixStream::connect(&socket).unwrap());
        assert!(server.notified().has("READY=1"), "{name}");
        for client in &mut clients {
            client.set_read_timeout(Some(DEADLINE)).unwrap();
            client.write_all(says.as_bytes()).unwrap();
            let mut line = String::new();
            BufReader::new(client).read_line(&mut line).unwrap();
            assert_eq!(line, answer, "{name}");
        }
    }
}

#[test]
fn the_example_of_a_watchdog_beats_and_reloads() {
    let (test, dir) = ("the_example_of_a_watchdog_beats_and_reloads", TempDir::new());
    let socket = dir.join("socket");
    let sockets = [socket.to_str().unwrap().to_owned()];
    let options = ["--setenv=WATCHDOG_USEC=20000"];
    let program = example("tokio_socket");
    let Some(server) = activate(test, program, dir, &options, &sockets) else { return };
    let _client = UnixStream::connect(&socket).unwrap();
    assert!(server.notified().has("READY=1"));
    assert!(server.notified().has("WATCHDOG=1"));
    server.signal(SIGHUP);
    let mut others = iter::repeat_with(|| server.notified()).filter(|note| !note.has("WATCHDOG=1"));
    let reloading = others.next().unwrap();
    assert!(reloading.has("RELOADING=1") && reloading.value("MONOTONIC_USEC").is_some());
    assert!(others.next().unwrap().has("READY=1"));
    assert!(server.notified().has("WATCHDOG=1"), "after the reload");
}

/// A program in C that opens a descriptor that `LISTEN_FDS` promises, and then loads the library of
/// its argument.
const LOADER: &str = r#"
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    int (*passed)(void) = (int (*)(void)) dlsym(dlopen(argv[1], RTLD_NOW), "passed");
    printf("opened %d, took %d\n", ends[0], passed());
    return 0;
}
"#;

/// The library sees the descriptor when it is loaded, as if the program had been started with it.
#[test]
fn a_library_takes_nothing_that_the_program_opened() {
    let dir = TempDir::new();
    let (source, loader) = (dir.join("loader.c"), dir.join("loader"));
    fs::write(&source, LOADER).unwrap();
    let cc = Command::new("cc").arg(&source).arg("-o").arg(&loader).arg("-ldl").status();
    assert!(cc.unwrap().success());
    let library = example("library").with_file_name("liblibrary.so");
    let loader = Setup::new(Vec::new(), dir).program([loader, library]);
    let end = loader.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "a").start().end();
    assert_eq!(end.log, ["opened 3, took -1"]);
}

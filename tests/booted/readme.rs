//! Runs the README's commands literally, in a copy of the project in which everything is built.

use super::frame::container::{Container, until};
use super::frame::document::{document, example, example_of};
use super::frame::host::project;
use super::frame::load::Load;
use super::package::{assert_complete, assert_packaged, changes, files};
use crate::common::shown::BEGIN;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Returns an indented block of a section of the README, counted from 0.
fn block(section: &str, number: usize) -> String {
    let readme = document("README.md");
    let text = readme.split(&format!("\n## {section}\n")).nth(1).expect(section);
    let text = text.split("\n## ").next().unwrap_or(text);
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.trim_start_matches('\n'));
    let blocks: Vec<_> = paragraphs.filter(|paragraph| paragraph.starts_with("    ")).collect();
    let lines = blocks.get(number).expect("a block").lines();
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Makes a directory like that of the project after `make` and `make deb`. It has no compiler, so
/// `make` alone does nothing. It has no sudo, so a stand-in runs the command.
fn project_in(container: &Container) {
    let copy = |from: PathBuf, to: &str| {
        let copied = Command::new("cp").arg("-R").arg(&from).arg(container.path(to)).status();
        assert!(copied.expect("cp").success(), "{}", from.display());
    };
    container.run(
        "mkdir -p /root/dist /root/target/release; cp /root/new.deb /root/dist/foo_new.deb || :
        printf '#!/bin/sh\\nexec \"$@\"\\n' > /usr/local/bin/sudo
        printf '#!/bin/sh\\n[ $# -eq 0 ] || exec /usr/bin/make \"$@\"\\n' > /usr/local/bin/make
        chmod +x /usr/local/bin/sudo /usr/local/bin/make",
    );
    for part in ["Makefile", "completions", "man", "units"] {
        copy(project().join(part), "/root");
    }
    for program in ["foo", "foocl"] {
        copy(
            container.stage_of("ours").join("usr/local/bin").join(program),
            "/root/target/release",
        );
    }
}

/// Runs commands of the README in the project's directory.
fn type_in(container: &Container, commands: &str) {
    fs::write(container.path("/root/commands"), format!("set -e\n{commands}")).expect("commands");
    container
        .run("cd /root && sh -e commands >commands.log 2>&1 || { cat commands.log >&2; false; }");
}

pub fn it_installs(container: &mut Container) {
    project_in(container);
    let commands = block("Install", 0);
    type_in(container, &commands);
    container.assert_serves("hello");
    assert_eq!(container.run("systemctl is-enabled foo"), "enabled");
    // Installed again, as after an update, another process runs the new program.
    let pid = container.show("MainPID");
    type_in(container, &commands);
    container.wait_for_another_than(&pid);
    container.assert_serves("hello again");
}

/// Only the user, directories, and this case's own files in /root are left.
pub fn it_uninstalls(container: &mut Container) {
    project_in(container);
    let before = files(container);
    type_in(container, &block("Install", 0));
    container.assert_serves("hello");
    let command = r"`sudo make uninstall`";
    let readme = document("README.md");
    assert!(readme.contains(command), "{command}");
    type_in(container, command.trim_matches('`'));
    container.wait_until_both("inactive");
    let mut changes = changes(&before, &files(container));
    changes.retain(|change| !change.starts_with("+ d") && !change.contains(" /root/"));
    assert!(changes.is_empty(), "{changes:#?}");
}

/// `make install` and the package each say what they do about the other.
pub fn it_and_the_package_name_each_other(container: &mut Container) {
    project_in(container);
    type_in(container, &block("Install", 0));
    let said = container.run("dpkg --install /root/new.deb 2>&1");
    assert!(said.contains("/usr/local/bin/foo hides /usr/bin/foo"), "{said}");
    type_in(container, "make install");
    let said = container.run("cat /root/commands.log");
    assert!(said.contains("/foo.service belonged to a package of dpkg"), "{said}");
    assert!(!said.contains("/bin/foo belonged"), "{said}");
}

pub fn its_table_of_commands_works(container: &mut Container) {
    let readme = document("README.md");
    let rows = readme
        .split("| to | do |\n")
        .nth(1)
        .and_then(|text| text.split("\n\n").next())
        .expect("the table");
    let does = |what: &str| {
        let row = rows.lines().find(|row| row.starts_with(&format!("| {what} |"))).expect(what);
        container.run(&row.split('`').nth(1).expect("a command").replace("\\|", "|"))
    };
    does("start both units");
    container.wait_until_both("active");
    assert_eq!(does("send a message"), "sending hello");
    container.wait_for(": hello");
    assert!(does("see messages").contains(": hello"));
    assert!(does("see them without time and host").contains(&format!("\n{BEGIN}5 bytes from /")));
    assert!(does("see their text alone").ends_with("\nhello"));
    assert!(does("find a text").ends_with(": hello"));
    until(
        "the count",
        || does("see how many came"),
        |status| status.contains("Received 1 message,"),
    );
    does("stop both");
    container.wait_until_both("inactive");
}

/// The first example of each document works right after a start, and prints what it shows.
pub fn the_first_examples_work(container: &mut Container) {
    let readme = document("README.md");
    let shown = readme.split("```\n").nth(1).expect("an example");
    assert!(shown.lines().last().is_some_and(is_hello), "{shown}");
    container.run("systemctl start foo");
    for line in shown.lines() {
        if let Some(command) = line.strip_prefix("$ sudo ") {
            container.until(command, |printed| is_hello(printed));
        } else if let Some(command) = line.strip_prefix("$ ") {
            let as_user = format!("setpriv --reuid=65534 --clear-groups {command}");
            assert_eq!(container.run(&as_user), "sending hello");
        }
    }
    container.run("systemctl stop foo");
    container.wait_until_both("inactive");
    let commands = example("send a message and show it");
    let (commands, show) = commands.trim_end().rsplit_once('\n').expect("several commands");
    container.run(commands);
    container.until(show, |printed| is_hello(printed));
    container.run(&example_of("man/foocl.1", ".Sh EXAMPLES"));
}

/// Returns whether this is the line, and only the line, of the examples. Before it, journalctl of
/// systemd 247 shows which time the journal covers.
fn is_hello(shown: &str) -> bool {
    let mut lines = shown.lines().filter(|line| !line.starts_with("-- Journal begins at"));
    let is_one =
        |line: &str| line.contains(&format!("{BEGIN}5 bytes from /")) && line.ends_with(": hello");
    lines.next().is_some_and(is_one) && lines.next().is_none()
}

/// The original's units are in two places: where packages have theirs, and in /etc.
pub fn it_replaces_the_original(container: &mut Container) {
    project_in(container);
    container.run("cp /usr/lib/systemd/system/foo.* /etc/systemd/system; systemctl daemon-reload");
    container.start();
    let load = Load::at_ease(container);
    load.wait_for(100);
    let begin = Instant::now();
    type_in(container, &block("Instead of the C original", 0));
    container.wait_until_both("active");
    let took = begin.elapsed();
    load.wait_for(100);
    let account = load.finish(container);
    container.report(format_args!(
        "down for at most {} ms, {} refused",
        took.as_millis(),
        account.refused
    ));
    container.assert_serves("hello");
    assert_eq!(container.run("systemctl is-enabled foo"), "enabled");
    assert!(
        container.run("systemctl show --property=ExecStart foo").contains("--max-rate="),
        "not our unit"
    );
}

/// The original's units are where packages have theirs.
pub fn its_package_replaces_the_original(container: &mut Container) {
    package_replaces(container);
}

pub fn its_package_replaces_units_in_etc(container: &mut Container) {
    container.run("mv /usr/lib/systemd/system/foo.* /etc/systemd/system; systemctl daemon-reload");
    package_replaces(container);
}

/// Nothing is lost or refused meanwhile.
fn package_replaces(container: &Container) {
    project_in(container);
    container.run("rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*");
    container.start();
    let socket = container.socket();
    // The original's unit does not remove journald's rate limit.
    let load = Load::at_ease(container);
    load.wait_for(500);
    let pid = container.show("MainPID");
    let commands = block("Instead of the C original", 1);
    type_in(container, &commands.replace("apt install", "apt-get install -q -y"));
    container.wait_for_another_than(&pid);
    load.wait_for(500);
    assert_complete(container, load, socket);
    assert_eq!(container.run("systemctl is-enabled foo"), "enabled");
    assert_packaged(container);
    container.run("systemctl stop foo");
    container.wait_until_both("inactive");
    container.start_service();
    container.assert_serves("hello");
}

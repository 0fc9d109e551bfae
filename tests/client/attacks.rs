//! Attacks by other users on the directory in which foocl binds its socket.

use crate::common::client::Place;
use crate::common::{assert_words, foocl, skip};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::PathBuf;

/// An attacker who guesses the name of foocl's socket creates something there first.
#[test]
fn an_existing_file_is_neither_removed_nor_followed() {
    let place = Place::new();
    let pid = {
        let child = place.foocl(["hello"]).spawn().unwrap();
        let pid = child.id().to_string();
        place.end(child).assert_ok("nothing in the way");
        pid
    };
    // The shell becomes foocl, so `$$` is the pid in its name.
    let name = place.received().1.unwrap().to_str().unwrap().replace(&pid, "$$");
    let file = format!("echo precious >{name}");
    let link = format!("ln -s {name}.target {name}");
    let cases: [(&str, &str, &[&str]); 4] = [
        ("a file", &file, &["precious\n"]),
        (
            "a link to a file",
            &format!("echo precious >{name}.target; {link}"),
            &["link", "precious\n"],
        ),
        ("a link to nothing", &link, &["link"]),
        ("a directory", &format!("mkdir {name}"), &["directory"]),
    ];
    for (case, obstacle, stays) in cases {
        let script = format!("{obstacle}; exec \"$0\" --socket \"$1\" hello");
        let mut shell = place.program("/bin/sh");
        shell.arg("-c").arg(script).arg(foocl()).arg(place.dir.join("foo.socket"));
        shell.env("PATH", "/usr/bin:/bin");
        place.run(shell).assert_ok(case);
        // It has another name in the same directory.
        let (message, sender) = place.received();
        assert_eq!(message, b"hello", "{case}");
        assert_eq!(sender.unwrap().parent(), Some(&*place.dir.join("run")), "{case}");
        let left = place.left();
        assert_eq!(left.iter().map(describe).collect::<Vec<_>>(), stays, "{case}");
        left.iter()
            .for_each(|path| fs::remove_file(path).or_else(|_| fs::remove_dir(path)).unwrap());
    }
}

/// The kind of a path, or the text of a file.
fn describe(path: &PathBuf) -> String {
    match path.symlink_metadata().unwrap().file_type() {
        kind if kind.is_symlink() => "link".into(),
        kind if kind.is_dir() => "directory".into(),
        _ => fs::read_to_string(path).unwrap(),
    }
}

/// Between bind and remove, another user could replace the file.
#[test]
fn a_directory_that_others_can_write() {
    let place = Place::new();
    for (mode, refused) in [(0o777, true), (0o770, true), (0o1777, false), (0o700, false)] {
        let case = format!("{mode:o}");
        let dir = place.dir.join(&case);
        DirBuilder::new().mode(0o700).create(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = place.foocl(["hello"]);
        command.env_remove("XDG_RUNTIME_DIR").env("TMPDIR", &dir);
        let end = place.run(command);
        if refused {
            assert_words(&case, &end.err, &["without a name", dir.to_str().unwrap(), "TMPDIR"]);
            assert_eq!(
                (end.code, place.received()),
                (Some(0), (b"hello".to_vec(), None)),
                "{case}"
            );
        } else {
            end.assert_ok(&case);
            assert!(place.received().1.is_some(), "{case}: no name");
        }
    }
}

/// The owner could replace it as well.
#[test]
fn a_directory_of_somebody_else() {
    let place = Place::new();
    let (theirs, ours) = (place.dir.join("theirs"), place.dir.join("run"));
    fs::create_dir(&theirs).unwrap();
    if chown(&theirs, Some(65534), None).is_err() {
        return skip("client::a_directory_of_somebody_else", "needs root");
    }
    let foocl = |runtime, tmp| {
        let mut command = place.foocl(["hello"]);
        command.env("XDG_RUNTIME_DIR", runtime).env("TMPDIR", tmp);
        place.run(command)
    };
    foocl(&theirs, &ours).assert_ok("another will do");
    assert_eq!(place.received().1.unwrap().parent(), Some(ours.as_path()));
    let end = foocl(&theirs, &theirs);
    assert_words("no other", &end.err, &["without a name", theirs.to_str().unwrap(), "TMPDIR"]);
    assert_eq!((end.code, place.received()), (Some(0), (b"hello".to_vec(), None)));
}

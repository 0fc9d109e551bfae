//! Each way to open a journal.

use crate::common::TempDir;
use crate::role::{self, assert_errno, assert_invalid};
use crate::written::{self, can_write, message, texts};
use libsystemd_safe::journal::{OpenFlags, Reader};
use std::{fs, io};

/// Not the journal of the machine that the tests run on, in `/var`.
const ALL: OpenFlags = OpenFlags::RUNTIME_ONLY;

pub fn each_way_to_open() {
    let test = "each_way_to_open";
    if !can_write(test) {
        return;
    }
    if let Some(role) = role::in_private_namespace(test, role::new("open::opens", vec![])) {
        role::run(test, role);
    }
}

/// Opens the journals in a `/run` of its own.
pub fn opens() {
    let root = "/run/log/journal/00000000000000000000000000000001";
    let user = format!("user-{}.journal", nix::unistd::getuid());
    let files =
        [("", "system.journal"), ("", &user), (".quiet", "system.journal"), ("", "user-1.journal")];
    for (number, (namespace, file)) in (0..).zip(files) {
        let directory = format!("{root}{namespace}");
        fs::create_dir_all(&directory).unwrap();
        let path = format!("{directory}/{file}");
        written::write(path.as_ref(), &[message(number, &number.to_string())]);
        fs::create_dir_all(format!("/run/root{directory}")).unwrap();
        fs::copy(&path, format!("/run/root{path}")).unwrap();
    }
    let (system, user) = (format!("{root}/system.journal"), format!("{root}/{user}"));
    type Row<'a> = (&'a str, io::Result<Reader>, &'a [&'a str]);
    let rows: [Row; 14] = [
        ("the machine's", Reader::open(ALL), &["0", "1", "3"]),
        ("of this machine", Reader::open(ALL | OpenFlags::LOCAL_ONLY), &["0", "1", "3"]),
        ("of the system", Reader::open(ALL | OpenFlags::SYSTEM | OpenFlags::SYSTEM), &["0"]),
        ("a namespace", Reader::open_namespace(c"quiet", ALL), &["2"]),
        (
            "a namespace and the default one",
            Reader::open_namespace(c"quiet", ALL | OpenFlags::INCLUDE_DEFAULT_NAMESPACE),
            &["0", "1", "2", "3"],
        ),
        (
            "all namespaces",
            Reader::open_namespace(c"", ALL | OpenFlags::ALL_NAMESPACES),
            &["0", "1", "2", "3"],
        ),
        ("no such namespace", Reader::open_namespace(c"none", ALL), &[]),
        ("a directory", Reader::open_directory(root, OpenFlags::default()), &["0", "1", "3"]),
        ("a part of it", Reader::open_directory(root, OpenFlags::SYSTEM), &["0"]),
        (
            "a directory of directories",
            Reader::open_directory("/run/log/journal", OpenFlags::default()),
            &["0", "1", "3"],
        ),
        ("a root", Reader::open_directory("/run/root", OpenFlags::OS_ROOT), &["0", "1", "3"]),
        ("a root without a journal", Reader::open_directory("/proc", OpenFlags::OS_ROOT), &[]),
        ("two files", Reader::open_files([&user, &system]), &["0", "1"]),
        ("no file", Reader::open_files([""; 0]), &[]),
    ];
    for (case, reader, want) in rows {
        let mut reader = reader.expect(case);
        assert_eq!(texts(&mut reader), want, "{case}");
        assert!(!reader.has_persistent_files().unwrap(), "{case}");
    }
    assert!(Reader::open(ALL).unwrap().has_runtime_files().unwrap());
    // For libsystemd 257 the system's journal is also that of root.
    let mut of_user = texts(&mut Reader::open(ALL | OpenFlags::CURRENT_USER).unwrap());
    of_user.retain(|text| text != "0");
    assert_eq!(of_user, ["1"], "of the user");
}

pub fn what_cannot_be_opened() {
    let directory = TempDir::new();
    fs::write(directory.join("text.journal"), "no journal").unwrap();
    let none = OpenFlags::default();
    let rows = [
        ("a root as the machine's", Reader::open(OpenFlags::OS_ROOT), libc::EINVAL),
        (
            "a directory of this machine",
            Reader::open_directory("/", OpenFlags::LOCAL_ONLY),
            libc::EINVAL,
        ),
        ("no directory", Reader::open_directory(directory.join("none"), none), libc::ENOENT),
        (
            "a file as a directory",
            Reader::open_directory(directory.join("text.journal"), none),
            libc::ENOTDIR,
        ),
        ("a long path of a file", Reader::open_files(["a".repeat(5000)]), libc::ENAMETOOLONG),
        ("no file", Reader::open_files([directory.join("none.journal")]), libc::ENOENT),
        ("a directory as a file", Reader::open_files([directory.path()]), libc::EISDIR),
        ("another file", Reader::open_files([directory.join("text.journal")]), libc::ENODATA),
    ];
    for (case, reader, errno) in rows {
        assert_errno(case, reader, errno);
    }
    assert_invalid("a NUL", Reader::open_directory("/\0", none), "nul byte");
    assert_invalid("a NUL", Reader::open_files(["/a\0"]), "nul byte");
    for length in [2049, 50_000_000] {
        let root = Reader::open_directory("/".repeat(length), OpenFlags::OS_ROOT);
        assert_invalid("a long path", root, "at most 2048 bytes");
    }
    Reader::open_directory("/".repeat(2048), OpenFlags::OS_ROOT).expect("the longest path");
}

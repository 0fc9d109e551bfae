//! The watchdog's environment, and which systemd is there.

use crate::common::{setup::Setup, sys::pidfd};
use crate::role;
use libsystemd_safe::daemon;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub fn the_watchdog() {
    let invalid = "Err(22)";
    type Row = (&'static str, fn(Setup) -> Setup, &'static str);
    let rows: [Row; 12] = [
        ("none", |role| role, "Ok(None)"),
        ("to the microsecond", |role| role.env("WATCHDOG_USEC", "1500001"), "Ok(Some(1.500001s))"),
        (
            "ours",
            |role| role.env("WATCHDOG_USEC", "1").env("WATCHDOG_PID", "self"),
            "Ok(Some(1µs))",
        ),
        ("another's", |role| role.env("WATCHDOG_USEC", "1").env("WATCHDOG_PID", "1"), "Ok(None)"),
        ("ours, of no time", |role| role.env("WATCHDOG_PID", "self"), "Ok(None)"),
        ("nothing at all", |role| role.env("WATCHDOG_USEC", "0"), invalid),
        ("no number", |role| role.env("WATCHDOG_USEC", "1s"), invalid),
        ("without end", |role| role.env("WATCHDOG_USEC", u64::MAX.to_string()), invalid),
        (
            "no such process",
            |role| role.env("WATCHDOG_USEC", "1").env("WATCHDOG_PID", "0"),
            "Err(34)",
        ),
        ("too large", |role| role.env("WATCHDOG_USEC", "99999999999999999999"), "Err(34)"),
        ("a negative time", |role| role.env("WATCHDOG_USEC", "-1"), "Err(34)"),
        ("no process", |role| role.env("WATCHDOG_USEC", "1").env("WATCHDOG_PID", "me"), invalid),
    ];
    for (case, set, want) in rows {
        let end = role::run(case, set(role::new("manager::asks_for_the_watchdog", vec![])));
        assert_eq!(end.log, [want], "{case}");
    }
}

pub fn asks_for_the_watchdog() {
    println!("{:?}", daemon::watchdog_enabled().map_err(|error| error.raw_os_error().unwrap()));
}

/// The booted tests try it where systemd runs.
pub fn booted_where_systemd_runs() {
    assert_eq!(daemon::booted().unwrap(), Path::new("/run/systemd/system").is_dir());
    let test = "booted_where_systemd_runs";
    if let Some(role) = role::in_private_namespace(test, role::new("manager::is_booted", vec![])) {
        role::run(test, role);
    }
}

/// With a `/run` of its own.
pub fn is_booted() {
    assert!(!daemon::booted().unwrap());
    fs::create_dir_all("/run/systemd/system").unwrap();
    assert!(daemon::booted().unwrap());
}

pub fn the_library_is_the_one_loaded() {
    let library = libsystemd_safe::library().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.contains(library.to_str().unwrap()), "{library:?} in {maps}");
    let name = library.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("libsystemd.so.0."), "{name}");
    // make check-releases names the release whose library this has to be.
    if let Some(root) = std::env::var_os("WRAPPER_ROOT") {
        assert!(library.starts_with(&root), "{library:?} is not in {root:?}");
    }
}

pub fn a_pidfd_has_its_number() {
    let null = fs::File::open("/dev/null").unwrap();
    if !role::has(258) {
        return role::assert_unsupported(daemon::pidfd_get_inode_id(null), 258);
    }
    role::assert_errno("no pidfd", daemon::pidfd_get_inode_id(null), libc::EBADF);
    let pidfd = pidfd(std::process::id()).unwrap();
    let inode = fs::File::from(pidfd.try_clone().unwrap()).metadata().unwrap().ino();
    match daemon::pidfd_get_inode_id(&pidfd) {
        Ok(id) => assert_eq!(id, inode),
        // Linux before 6.9.
        Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EOPNOTSUPP)),
    }
}

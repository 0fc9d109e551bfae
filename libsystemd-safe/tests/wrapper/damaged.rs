//! Files that journald would not write.

use crate::role::assert_errno;
use crate::written::{self, can_write, message, texts};
use libsystemd_safe::journal::Reader;
use std::fs;

pub fn truncated_and_foreign_files() {
    if !can_write("truncated_and_foreign_files") {
        return;
    }
    let directory = written::directory(&[message(0, "whole")]);
    let whole = fs::read(directory.join("system.journal")).unwrap();
    let damaged = directory.join("damaged.journal");
    type Row = (&'static str, fn(&mut Vec<u8>), i32);
    let rows: &[Row] = &[
        ("empty", |file| file.clear(), libc::ENODATA),
        ("a part of the header", |file| file.truncate(100), libc::ENODATA),
        ("another signature", |file| file[0] = b'X', libc::EBADMSG),
        ("an unknown feature", |file| file[12..16].fill(0xff), libc::EPROTONOSUPPORT),
    ];
    for (case, damage, errno) in rows {
        let mut file = whole.clone();
        damage(&mut file);
        fs::write(&damaged, file).unwrap();
        assert_errno(case, Reader::open_files([&damaged]), *errno);
        assert_eq!(texts(&mut written::open(&directory)), ["whole"], "beside a file with {case}");
    }
    fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    match Reader::open_files([&damaged]) {
        // libsystemd 262 reads what is there.
        Ok(mut reader) => assert!(texts(&mut reader).len() <= 1),
        other => assert_errno("the first half", other, libc::ENODATA),
    }
}

//! IDs of 128 bits.

use crate::role::{self, assert_errno, assert_invalid, assert_unsupported, has};
use libsystemd_safe::id128::{self, Id128};
use std::fs;

const TEXT: &str = "0123456789abcdef0123456789abcdef";
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";
const BYTES: [u8; 16] = 0x0123456789abcdef0123456789abcdef_u128.to_be_bytes();

pub fn each_text() {
    let id = Id128::from_bytes(BYTES);
    for text in [TEXT, UUID, &TEXT.to_uppercase()] {
        assert_eq!(text.parse::<Id128>().unwrap(), id, "{text}");
    }
    assert_eq!(id.to_bytes(), BYTES);
    let shown = [format!("{id}"), format!("{id:#}"), format!("{id:?}"), format!("{id:34}|")];
    assert_eq!(shown, [TEXT, UUID, TEXT, &format!("{TEXT}  |")]);
    for text in [
        "",
        "0",
        &TEXT[1..],
        &format!("{TEXT}0"),
        &format!("{TEXT}\0"),
        &UUID.replacen('-', "", 1),
        "g",
    ] {
        assert_invalid(text, text.parse::<Id128>(), "32 hexadecimal digits or a UUID");
    }
    assert_ne!(id128::randomize().unwrap(), id128::randomize().unwrap());
}

pub fn of_the_machine_and_the_boot() {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(format!("{:#}\n", id128::boot().unwrap()), boot);
    let application = Id128::from_bytes(BYTES);
    match id128::boot_app_specific(application) {
        Ok(derived) => assert_ne!(derived, id128::boot().unwrap()),
        // libsystemd 247 needs AF_ALG of the kernel.
        other => return assert_errno("no AF_ALG", other, libc::EOPNOTSUPP),
    }
    let derived = id128::app_specific(id128::boot().unwrap(), application);
    if has(255) {
        assert_eq!(derived.unwrap(), id128::boot_app_specific(application).unwrap());
    } else {
        assert_unsupported(derived, 255);
    }
    let Ok(text) = fs::read_to_string("/etc/machine-id") else {
        return assert_errno("no ID", id128::machine(), libc::ENOENT);
    };
    // On a machine that was never booted it is not an ID.
    if text.len() == 33 {
        let machine = id128::machine().unwrap();
        assert_eq!(format!("{machine}\n"), text);
        assert_ne!(id128::machine_app_specific(application).unwrap(), machine);
    }
}

pub fn of_an_invocation() {
    let id = format!("Ok({TEXT})");
    let rows = [("one", TEXT, [id.as_str(), ""]), ("no ID", "x", ["Err(22)", "Err(117)"])];
    for (case, value, want) in rows {
        let end = role::run(case, role::new("id128::prints", vec![]).env("INVOCATION_ID", value));
        // libsystemd 247 uses the ID of the keyring only, which system services have.
        let is_right = want.contains(&end.log[0].as_str()) || !has(252) && case == "one";
        assert!(is_right, "{case}: {:?}", end.log);
    }
}

pub fn prints() {
    println!("{:?}", id128::invocation().map_err(|error| error.raw_os_error().unwrap()));
    let application = Id128::from_bytes(BYTES);
    let derived = id128::invocation_app_specific(application);
    match id128::invocation() {
        _ if !has(256) => assert_unsupported(derived, 256),
        Ok(id) => assert_eq!(derived.unwrap(), id128::app_specific(id, application).unwrap()),
        Err(_) => assert!(derived.is_err()),
    }
}

//! The bound types and values are those of the C compiler.

mod common;

use common::{BINDINGS, compile};
use libsystemd_sys::{bus, bus_protocol, daemon, event, id128, journal, messages, path};
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, c_int, c_void},
    ptr,
};

/// Returns what bindgen asserts at compile time: a property, a type and a number. An assertion has
/// the form `["Size of T"] [… - 16usize]`.
fn bindgen_assertions() -> Vec<(&'static str, &'static str, &'static str)> {
    let assertion = |text: &'static str| {
        let (subject, rest) = text.split_once('"')?;
        let (what, name) = subject.split_once(" of ")?;
        let number = rest.split_once("usize")?.0.rsplit_once('-')?.1;
        ["Size", "Alignment"].contains(&what).then_some((what, name, number.trim()))
    };
    BINDINGS.split("[\"").filter_map(assertion).collect()
}

#[test]
fn sizes_and_alignments_are_those_of_the_c_compiler() {
    let asserted = bindgen_assertions().into_iter();
    let asserted: Vec<_> = asserted
        .filter(|(_, name, _)| name.starts_with("sd_") && !name.contains("bindgen"))
        .collect();
    assert!(asserted.len() >= 8, "only {} seen", asserted.len());
    let mut code = String::new();
    for (what, name, number) in &asserted {
        let operator = if *what == "Size" { "sizeof" } else { "_Alignof" };
        // The only structure whose tag differs from the name of its type.
        let name = if *name == "sd_id128" { "sd_id128_t" } else { name };
        code += &format!("_Static_assert({operator}({name}) == {number}, \"{what} of {name}\");\n");
    }
    compile(&["-fsyntax-only", "-w"], &code);
}

/// Returns the name and the value of each bound constant.
fn constants() -> impl Iterator<Item = (&'static str, &'static str)> {
    let constants = BINDINGS
        .split("pub const ")
        .skip(1)
        .filter_map(|rest| rest.split(';').next()?.split_once('='));
    constants.filter_map(|(left, value)| Some((left.split(':').next()?.trim(), value.trim())))
}

#[test]
fn numbers_and_texts_are_those_of_the_c_compiler() {
    let mut code = String::new();
    let (mut numbers, mut texts) = (0, 0);
    for (name, value) in constants() {
        if let Some(text) = value.strip_prefix('c') {
            texts += 1;
            code +=
                &format!("_Static_assert(__builtin_strcmp({name}, {text}) == 0, \"{name}\");\n");
            continue;
        }
        let value = value.split(" as ").next().unwrap().replace(' ', "");
        if value.parse::<i128>().is_ok() {
            numbers += 1;
            code += &format!(
                "_Static_assert((unsigned long long) {name} == {value}ULL, \"{name}\");\n"
            );
        }
    }
    assert!(numbers > 150 && texts > 90, "only {numbers} numbers and {texts} texts seen");
    // The type of the variables that their values are taken from.
    assert!(!BINDINGS.contains("c_longlong ="), "a number has no type of its own");
    compile(&["-fsyntax-only", "-w"], &code);
}

#[test]
fn ids_are_those_of_their_texts() {
    let texts: BTreeMap<_, _> = constants().collect();
    let ids = constants()
        .filter_map(|(name, value)| Some((name, value.split_once("0x")?.1.split_once("u128")?.0)));
    let mut count = 0;
    for (name, hex) in ids {
        // An ID for this machine's architecture has no constant for its string. The strings of
        // partition types have dashes.
        let Some(text) = texts.get(format!("{name}_STR").as_str()) else {
            continue;
        };
        assert_eq!(text.replace('-', ""), format!("c\"{hex}\""), "{name}");
        count += 1;
    }
    assert!(count > 50, "only {count} ids seen");
}

/// Returns the string that the library makes of an ID, which is passed by value.
fn text_of(id: id128::sd_id128_t) -> CString {
    let mut text = [0; id128::SD_ID128_STRING_MAX];
    // SAFETY: `text` has room for the string and the NUL that the call writes.
    unsafe {
        id128::sd_id128_to_string(id, text.as_mut_ptr());
        CStr::from_ptr(text.as_ptr()).to_owned()
    }
}

#[test]
fn ids_go_by_value() {
    assert_eq!(&*text_of(messages::SD_MESSAGE_COREDUMP), messages::SD_MESSAGE_COREDUMP_STR);
    assert_eq!(messages::SD_MESSAGE_COREDUMP_STR, c"fc2e22bc6ee647b6b90729ab34a250b1");
    assert_eq!(&*text_of(id128::SD_ID128_NULL), c"00000000000000000000000000000000");
    assert_eq!(&*text_of(id128::SD_ID128_ALLF), c"ffffffffffffffffffffffffffffffff");
}

#[test]
fn variadic_functions_take_arguments() {
    let mut error = bus::SD_BUS_ERROR_NULL;
    // SAFETY: the arguments match the format. `error` is initialized, and freed at the end.
    unsafe {
        let name = bus_protocol::SD_BUS_ERROR_FAILED.as_ptr();
        let result = bus::sd_bus_error_setf(
            &mut error,
            name,
            c"%d %s".as_ptr(),
            42 as c_int,
            c"words".as_ptr(),
        );
        assert!(result < 0, "sd_bus_error_setf returns the error as a negative errno");
        assert_eq!(CStr::from_ptr(error.message), c"42 words");
        bus::sd_bus_error_free(&mut error);
    }
}

/// An exit handler that counts its calls, in the integer that `userdata` points to.
unsafe extern "C" fn count(_: *mut event::sd_event_source, userdata: *mut c_void) -> c_int {
    // SAFETY: the test passes a pointer to an integer, and does not use it before the loop ends.
    unsafe { *userdata.cast::<c_int>() += 1 };
    0
}

#[test]
fn callbacks_are_called() {
    let handler: event::sd_event_handler_t = Some(count as unsafe extern "C" fn(_, _) -> _);
    let (mut calls, mut event): (c_int, _) = (0, ptr::null_mut());
    let userdata = (&raw mut calls).cast();
    // SAFETY: only this test uses the event loop. The loop is freed before `calls` goes out of
    // scope.
    unsafe {
        assert!(event::sd_event_new(&mut event) >= 0);
        assert!(event::sd_event_add_exit(event, ptr::null_mut(), handler, userdata) >= 0);
        assert!(event::sd_event_exit(event, 7) >= 0);
        assert_eq!(event::sd_event_loop(event), 7);
        event::sd_event_unref(event);
    }
    assert_eq!(calls, 1);
}

/// Is never called. It compiles only if the constants have the types of the parameters.
#[allow(unused, reason = "it is compiled, not called")]
unsafe fn constants_have_the_types_of_their_parameters() {
    // SAFETY: this function is never called.
    unsafe {
        let (mut creds, mut text, mut journal, mut source) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        bus::sd_bus_creds_new_from_pid(
            &mut creds,
            1,
            bus::SD_BUS_CREDS_PID | bus::SD_BUS_CREDS_AUGMENT,
        );
        bus::sd_bus_request_name(bus::SD_BUS_DEFAULT, ptr::null(), bus::SD_BUS_NAME_QUEUE);
        bus::sd_bus_message_append_basic(
            ptr::null_mut(),
            bus_protocol::SD_BUS_TYPE_BYTE,
            ptr::null(),
        );
        let mut signal = bus_protocol::SD_BUS_MESSAGE_SIGNAL;
        bus::sd_bus_message_get_type(ptr::null_mut(), &mut signal);
        event::sd_event_source_set_enabled(ptr::null_mut(), event::SD_EVENT_ONESHOT);
        event::sd_event_source_set_priority(ptr::null_mut(), event::SD_EVENT_PRIORITY_IDLE);
        event::sd_event_add_exit(event::SD_EVENT_DEFAULT, &mut source, None, ptr::null_mut());
        journal::sd_journal_open(&mut journal, journal::SD_JOURNAL_LOCAL_ONLY);
        path::sd_path_lookup(path::SD_PATH_TEMPORARY, ptr::null(), &mut text);
        daemon::sd_is_fifo(daemon::SD_LISTEN_FDS_START, ptr::null());
    }
}

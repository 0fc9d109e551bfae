//! Each command line either runs with the options that it names, or is a usage error.

#![no_main]

use foo::{cli::Parsed, client, daemon};
use libfuzzer_sys::{arbitrary::Unstructured, fuzz_target};
use std::{ffi::OsString, os::unix::ffi::OsStringExt};

/// Arguments that the programs know. The fuzzer would take a long time to find them.
const KNOWN: [&str; 18] = [
    "-",
    "--",
    "-h",
    "-V",
    "--help",
    "--version",
    "-s",
    "-t",
    "--socket",
    "--timeout=",
    "infinity",
    "1e9",
    "--fields",
    "--max-rate=",
    "--max-rate",
    "99999999G",
    "1M",
    "-q",
];

fuzz_target!(|data: &[u8]| {
    let args = args(&mut Unstructured::new(data)).unwrap_or_default();
    let with_name = || [OsString::from("program")].into_iter().chain(args.iter().cloned());

    match daemon::cli::parse(with_name()) {
        Parsed::Run(options) => {
            let is_rate = |arg: &&OsString| arg.as_encoded_bytes().starts_with(b"--max-rate");
            let rates = args.iter().filter(is_rate).count();
            assert_eq!(options.max_rate.is_some(), rates > 0, "{args:?}");
            assert_ne!(options.max_rate, Some(0), "{args:?}");
            assert!(!options.fields || args.iter().any(|arg| arg == "--fields"), "{args:?}");
            let is_other = |arg: &&OsString| !is_rate(arg) && *arg != "--" && *arg != "--fields";
            let rest = args.iter().filter(is_other).count();
            assert!(rest <= rates, "foo runs with {args:?}");
        }
        Parsed::Exit(status) => assert!(is_help_or_usage_error(status), "{args:?}"),
    }
    let options = args
        .iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg.as_encoded_bytes().starts_with(b"-") && arg != "-");
    let mut values = args.clone();
    values.iter().position(|arg| arg == "--").map(|at| values.remove(at));
    match client::cli::parse(with_name()) {
        Parsed::Run(request) if !options => {
            assert_eq!(values.len(), 1, "{args:?}");
            assert_eq!(request.message.as_deref().unwrap_or("-".as_ref()), values[0], "{args:?}");
        }
        Parsed::Run(request) => {
            let from_args = |part: &std::ffi::OsStr| {
                let part = part.as_encoded_bytes();
                args.iter().any(|arg| arg.as_encoded_bytes().ends_with(part))
            };
            assert!(
                from_args(request.message.as_deref().unwrap_or("-".as_ref())),
                "{args:?}: {request:?}"
            );
            let socket = request.socket.as_os_str();
            assert!(socket == "/run/foo.socket" || from_args(socket), "{args:?}: {request:?}");
        }
        Parsed::Exit(status) => {
            assert!(options || values.len() != 1, "refused: {args:?}");
            assert!(is_help_or_usage_error(status), "{args:?}");
        }
    }
});

/// Returns whether a program exits so after its help, its version or a usage error.
fn is_help_or_usage_error(status: u8) -> bool {
    [0, 2].contains(&status)
}

/// Returns arguments of any bytes that execve(2) accepts. Half of them begin with a known one.
fn args(data: &mut Unstructured<'_>) -> arbitrary::Result<Vec<OsString>> {
    let mut args = Vec::new();
    while !data.is_empty() && args.len() < 8 {
        let mut bytes = match data.arbitrary::<u8>()? {
            number @ 0x80.. => KNOWN[usize::from(number) % KNOWN.len()].as_bytes().to_vec(),
            _ => Vec::new(),
        };
        if data.arbitrary()? {
            bytes.extend_from_slice(data.arbitrary::<&[u8]>()?);
        }
        bytes.retain(|&byte| byte != 0);
        args.push(OsString::from_vec(bytes));
    }
    Ok(args)
}

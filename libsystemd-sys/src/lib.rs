//! Bindings to libsystemd, generated at build time from the headers that are installed.
//!
//! Each item has the name, the type and the meaning that systemd's own man pages give it, so
//! those are its documentation: [`sd_notify`] is sd_notify(3).

/// Generated; private, so that what is public is chosen below.
#[allow(
    missing_docs,
    unknown_lints,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    rustdoc::all,
    unsafe_op_in_unsafe_fn,
    unused_qualifications,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

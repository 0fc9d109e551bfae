#![doc = include_str!("../README.md")]

/// The generated code: one public module for each header, all of them exported below.
#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    rustdoc::all,
    unknown_lints,
    unsafe_op_in_unsafe_fn,
    unused_imports,
    unused_qualifications,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
mod bindings {
    #[cfg(feature = "bindgen")]
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
    #[cfg(not(feature = "bindgen"))]
    include!("pregenerated.rs");
}

pub use bindings::*;

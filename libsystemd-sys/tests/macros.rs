//! Macros of other releases than the one that is installed here.

#[path = "../build/constants.rs"]
#[allow(dead_code, reason = "the build script uses the rest")]
mod constants;

use constants::Macros;

/// A macro that stands for an enumerator is a number; one that takes arguments is no constant.
#[test]
fn an_enumerator_is_a_number() {
    let macros =
        Macros::parse("#define SD_NUMBER _SD_ENUMERATOR\n#define SD_CODE _SD_CALL(1, 2)\n");
    let variables = macros.variables();
    assert!(variables.contains("static const long long value_of_SD_NUMBER = SD_NUMBER;"));
    assert!(!variables.contains("SD_CODE"), "{variables}");
    let bound = macros.complete("pub const value_of_SD_NUMBER: ::std::ffi::c_longlong = 5;");
    let want = "pub const SD_NUMBER: ::std::ffi::c_int = 5 as i64 as ::std::ffi::c_int;";
    assert_eq!(bound, want);
}

//! Constants that bindgen leaves out, or binds with the wrong type.

use std::collections::BTreeMap;

/// Prefix of a C variable that has the value of a macro.
pub const PREFIX: &str = "value_of_";

/// Types for the constants of enumerations without a name, by prefix: those of the parameters that
/// take them. All others are `int`.
const PARAMETER_TYPES: [(&str, &str); 8] = [
    ("SD_BUS_CREDS_", "u64"),
    ("SD_BUS_MESSAGE_DUMP_", "u64"),
    ("SD_BUS_MESSAGE_", "u8"),
    ("SD_BUS_NAME_", "u64"),
    ("SD_BUS_TYPE_", "::std::ffi::c_char"),
    ("SD_BUS_VTABLE_", "u64"),
    ("SD_EVENT_PRIORITY_", "i64"),
    ("SD_PATH_", "u64"),
];

/// Macros that are initializers of a structure, with what they are in Rust.
const INITIALIZERS: [(&str, &str); 3] = [
    (
        "SD_BUS_ERROR_NULL",
        "sd_bus_error = sd_bus_error {
            name: ::std::ptr::null(),
            message: ::std::ptr::null(),
            _need_free: 0,
        }",
    ),
    ("SD_ID128_ALLF", "sd_id128_t = sd_id128_t { bytes: [0xff; 16] }"),
    ("SD_ID128_NULL", "sd_id128_t = sd_id128_t { bytes: [0; 16] }"),
];

/// The kind of value that a macro has.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// An ID: `SD_ID128_MAKE(…)`, or the name of another macro of this kind.
    Id,
    /// A string: `SD_ID128_MAKE_STR(…)`.
    Text,
    /// A number that bindgen leaves out, with its type.
    Number(&'static str),
}

/// The macros of a header that bindgen needs help with.
pub struct Macros {
    /// Macros whose values the C compiler computes, by name.
    evaluated: BTreeMap<String, Kind>,
    /// Rust code of the other constants.
    written: String,
}

impl Macros {
    /// Finds the macros in the text of a header. Those under an `#if` count too, whether or not it
    /// holds.
    pub fn parse(header: &str) -> Self {
        let mut macros = Self { evaluated: BTreeMap::new(), written: String::new() };
        for line in header.replace("\\\n", " ").lines() {
            let Some(define) = line.trim_start().strip_prefix('#') else {
                continue;
            };
            let Some(define) = define.trim_start().strip_prefix("define ") else {
                continue;
            };
            let Some((name, value)) = define.trim_start().split_once(char::is_whitespace) else {
                continue;
            };
            if name.starts_with("SD_") && !name.contains('(') {
                macros.add(name, value.trim());
            }
        }
        macros
    }

    fn add(&mut self, name: &str, value: &str) {
        let kind = if let Some((_, value)) = INITIALIZERS.iter().find(|(known, _)| *known == name) {
            self.written += &format!("pub const {name}: {value};\n");
            return;
        } else if let Some((kind, number)) = split_pointer(value) {
            let value = format!("::std::ptr::without_provenance_mut({number})");
            self.written += &format!("pub const {name}: *mut {kind} = {value};\n");
            return;
        } else if value.starts_with("SD_ID128_MAKE(")
            || self.evaluated.get(value) == Some(&Kind::Id)
        {
            Kind::Id
        } else if value.starts_with("SD_ID128_MAKE_") {
            Kind::Text
        } else if let Some(kind) = number_type(value) {
            Kind::Number(kind)
        } else {
            return;
        };
        self.evaluated.insert(name.to_owned(), kind);
    }

    /// Returns C code with a variable for each evaluated macro, from which bindgen gets the value.
    /// The variable of an ID is a string.
    pub fn variables(&self) -> String {
        let mut text =
            String::from("#undef SD_ID128_MAKE\n#define SD_ID128_MAKE SD_ID128_MAKE_STR\n");
        for (name, kind) in &self.evaluated {
            let declarator = match kind {
                Kind::Id | Kind::Text => format!("char *const {PREFIX}{name}"),
                // Signed, since bindgen 0.71 leaves out larger values.
                Kind::Number(_) => format!("long long {PREFIX}{name}"),
            };
            text += &format!("#ifdef {name}\nstatic const {declarator} = {name};\n#endif\n");
        }
        text
    }

    /// Returns bindgen's output for a header, with each constant under its own name and with the
    /// right type.
    pub fn complete(&self, bindings: &str) -> String {
        let mut text: String =
            bindings.split_inclusive(';').filter_map(|item| self.correct(item)).collect();
        text += &self.written;
        text
    }

    /// Corrects one item. Returns `None` for the type of an enumeration without a name.
    fn correct(&self, item: &str) -> Option<String> {
        if item.contains("pub type _bindgen_ty_") {
            return None;
        }
        let Some((before, name, kind, value)) = split_constant(item) else {
            return Some(item.to_owned());
        };
        // These only make the type of an enumeration wider.
        if name.ends_with("_INT64_MIN") || name.ends_with("_INT64_MAX") {
            return Some(before.to_owned());
        }
        let known = name.strip_prefix(PREFIX).unwrap_or(name);
        let constant = match (self.evaluated.get(known), value.split('"').nth(1)) {
            (Some(Kind::Id), Some(hex)) => {
                format!("sd_id128_t = sd_id128_t {{ bytes: 0x{hex}u128.to_be_bytes() }};")
            }
            (Some(Kind::Number(kind)), _) => {
                format!("{kind} = {} as i64 as {kind};", value.trim_end_matches(';'))
            }
            _ if is_length(known) => format!("usize = {value}"),
            _ if kind.starts_with("_bindgen_ty_") => format!("{} = {value}", parameter_type(known)),
            _ => format!("{kind} = {value}"),
        };
        Some(format!("{before}pub const {known}: {constant}"))
    }
}

/// Splits the item of a constant into what precedes it, its name, its type and its value.
fn split_constant(item: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, constant) = item.rsplit_once("pub const ")?;
    let (declaration, value) = constant.split_once('=')?;
    let (name, kind) = declaration.split_once(':')?;
    // `pub const fn` is not a constant.
    let name = name.trim();
    if name.contains(char::is_whitespace) {
        return None;
    }
    Some((before, name, kind.trim(), value.trim()))
}

/// Returns the type of a number that bindgen leaves out: one with a cast or a typed suffix, or the
/// name of an enumerator.
fn number_type(value: &str) -> Option<&'static str> {
    const STARTS: [(&str, &str); 4] =
        [("UINT32_C", "u32"), ("UINT64_C", "u64"), ("mode_t)", "mode_t"), ("uint64_t)", "u64")];
    let first = value.trim_start_matches('(');
    let cast = STARTS.iter().find(|(start, _)| first.starts_with(start));
    let enumerator = value.starts_with("_SD_") && !value.contains([',', '(']);
    cast.map(|(_, kind)| *kind).or(enumerator.then_some("::std::ffi::c_int"))
}

/// Returns whether a constant is the size of an array or a string, and so of the type `usize`.
fn is_length(name: &str) -> bool {
    name.starts_with("SD_") && (name.ends_with("_STRING_MAX") || name.ends_with("_LENGTH"))
}

/// Returns the type for a constant of an enumeration without a name.
fn parameter_type(name: &str) -> &'static str {
    let name = name.trim_start_matches('_');
    let known = PARAMETER_TYPES.iter().find(|(prefix, _)| name.starts_with(prefix));
    known.map_or("::std::ffi::c_int", |(_, kind)| kind)
}

/// Returns the type and the number of `((TYPE *) NUMBER)`.
fn split_pointer(value: &str) -> Option<(&str, &str)> {
    let (kind, number) = value.strip_prefix("((")?.strip_suffix(')')?.split_once("*)")?;
    Some((kind.trim(), number.trim()))
}

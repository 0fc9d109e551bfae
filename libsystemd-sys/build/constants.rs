//! The constants that bindgen can't make by itself, or not in a type of use.

use std::collections::BTreeMap;

/// What a variable begins with whose value stands for that of a macro.
pub const PREFIX: &str = "value_of_";

/// Types of the parameters that take the constants of enumerations without a name; the others are `int`.
const PARAMETERS: [(&str, &str); 8] = [
    ("SD_BUS_CREDS_", "u64"),
    ("SD_BUS_MESSAGE_DUMP_", "u64"),
    ("SD_BUS_MESSAGE_", "u8"),
    ("SD_BUS_NAME_", "u64"),
    ("SD_BUS_TYPE_", "::std::ffi::c_char"),
    ("SD_BUS_VTABLE_", "u64"),
    ("SD_EVENT_PRIORITY_", "i64"),
    ("SD_PATH_", "u64"),
];

/// Those that are initializers of a structure.
const INITIALIZERS: [(&str, &str); 3] = [
    (
        "SD_BUS_ERROR_NULL",
        "sd_bus_error = sd_bus_error { name: ::std::ptr::null(), message: ::std::ptr::null(), _need_free: 0 }",
    ),
    (
        "SD_ID128_ALLF",
        "sd_id128_t = sd_id128_t { bytes: [0xff; 16] }",
    ),
    (
        "SD_ID128_NULL",
        "sd_id128_t = sd_id128_t { bytes: [0; 16] }",
    ),
];

/// What a macro stands for.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `SD_ID128_MAKE(…)`, or the name of another that is.
    Id,
    /// `SD_ID128_MAKE_STR(…)`
    Text,
    /// A number that bindgen leaves out, and its type.
    Number(&'static str),
}

/// The macros of a header that need help.
pub struct Macros {
    evaluated: BTreeMap<String, Kind>,
    /// Constants in Rust, complete.
    written: String,
}

impl Macros {
    /// Those that are defined in the text of a header, whatever the conditions.
    pub fn of(header: &str) -> Self {
        let mut macros = Self {
            evaluated: BTreeMap::new(),
            written: String::new(),
        };
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
        } else if let Some((kind, number)) = pointer(value) {
            let value = format!("::std::ptr::without_provenance_mut({number})");
            self.written += &format!("pub const {name}: *mut {kind} = {value};\n");
            return;
        } else if value.starts_with("SD_ID128_MAKE(")
            || self.evaluated.get(value) == Some(&Kind::Id)
        {
            Kind::Id
        } else if value.starts_with("SD_ID128_MAKE_") {
            Kind::Text
        } else if let Some(kind) = number(value) {
            Kind::Number(kind)
        } else {
            return;
        };
        self.evaluated.insert(name.to_owned(), kind);
    }

    /// C that gives each of them a variable, from which bindgen learns its value. An id is told as text.
    pub fn variables(&self) -> String {
        let mut text =
            String::from("#undef SD_ID128_MAKE\n#define SD_ID128_MAKE SD_ID128_MAKE_STR\n");
        for (name, kind) in &self.evaluated {
            let declarator = match kind {
                Kind::Id | Kind::Text => format!("char *const {PREFIX}{name}"),
                // Signed: bindgen 0.71 leaves out what is larger.
                Kind::Number(_) => format!("long long {PREFIX}{name}"),
            };
            text += &format!("#ifdef {name}\nstatic const {declarator} = {name};\n#endif\n");
        }
        text
    }

    /// What bindgen made of a header, each constant under its name and in its type.
    pub fn complete(&self, bindings: &str) -> String {
        let mut text: String = bindings
            .split_inclusive(';')
            .filter_map(|item| self.item(item))
            .collect();
        text += &self.written;
        text
    }

    /// An item; none where it is the type of an enumeration without a name.
    fn item(&self, item: &str) -> Option<String> {
        if item.contains("pub type _bindgen_ty_") {
            return None;
        }
        let Some((before, name, kind, value)) = constant(item) else {
            return Some(item.to_owned());
        };
        // What only widens an enumeration says nothing.
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
            _ if kind.starts_with("_bindgen_ty_") => format!("{} = {value}", parameter(known)),
            _ => format!("{kind} = {value}"),
        };
        Some(format!("{before}pub const {known}: {constant}"))
    }
}

/// What stands before a constant, its name, its type and its value.
fn constant(item: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, constant) = item.rsplit_once("pub const ")?;
    let (declaration, value) = constant.split_once('=')?;
    let (name, kind) = declaration.split_once(':')?;
    // A function can be const, too.
    let name = name.trim();
    if name.contains(char::is_whitespace) {
        return None;
    }
    Some((before, name, kind.trim(), value.trim()))
}

/// The type of a number that bindgen leaves out: one with a cast, with a type, or of an enumeration.
fn number(value: &str) -> Option<&'static str> {
    const STARTS: [(&str, &str); 4] = [
        ("UINT32_C", "u32"),
        ("UINT64_C", "u64"),
        ("mode_t)", "mode_t"),
        ("uint64_t)", "u64"),
    ];
    let first = value.trim_start_matches('(');
    let cast = STARTS.iter().find(|(start, _)| first.starts_with(start));
    let enumerator = value.starts_with("_SD_") && !value.contains([',', '(']);
    cast.map(|(_, kind)| *kind)
        .or(enumerator.then_some("::std::ffi::c_int"))
}

/// Whether a constant is the size of an array or text.
fn is_length(name: &str) -> bool {
    name.starts_with("SD_") && (name.ends_with("_STRING_MAX") || name.ends_with("_LENGTH"))
}

/// The type of the parameter that a constant of an enumeration without a name goes to.
fn parameter(name: &str) -> &'static str {
    let name = name.trim_start_matches('_');
    let known = PARAMETERS
        .iter()
        .find(|(prefix, _)| name.starts_with(prefix));
    known.map_or("::std::ffi::c_int", |(_, kind)| kind)
}

/// The type and the number of `((TYPE *) NUMBER)`.
fn pointer(value: &str) -> Option<(&str, &str)> {
    let (kind, number) = value
        .strip_prefix("((")?
        .strip_suffix(')')?
        .split_once("*)")?;
    Some((kind.trim(), number.trim()))
}

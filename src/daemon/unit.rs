//! The unit that a control group belongs to, named as systemd names it. Does no I/O.
//!
//! It is the first part of the control group's path that is not a slice, as sd_pid_get_unit(3) has
//! it. Below the unit of a user's service manager, the same rule yields the user's unit.

#![forbid(unsafe_code)]

/// The longest name of a unit.
const NAME_MAX: usize = 255;

/// What the names of units that have processes end with.
const TYPES: [&str; 6] = [".service", ".scope", ".socket", ".mount", ".swap", ".slice"];

/// The unit of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The unit, such as `backup.service`.
    pub name: String,
    /// The unit of the user's service manager, if `name` is one.
    pub user: Option<String>,
}

impl Unit {
    /// Returns the unit that a control group belongs to, `None` if it belongs to none. `path` is
    /// relative to the root of all control groups.
    pub fn of_cgroup(path: &str) -> Option<Self> {
        let mut parts = path.split('/').map(unescape).skip_while(|part| is_slice(part));
        let name = parts.next().filter(|part| is_unit(part))?;
        let uid = name.strip_prefix("user@").and_then(|rest| rest.strip_suffix(".service"));
        let is_manager = uid.is_some_and(|uid| uid.parse::<u32>().is_ok());
        let mut parts = parts.skip_while(|part| is_slice(part));
        let user = if is_manager { parts.next().filter(|part| is_unit(part)) } else { None };
        Some(Self { name: name.to_owned(), user: user.map(str::to_owned) })
    }
}

/// systemd puts `_` before a name that the kernel could take for one of its own files.
fn unescape(part: &str) -> &str {
    part.strip_prefix('_').unwrap_or(part)
}

fn is_slice(part: &str) -> bool {
    part.ends_with(".slice") && is_unit(part)
}

/// Returns whether this can be the name of a unit that has processes.
fn is_unit(name: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let has_prefix = |end: &str| name.strip_suffix(end).is_some_and(|prefix| !prefix.is_empty());
    name.len() <= NAME_MAX && name.bytes().all(is_valid) && TYPES.iter().any(|end| has_prefix(end))
}

//! 128-bit IDs of the machine, the boot, a service's start or a kind of message: sd-id128(3).
//!
//! | ID of | function |
//! |---|---|
//! | the machine | [`machine_app_specific`], [`machine`] |
//! | the boot | [`boot_app_specific`], [`boot`] |
//! | the current start of the service | [`invocation`] |
//! | something new | [`randomize`] |
//!
//! # Errors
//!
//! The functions return the error of libsystemd with its errno. Those that read an ID return:
//!
//! - `ENOENT`: `/etc/machine-id` is missing.
//! - `ENOMEDIUM`: the ID is empty or all zeros. Since libsystemd 253 `ENOPKG` if `/etc/machine-id`
//!   is `uninitialized`.
//! - `ENXIO`: the service manager has set no invocation ID, or an application ID is all zeros.
//! - `EUCLEAN`, and before libsystemd 253 `EIO` or `EINVAL`: the text that is read is not an ID.
//! - `ENOSYS`, and before libsystemd 253 `ENOENT`: `/proc` is not mounted.
//! - `Unsupported`: libsystemd is older than the function.
//! - `EOPNOTSUPP`: libsystemd 247 derives IDs with `AF_ALG`, which this kernel lacks.
//! - Otherwise the errors of open(2) and read(2).

use crate::{check, invalid, newer};
use libsystemd_sys::id128 as sys;
use std::{
    ffi::{CString, c_int},
    fmt, io,
    str::FromStr,
};

/// A 128-bit ID. See sd-id128(3).
///
/// It is displayed as 32 lowercase hexadecimal digits, and in the alternate form as a UUID.
///
/// ```
/// use libsystemd_safe::id128::Id128;
///
/// let coredump: Id128 = "fc2e22bc6ee647b6b90729ab34a250b1".parse()?;
/// assert_eq!(coredump.to_string(), "fc2e22bc6ee647b6b90729ab34a250b1");
/// assert_eq!(format!("{coredump:#}"), "fc2e22bc-6ee6-47b6-b907-29ab34a250b1");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id128([u8; 16]);

impl Id128 {
    /// Returns the ID of these bytes, in the order in which they are displayed.
    ///
    /// ```
    /// use libsystemd_safe::id128::Id128;
    ///
    /// const NUMBER: u128 = 0x8d45620c1a4348dbb17410da57c60c66;
    /// const EXAMPLE: Id128 = Id128::from_bytes(NUMBER.to_be_bytes());
    /// assert_eq!(EXAMPLE.to_string(), "8d45620c1a4348dbb17410da57c60c66");
    /// ```
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, in the order in which they are displayed.
    ///
    /// ```
    /// use libsystemd_safe::id128::Id128;
    ///
    /// assert_eq!(Id128::from_bytes([7; 16]).to_bytes(), [7; 16]);
    /// ```
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    pub(crate) fn to_sys(self) -> sys::sd_id128_t {
        sys::sd_id128_t { bytes: self.0 }
    }

    pub(crate) fn from_sys(id: sys::sd_id128_t) -> Self {
        // SAFETY: both members of the union have 16 bytes, and any bytes are valid for both.
        Self(unsafe { id.bytes })
    }

    /// Returns the ID that a function of libsystemd writes.
    fn written_by(function: impl FnOnce(*mut sys::sd_id128_t) -> c_int) -> io::Result<Self> {
        let mut id = Self::default().to_sys();
        check(function(&raw mut id)).map(|_| Self::from_sys(id))
    }
}

impl fmt::Display for Id128 {
    // sd_id128_to_uuid_string(3) is newer than libsystemd 247.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{:032x}", u128::from_be_bytes(self.0));
        if f.alternate() {
            for hyphen in [20, 16, 12, 8] {
                text.insert(hyphen, '-');
            }
        }
        f.pad(&text)
    }
}

/// Shows the ID as it is displayed.
impl fmt::Debug for Id128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id128 {
    type Err = io::Error;

    /// Converts 32 hexadecimal digits, or a UUID. Returns `InvalidInput` for any other text.
    fn from_str(text: &str) -> io::Result<Self> {
        // A text with a NUL is no ID either.
        let c_text = CString::new(text).unwrap_or_default();
        // SAFETY: the text is a C string, which the call only reads. `id` has room for the result.
        let id = Self::written_by(|id| unsafe { sys::sd_id128_from_string(c_text.as_ptr(), id) });
        id.or_else(|_| {
            invalid(format!(
                "{text:?} is not a 128-bit ID: it must be 32 hexadecimal digits or a UUID"
            ))
        })
    }
}

/// Returns a new random ID, which is also a valid UUID. See sd_id128_randomize(3).
///
/// ```
/// use libsystemd_safe::id128;
///
/// assert_ne!(id128::randomize()?, id128::randomize()?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_randomize")]
pub fn randomize() -> io::Result<Id128> {
    // SAFETY: `id` has room for the result.
    Id128::written_by(|id| unsafe { sys::sd_id128_randomize(id) })
}

/// Returns the ID of this machine, from machine-id(5). See sd_id128_get_machine(3).
///
/// Do not show it to others, such as over a network: [`machine_app_specific`] is for that.
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_get_machine")]
pub fn machine() -> io::Result<Id128> {
    // SAFETY: `id` has room for the result.
    Id128::written_by(|id| unsafe { sys::sd_id128_get_machine(id) })
}

/// Returns the ID of this boot, which the kernel makes anew each time. See sd_id128_get_boot(3).
///
/// ```
/// use libsystemd_safe::id128;
///
/// println!("{}", id128::boot()?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_get_boot")]
pub fn boot() -> io::Result<Id128> {
    // SAFETY: `id` has room for the result.
    Id128::written_by(|id| unsafe { sys::sd_id128_get_boot(id) })
}

/// Returns the ID of the current start of this service, which the service manager makes anew each
/// time. See sd_id128_get_invocation(3), and `INVOCATION_ID` in systemd.exec(5).
///
/// `_SYSTEMD_INVOCATION_ID=` of the service's journal entries has it. libsystemd 247 finds it for
/// system services only.
///
/// ```no_run
/// use libsystemd_safe::id128;
///
/// println!("journalctl _SYSTEMD_INVOCATION_ID={}", id128::invocation()?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_get_invocation")]
pub fn invocation() -> io::Result<Id128> {
    // SAFETY: `id` has room for the result.
    Id128::written_by(|id| unsafe { sys::sd_id128_get_invocation(id) })
}

/// Returns an ID of this machine for one application. The machine's own ID can't be derived from
/// it. See sd_id128_get_machine_app_specific(3).
///
/// `systemd-id128 new` makes an ID for an application.
///
/// ```no_run
/// use libsystemd_safe::id128::{self, Id128};
///
/// const EXAMPLE: Id128 = Id128::from_bytes(0x8d45620c1a4348dbb17410da57c60c66_u128.to_be_bytes());
/// println!("machine {}", id128::machine_app_specific(EXAMPLE)?);
/// println!("boot {}", id128::boot_app_specific(EXAMPLE)?);
/// println!("start of this service {}", id128::invocation_app_specific(EXAMPLE)?);
/// // The same, from an ID that the program has already.
/// println!("machine {}", id128::app_specific(id128::machine()?, EXAMPLE)?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_get_machine_app_specific")]
pub fn machine_app_specific(application: Id128) -> io::Result<Id128> {
    // SAFETY: `id` has room for the result.
    Id128::written_by(|id| unsafe {
        sys::sd_id128_get_machine_app_specific(application.to_sys(), id)
    })
}

/// Returns an ID of this boot for one application. The boot's own ID can't be derived from it. See
/// sd_id128_get_boot_app_specific(3).
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_get_boot_app_specific")]
pub fn boot_app_specific(application: Id128) -> io::Result<Id128> {
    // SAFETY: `id` has room for the result.
    Id128::written_by(|id| unsafe { sys::sd_id128_get_boot_app_specific(application.to_sys(), id) })
}

/// Returns an ID of the current start of this service for one application. See
/// sd_id128_get_invocation_app_specific(3); since libsystemd 256.
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_get_invocation_app_specific")]
pub fn invocation_app_specific(application: Id128) -> io::Result<Id128> {
    let mut id = Id128::default().to_sys();
    // SAFETY: `id` has room for the result.
    unsafe { newer::sd_id128_get_invocation_app_specific(application.to_sys(), &raw mut id) }?;
    Ok(Id128::from_sys(id))
}

/// Derives an ID for one application from any other ID. See sd_id128_get_app_specific(3); since
/// libsystemd 255.
///
/// # Errors
///
/// The errors of the [module](self#errors).
#[doc(alias = "sd_id128_get_app_specific")]
pub fn app_specific(base: Id128, application: Id128) -> io::Result<Id128> {
    let mut id = Id128::default().to_sys();
    // SAFETY: `id` has room for the result.
    unsafe { newer::sd_id128_get_app_specific(base.to_sys(), application.to_sys(), &raw mut id) }?;
    Ok(Id128::from_sys(id))
}

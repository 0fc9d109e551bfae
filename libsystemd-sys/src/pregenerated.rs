// What bindgen generates from the headers of libsystemd 262, but for what differs between processors.
// A test compares it with them, and writes it: see CONTRIBUTING.md.

/// Types that the headers of libsystemd take from the headers of the system.
pub mod system {
    pub use libc::{
        FILE, clockid_t, dev_t, gid_t, inotify_event, iovec, mode_t, pid_t, siginfo_t,
        signalfd_siginfo, sockaddr, stat, timespec, uid_t,
    };
    pub type _sd_destroy_t =
        ::std::option::Option<unsafe extern "C" fn(userdata: *mut ::std::os::raw::c_void)>;
}

/// `<systemd/sd-id128.h>`: see [sd-id128](https://www.freedesktop.org/software/systemd/man/latest/sd-id128.html).
pub mod id128 {
    use super::system::*;

    pub const SD_ID128_STRING_MAX: usize = 33;
    pub const SD_ID128_UUID_STRING_MAX: usize = 37;
    pub const SD_ID128_FORMAT_STR: &::std::ffi::CStr =
        c"%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x";
    pub const SD_ID128_UUID_FORMAT_STR: &::std::ffi::CStr =
        c"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x";
    pub type sd_id128_t = sd_id128;
    #[repr(C)]
    #[derive(Copy, Clone)]
    pub union sd_id128 {
        pub bytes: [u8; 16usize],
        pub qwords: [u64; 2usize],
    }
    unsafe extern "C" {
        pub fn sd_id128_to_string(
            id: sd_id128_t,
            s: *mut ::std::os::raw::c_char,
        ) -> *mut ::std::os::raw::c_char;
    }
    unsafe extern "C" {
        pub fn sd_id128_to_uuid_string(
            id: sd_id128_t,
            s: *mut ::std::os::raw::c_char,
        ) -> *mut ::std::os::raw::c_char;
    }
    unsafe extern "C" {
        pub fn sd_id128_from_string(
            s: *const ::std::os::raw::c_char,
            ret: *mut sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_randomize(ret: *mut sd_id128_t) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_get_machine(ret: *mut sd_id128_t) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_get_boot(ret: *mut sd_id128_t) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_get_invocation(ret: *mut sd_id128_t) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_get_app_specific(
            base: sd_id128_t,
            app_id: sd_id128_t,
            ret: *mut sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_get_machine_app_specific(
            app_id: sd_id128_t,
            ret: *mut sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_get_boot_app_specific(
            app_id: sd_id128_t,
            ret: *mut sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_get_invocation_app_specific(
            app_id: sd_id128_t,
            ret: *mut sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_id128_string_equal(
            s: *const ::std::os::raw::c_char,
            id: sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    pub const SD_ID128_NULL: sd_id128_t = sd_id128_t { bytes: [0; 16] };
    pub const SD_ID128_ALLF: sd_id128_t = sd_id128_t { bytes: [0xff; 16] };
}

/// `<systemd/sd-daemon.h>`: see [sd-daemon](https://www.freedesktop.org/software/systemd/man/latest/sd-daemon.html).
pub mod daemon {
    use super::system::*;

    pub const SD_EMERG: &::std::ffi::CStr = c"<0>";
    pub const SD_ALERT: &::std::ffi::CStr = c"<1>";
    pub const SD_CRIT: &::std::ffi::CStr = c"<2>";
    pub const SD_ERR: &::std::ffi::CStr = c"<3>";
    pub const SD_WARNING: &::std::ffi::CStr = c"<4>";
    pub const SD_NOTICE: &::std::ffi::CStr = c"<5>";
    pub const SD_INFO: &::std::ffi::CStr = c"<6>";
    pub const SD_DEBUG: &::std::ffi::CStr = c"<7>";
    pub const SD_LISTEN_FDS_START: i32 = 3;
    unsafe extern "C" {
        pub fn sd_listen_fds(unset_environment: ::std::os::raw::c_int) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_listen_fds_with_names(
            unset_environment: ::std::os::raw::c_int,
            names: *mut *mut *mut ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_is_fifo(
            fd: ::std::os::raw::c_int,
            path: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_is_special(
            fd: ::std::os::raw::c_int,
            path: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_is_socket(
            fd: ::std::os::raw::c_int,
            family: ::std::os::raw::c_int,
            type_: ::std::os::raw::c_int,
            listening: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_is_socket_inet(
            fd: ::std::os::raw::c_int,
            family: ::std::os::raw::c_int,
            type_: ::std::os::raw::c_int,
            listening: ::std::os::raw::c_int,
            port: u16,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_is_socket_sockaddr(
            fd: ::std::os::raw::c_int,
            type_: ::std::os::raw::c_int,
            addr: *const sockaddr,
            addr_len: ::std::os::raw::c_uint,
            listening: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_is_socket_unix(
            fd: ::std::os::raw::c_int,
            type_: ::std::os::raw::c_int,
            listening: ::std::os::raw::c_int,
            path: *const ::std::os::raw::c_char,
            length: usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_is_mq(
            fd: ::std::os::raw::c_int,
            path: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_notify(
            unset_environment: ::std::os::raw::c_int,
            state: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_notifyf(
            unset_environment: ::std::os::raw::c_int,
            format: *const ::std::os::raw::c_char,
            ...
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_pid_notify(
            pid: pid_t,
            unset_environment: ::std::os::raw::c_int,
            state: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_pid_notifyf(
            pid: pid_t,
            unset_environment: ::std::os::raw::c_int,
            format: *const ::std::os::raw::c_char,
            ...
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_pid_notify_with_fds(
            pid: pid_t,
            unset_environment: ::std::os::raw::c_int,
            state: *const ::std::os::raw::c_char,
            fds: *const ::std::os::raw::c_int,
            n_fds: ::std::os::raw::c_uint,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_pid_notifyf_with_fds(
            pid: pid_t,
            unset_environment: ::std::os::raw::c_int,
            fds: *const ::std::os::raw::c_int,
            n_fds: usize,
            format: *const ::std::os::raw::c_char,
            ...
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_notify_barrier(
            unset_environment: ::std::os::raw::c_int,
            timeout: u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_pid_notify_barrier(
            pid: pid_t,
            unset_environment: ::std::os::raw::c_int,
            timeout: u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_pidfd_get_inode_id(
            pidfd: ::std::os::raw::c_int,
            ret: *mut u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_booted() -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_watchdog_enabled(
            unset_environment: ::std::os::raw::c_int,
            usec: *mut u64,
        ) -> ::std::os::raw::c_int;
    }
}

/// `<systemd/sd-journal.h>`: see [sd-journal](https://www.freedesktop.org/software/systemd/man/latest/sd-journal.html).
pub mod journal {
    pub use super::id128::*;
    use super::system::*;

    unsafe extern "C" {
        pub fn sd_journal_print(
            priority: ::std::os::raw::c_int,
            format: *const ::std::os::raw::c_char,
            ...
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_send(format: *const ::std::os::raw::c_char, ...)
        -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_sendv(
            iov: *const iovec,
            n: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_perror(message: *const ::std::os::raw::c_char) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_print_with_location(
            priority: ::std::os::raw::c_int,
            file: *const ::std::os::raw::c_char,
            line: *const ::std::os::raw::c_char,
            func: *const ::std::os::raw::c_char,
            format: *const ::std::os::raw::c_char,
            ...
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_send_with_location(
            file: *const ::std::os::raw::c_char,
            line: *const ::std::os::raw::c_char,
            func: *const ::std::os::raw::c_char,
            format: *const ::std::os::raw::c_char,
            ...
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_sendv_with_location(
            file: *const ::std::os::raw::c_char,
            line: *const ::std::os::raw::c_char,
            func: *const ::std::os::raw::c_char,
            iov: *const iovec,
            n: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_perror_with_location(
            file: *const ::std::os::raw::c_char,
            line: *const ::std::os::raw::c_char,
            func: *const ::std::os::raw::c_char,
            message: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_stream_fd(
            identifier: *const ::std::os::raw::c_char,
            priority: ::std::os::raw::c_int,
            level_prefix: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_stream_fd_with_namespace(
            name_space: *const ::std::os::raw::c_char,
            identifier: *const ::std::os::raw::c_char,
            priority: ::std::os::raw::c_int,
            level_prefix: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    #[repr(C)]
    #[derive(Debug)]
    pub struct sd_journal {
        _unused: [u8; 0],
    }
    pub const SD_JOURNAL_LOCAL_ONLY: ::std::ffi::c_int = 1;
    pub const SD_JOURNAL_RUNTIME_ONLY: ::std::ffi::c_int = 2;
    pub const SD_JOURNAL_SYSTEM: ::std::ffi::c_int = 4;
    pub const SD_JOURNAL_CURRENT_USER: ::std::ffi::c_int = 8;
    pub const SD_JOURNAL_OS_ROOT: ::std::ffi::c_int = 16;
    pub const SD_JOURNAL_ALL_NAMESPACES: ::std::ffi::c_int = 32;
    pub const SD_JOURNAL_INCLUDE_DEFAULT_NAMESPACE: ::std::ffi::c_int = 64;
    pub const SD_JOURNAL_TAKE_DIRECTORY_FD: ::std::ffi::c_int = 128;
    pub const SD_JOURNAL_ASSUME_IMMUTABLE: ::std::ffi::c_int = 256;
    pub const SD_JOURNAL_SYSTEM_ONLY: ::std::ffi::c_int = 4;
    pub const SD_JOURNAL_NOP: ::std::ffi::c_int = 0;
    pub const SD_JOURNAL_APPEND: ::std::ffi::c_int = 1;
    pub const SD_JOURNAL_INVALIDATE: ::std::ffi::c_int = 2;
    unsafe extern "C" {
        pub fn sd_journal_open(
            ret: *mut *mut sd_journal,
            flags: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_open_namespace(
            ret: *mut *mut sd_journal,
            name_space: *const ::std::os::raw::c_char,
            flags: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_open_directory(
            ret: *mut *mut sd_journal,
            path: *const ::std::os::raw::c_char,
            flags: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_open_directory_fd(
            ret: *mut *mut sd_journal,
            fd: ::std::os::raw::c_int,
            flags: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_open_files(
            ret: *mut *mut sd_journal,
            paths: *mut *const ::std::os::raw::c_char,
            flags: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_open_files_fd(
            ret: *mut *mut sd_journal,
            fds: *mut ::std::os::raw::c_int,
            n_fds: ::std::os::raw::c_uint,
            flags: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_open_container(
            ret: *mut *mut sd_journal,
            machine: *const ::std::os::raw::c_char,
            flags: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_close(j: *mut sd_journal);
    }
    unsafe extern "C" {
        pub fn sd_journal_previous(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_next(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_step_one(
            j: *mut sd_journal,
            advanced: ::std::os::raw::c_int,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_previous_skip(j: *mut sd_journal, skip: u64) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_next_skip(j: *mut sd_journal, skip: u64) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_realtime_usec(
            j: *mut sd_journal,
            ret: *mut u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_monotonic_usec(
            j: *mut sd_journal,
            ret_monotonic: *mut u64,
            ret_boot_id: *mut sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_seqnum(
            j: *mut sd_journal,
            ret_seqnum: *mut u64,
            ret_seqnum_id: *mut sd_id128_t,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_set_data_threshold(
            j: *mut sd_journal,
            sz: usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_data_threshold(
            j: *mut sd_journal,
            sz: *mut usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_data(
            j: *mut sd_journal,
            field: *const ::std::os::raw::c_char,
            ret_data: *mut *const ::std::os::raw::c_void,
            ret_size: *mut usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_enumerate_data(
            j: *mut sd_journal,
            ret_data: *mut *const ::std::os::raw::c_void,
            ret_size: *mut usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_enumerate_available_data(
            j: *mut sd_journal,
            ret_data: *mut *const ::std::os::raw::c_void,
            ret_size: *mut usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_restart_data(j: *mut sd_journal);
    }
    unsafe extern "C" {
        pub fn sd_journal_add_match(
            j: *mut sd_journal,
            data: *const ::std::os::raw::c_void,
            size: usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_add_disjunction(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_add_conjunction(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_flush_matches(j: *mut sd_journal);
    }
    unsafe extern "C" {
        pub fn sd_journal_seek_head(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_seek_tail(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_seek_monotonic_usec(
            j: *mut sd_journal,
            boot_id: sd_id128_t,
            usec: u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_seek_realtime_usec(
            j: *mut sd_journal,
            usec: u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_seek_cursor(
            j: *mut sd_journal,
            cursor: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_cursor(
            j: *mut sd_journal,
            ret: *mut *mut ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_test_cursor(
            j: *mut sd_journal,
            cursor: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_cutoff_realtime_usec(
            j: *mut sd_journal,
            from: *mut u64,
            to: *mut u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_cutoff_monotonic_usec(
            j: *mut sd_journal,
            boot_id: sd_id128_t,
            from: *mut u64,
            to: *mut u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_usage(
            j: *mut sd_journal,
            ret_bytes: *mut u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_query_unique(
            j: *mut sd_journal,
            field: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_enumerate_unique(
            j: *mut sd_journal,
            ret_data: *mut *const ::std::os::raw::c_void,
            ret_size: *mut usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_enumerate_available_unique(
            j: *mut sd_journal,
            ret_data: *mut *const ::std::os::raw::c_void,
            ret_size: *mut usize,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_restart_unique(j: *mut sd_journal);
    }
    unsafe extern "C" {
        pub fn sd_journal_enumerate_fields(
            j: *mut sd_journal,
            ret: *mut *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_restart_fields(j: *mut sd_journal);
    }
    unsafe extern "C" {
        pub fn sd_journal_get_fd(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_events(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_timeout(
            j: *mut sd_journal,
            timeout_usec: *mut u64,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_process(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_wait(j: *mut sd_journal, timeout_usec: u64) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_reliable_fd(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_catalog(
            j: *mut sd_journal,
            ret: *mut *mut ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_get_catalog_for_message_id(
            id: sd_id128_t,
            ret: *mut *mut ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_has_runtime_files(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
    unsafe extern "C" {
        pub fn sd_journal_has_persistent_files(j: *mut sd_journal) -> ::std::os::raw::c_int;
    }
}

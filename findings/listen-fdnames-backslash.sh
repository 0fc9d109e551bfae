#!/bin/sh
# A backslash in FileDescriptorName= reaches the service, but libsystemd drops it.
#
# Version    systemd and libsystemd 262.1-1 of Debian sid
# Behaviour  FileDescriptorName= accepts any ASCII character but controls and the colon, so a backslash too.
#            PID 1 passes it as it is in LISTEN_FDNAMES=. sd_listen_fds_with_names(3) reads it as an escape.
# Seen       LISTEN_FDNAMES=a\b, and the name ab
# Guess      libsystemd splits at colons and changes nothing else.
. "$(dirname "$0")/lib.sh"

debian sid systemd=262.1-1 libsystemd0=262.1-1 python3-minimal libpython3-stdlib
booted >"$temp/seen" <<'END'
cat >/run/systemd/system/named.socket <<'UNIT'
[Socket]
ListenDatagram=/run/named
FileDescriptorName=a\b
UNIT
cat >/run/systemd/system/named.service <<'UNIT'
[Service]
Type=oneshot
ExecStart=python3 /run/finding/names
StandardOutput=append:/output
UNIT
cat >names <<'PYTHON'
import ctypes, os
print("environment:", os.environ["LISTEN_FDNAMES"])
names = ctypes.POINTER(ctypes.c_char_p)()
count = ctypes.CDLL("libsystemd.so.0").sd_listen_fds_with_names(0, ctypes.byref(names))
print("libsystemd:", count, names[0].decode())
PYTHON
systemctl start named.socket
systemctl show --property=FileDescriptorName named.socket
systemctl start named.service
END
holds "$temp/seen" <<'END'
FileDescriptorName=a\b
environment: a\b
libsystemd: 1 ab
END

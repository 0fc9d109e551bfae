#!/bin/sh
# A LISTEN_PIDFDID= of another process is no error to sd_listen_fds(3). An empty one is.
#
# Version    libsystemd 262.1-1 of Debian sid (the variable came with 259)
# Behaviour  Unset: the check is left out. Another's: 0 descriptors, as for LISTEN_PID=. Empty: -EINVAL, so a service
#            can't switch the check off with Environment=LISTEN_PIDFDID=.
# Seen       unset 1, own 1, another's 0, empty EINVAL
# Guess      Empty counts as unset, as it does for most variables of systemd.
. "$(dirname "$0")/lib.sh"

debian sid libsystemd0=262.1-1 python3-minimal libpython3-stdlib
cat >"$root/listen" <<'END'
import ctypes, errno, os
sd_listen_fds = ctypes.CDLL("libsystemd.so.0").sd_listen_fds
own = os.fstat(os.pidfd_open(os.getpid())).st_ino
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.dup2(1, 3)
for case, value in [("unset", None), ("own", str(own)), ("another's", str(own + 1)), ("empty", "")]:
    os.environ.pop("LISTEN_PIDFDID", None)
    if value is not None:
        os.environ["LISTEN_PIDFDID"] = value
    result = sd_listen_fds(0)
    print(case, result if result >= 0 else errno.errorcode[-result])
END
inside python3 /listen >"$temp/seen"
holds "$temp/seen" <<'END'
unset 1
own 1
another's 0
empty EINVAL
END

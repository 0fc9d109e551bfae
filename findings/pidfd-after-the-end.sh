#!/bin/sh
# A pidfd still names the control group of a process that has ended and was reaped, if one also asks for its exit.
#
# Version    Linux 6.18, seen by Python 3.13.5-1 of Debian 13
# Behaviour  PIDFD_GET_INFO with PIDFD_INFO_CGROUPID alone fails with ESRCH then. With PIDFD_INFO_EXIT as well it returns
#            the ID. SCM_PIDFD passes such a pidfd to who receives the message of a process that has ended.
# Seen       ESRCH, and then the ID that another process of the same control group has.
# Guess      Once a process is gone, nothing of it is known; or the first call works.
. "$(dirname "$0")/lib.sh"

debian trixie python3-minimal=3.13.5-1 libpython3-stdlib
cat >"$root/ask" <<'END'
import array, errno, fcntl, os, socket, struct
SO_PASSPIDFD, PIDFD_GET_INFO = 76, 0xc040ff0b
CGROUPID, EXIT = 4, 8

def cgroup(pidfd, mask):
    info = bytearray(struct.pack("Q", mask).ljust(64, b"\0"))
    try:
        fcntl.ioctl(pidfd, PIDFD_GET_INFO, info)
    except OSError as error:
        return errno.errorcode[error.errno]
    return struct.unpack_from("Q", info, 8)[0]

receiver, sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, SO_PASSPIDFD, 1)
child = os.fork()
if child == 0:
    sender.send(b"hello")
    os._exit(0)
os.waitpid(child, 0)
(_, _, data), = receiver.recvmsg(100, 1000)[1]
pidfd, = array.array("i", data)
print("CGROUPID:", cgroup(pidfd, CGROUPID))
print("CGROUPID and EXIT:", cgroup(pidfd, CGROUPID | EXIT) == cgroup(os.pidfd_open(os.getpid()), CGROUPID))
END
inside python3 /ask >"$temp/seen"
holds "$temp/seen" <<'END'
CGROUPID: ESRCH
CGROUPID and EXIT: True
END

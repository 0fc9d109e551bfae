#!/bin/sh
# The kernel has an order of its own for the control messages of a datagram: the time comes first, the pidfd last.
#
# Version    Linux 6.18, seen by Python 3.13.5-1 of Debian 13
# Behaviour  The order does not follow the numbers, the order of setsockopt(2) or that of their age.
# Seen       SCM_TIMESTAMP SCM_CREDENTIALS SCM_RIGHTS SCM_PIDFD
# Guess      Rights first, since the sender attached them and they have the lowest number; or the order of setsockopt.
. "$(dirname "$0")/lib.sh"

debian trixie python3-minimal=3.13.5-1 libpython3-stdlib
cat >"$root/receive" <<'END'
import array, socket
SO_PASSPIDFD, SO_TIMESTAMP, SCM_PIDFD = 76, 29, 4
names = {socket.SCM_RIGHTS: "SCM_RIGHTS", socket.SCM_CREDENTIALS: "SCM_CREDENTIALS", SCM_PIDFD: "SCM_PIDFD",
         SO_TIMESTAMP: "SCM_TIMESTAMP"}
receiver, sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for option in SO_PASSPIDFD, socket.SO_PASSCRED, SO_TIMESTAMP:
    receiver.setsockopt(socket.SOL_SOCKET, option, 1)
sender.sendmsg([b"hello"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
_, messages, _, _ = receiver.recvmsg(100, 1000)
print(*(names[kind] for _, kind, _ in messages))
END
inside python3 /receive >"$temp/seen"
holds "$temp/seen" <<'END'
SCM_TIMESTAMP SCM_CREDENTIALS SCM_RIGHTS SCM_PIDFD
END

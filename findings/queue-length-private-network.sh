#!/bin/sh
# With PrivateNetwork=yes, the queue of a Unix datagram socket that a service makes is 10 long, and not 512.
#
# Version    systemd 262.1-1 of Debian sid
# Behaviour  systemd sets net.unix.max_dgram_qlen to 512 at boot. The setting belongs to a network namespace, and a new
#            one begins with the kernel's 10. A socket has the length of the namespace in which it was made.
# Seen       no: 512
#            yes: 10
# Guess      Unix sockets are files, and a service's own network changes nothing about them.
. "$(dirname "$0")/lib.sh"

debian sid systemd=262.1-1
booted >"$temp/seen" <<'END'
for private in no yes; do
    cat >/run/systemd/system/length.service <<UNIT
[Service]
Type=oneshot
PrivateNetwork=$private
StandardOutput=append:/output
ExecStart=sh -c "echo $private: \$\$(cat /proc/sys/net/unix/max_dgram_qlen)"
UNIT
    systemctl daemon-reload
    systemctl start length
done
END
holds "$temp/seen" <<'END'
no: 512
yes: 10
END

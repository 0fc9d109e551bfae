#!/bin/sh
# `systemctl mask` closes the socket of a unit that listens, and the unit stays active.
#
# Version    systemd 257.13-1~deb13u1 of Debian 13
# Behaviour  mask reloads the configuration. A socket unit that listens then has no socket any more, and what its queue
#            held is gone. It stays "active (listening)", also after unmask, until somebody restarts it. If its service
#            runs, mask leaves the socket open.
# Seen       open, then closed with listening and open with running
# Guess      mask prevents a start, and leaves alone what is active.
. "$(dirname "$0")/lib.sh"

debian trixie systemd=257.13-1~deb13u1
booted >"$temp/seen" <<'END'
for state in listening running; do
    printf '[Socket]\nListenDatagram=/run/%s.socket\n' $state >/run/systemd/system/$state.socket
    printf '[Service]\nExecStart=sleep infinity\n' >/run/systemd/system/$state.service
    systemctl start $state.socket
done
systemctl start running.service
show() {
    for state in listening running; do
        if grep -q "/run/$state.socket$" /proc/net/unix; then socket=open; else socket=closed; fi
        echo "$1: $(systemctl show --property=ActiveState,SubState --value $state.socket | paste -sd ' ') $socket"
    done
}
show before
systemctl mask listening.socket running.socket 2>/dev/null
show masked
systemctl unmask listening.socket running.socket 2>/dev/null
show unmasked
END
holds "$temp/seen" <<'END'
before: active listening open
before: active running open
masked: active listening closed
masked: active running open
unmasked: active listening closed
unmasked: active running open
END

#!/bin/sh
# A service that recovered can't return to its shortest restart delay on systemd 254 to 257.
#
# Version    systemd 257.13-1~deb13u1 of Debian 13, and 262.1-1 of Debian sid
# Behaviour  RestartSteps= (254) lets the delay grow with the number of restarts. READY=1 does not reset that number, on
#            neither. RESTART_RESET=1 (258) does. Older releases ignore it.
# Seen       RestartUSecNext of three failures, then READY=1 and RESTART_RESET=1: 257 2s 2s, 262 2s 100ms
# Guess      A service that became ready, or that ran for long, starts again with the shortest delay.
. "$(dirname "$0")/lib.sh"

for system in trixie=257.13-1~deb13u1 sid=262.1-1; do
    debian "${system%%=*}" "systemd=${system#*=}"
    booted <<'END'
cat >/run/systemd/system/recovers.service <<'UNIT'
[Service]
Type=notify
NotifyAccess=all
WorkingDirectory=/run/finding
Restart=always
RestartSec=100ms
RestartSteps=2
RestartMaxDelaySec=2s
ExecStart=sh recovers
UNIT
cat >recovers <<'SERVICE'
echo >>starts
[ "$(wc -l <starts)" -gt 3 ] || exit 1
systemd-notify --ready
read -r _ <go
systemd-notify RESTART_RESET=1
echo >done
exec sleep infinity
SERVICE
mkfifo go done
delay() { echo "$1: $(systemctl show --property=RestartUSecNext --value recovers)"; }
systemctl --version | sed -n '1s/.*(\(.*\)).*/\1/p'
systemctl start recovers 2>/dev/null || until systemctl is-active --quiet recovers; do sleep 0.1; done
delay READY=1
echo >go && read -r _ <done
delay RESTART_RESET=1
END
done >"$temp/seen"
holds "$temp/seen" <<'END'
257.13-1~deb13u1
READY=1: 2s
RESTART_RESET=1: 2s
262.1-1
READY=1: 2s
RESTART_RESET=1: 100ms
END

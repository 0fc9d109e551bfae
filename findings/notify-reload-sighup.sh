#!/bin/sh
# A service of Type=notify-reload that is ready but ignores SIGHUP does not start any more.
#
# Version    systemd 262.1-1 of Debian sid; 257.13-1~deb13u1 of Debian 13 starts it
# Behaviour  At READY=1 the service manager looks whether the main process handles the reload signal. If not, the start
#            fails. A shell with `trap '' HUP` ignores the signal, and so do the programs it starts, as under nohup(1).
# Seen       257: active, success. 262: failed, protocol.
# Guess      The start succeeds, and a reload times out.
. "$(dirname "$0")/lib.sh"

for system in trixie=257.13-1~deb13u1 sid=262.1-1; do
    debian "${system%%=*}" "systemd=${system#*=}"
    booted <<'END'
cat >/run/systemd/system/ignores.service <<'UNIT'
[Service]
Type=notify-reload
NotifyAccess=all
ExecStart=sh -c "trap '' HUP; systemd-notify --ready; exec sleep infinity"
UNIT
systemctl start ignores 2>/dev/null || :
systemctl --version | cut -d ' ' -f 2 -s | head -n 1
systemctl show --property=ActiveState --property=Result --value ignores | sort
journalctl --sync
journalctl --unit=ignores --output=cat | sed -n 's/process [0-9]*/process/; /lacks/p'
END
done >"$temp/seen"
holds "$temp/seen" <<'END'
257
active
success
262
failed
protocol
ignores.service: Main process lacks handler for reload signal HUP, refusing service startup.
END

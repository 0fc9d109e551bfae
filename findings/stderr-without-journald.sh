#!/bin/sh
# A service that starts while journald's socket is closed runs with /dev/null as standard error.
#
# Version    systemd 262.1-1 of Debian sid
# Behaviour  If PID 1 can't connect to journald, it gives the service /dev/null for StandardError=journal. The start
#            succeeds. The same start fails if StandardError= names a file that can't be opened.
# Seen       journal: /dev/null, Result=success
#            file: Result=exit-code
# Guess      The start fails in both cases, or the service gets the console.
. "$(dirname "$0")/lib.sh"

debian sid systemd=262.1-1
booted >"$temp/seen" <<'END'
for error in journal file:/missing/file; do
    cat >"/run/systemd/system/${error%%:*}.service" <<UNIT
[Service]
Type=oneshot
StandardOutput=append:/output
StandardError=$error
ExecStart=readlink /proc/self/fd/2
UNIT
done
systemctl daemon-reload
systemctl stop 'systemd-journald*.socket' systemd-journald.service 2>/dev/null
for service in journal file; do
    echo "$service:"
    systemctl start $service 2>/dev/null || echo "the start fails"
    systemctl show --property=Result $service
done
END
holds "$temp/seen" <<'END'
journal:
/dev/null
Result=success
file:
the start fails
Result=exit-code
END

#!/bin/sh
# Of two STATUS= in one notification, the first counts. systemd-notify would not show it: it sends only the last.
#
# Version    systemd 262.1-1 of Debian sid
# Behaviour  The service manager takes a repeated assignment from its first line.
#            `systemd-notify STATUS=first STATUS=last` sends one line, the last.
# Seen       raw: StatusText=first
#            systemd-notify: StatusText=last
# Guess      The last one counts in both, as in unit files and environments.
. "$(dirname "$0")/lib.sh"

debian sid systemd=262.1-1 python3-minimal
booted >"$temp/seen" <<'END'
cat >raw <<'PYTHON'
import os, socket
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.sendto(b"STATUS=first\nSTATUS=last\nREADY=1", os.environ["NOTIFY_SOCKET"])
PYTHON
for case in "raw: python3 $PWD/raw" "systemd-notify: systemd-notify STATUS=first STATUS=last READY=1"; do
    systemd-run --quiet --unit=twice --service-type=notify --property=NotifyAccess=all \
        sh -c "${case#*: } && exec sleep infinity"
    echo "${case%%: *}: $(systemctl show --property=StatusText twice)"
    systemctl stop twice
done
END
holds "$temp/seen" <<'END'
raw: StatusText=first
systemd-notify: StatusText=last
END

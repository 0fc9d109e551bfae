#!/bin/sh
# A service that failed until it hit the start limit reports another Result= than before.
#
# Version    systemd 257.13-1~deb13u1 of Debian 13, and 262.1-1 of Debian sid
# Behaviour  257 keeps the result of the last run: start-limit-hit appears only if the last run succeeded. 262 always
#            replaces it. The exit status stays, and Restart= counts the same.
# Seen       257: exit-code. 262: start-limit-hit. Both: ExecMainStatus=1, NRestarts=2.
# Guess      start-limit-hit on both, as systemd.exec(5) lists it under $SERVICE_RESULT.
. "$(dirname "$0")/lib.sh"

for system in trixie=257.13-1~deb13u1 sid=262.1-1; do
    debian "${system%%=*}" "systemd=${system#*=}"
    booted <<'END'
cat >/run/systemd/system/fails.service <<'UNIT'
[Unit]
StartLimitIntervalSec=1h
StartLimitBurst=2
[Service]
ExecStart=false
Restart=on-failure
RestartSec=10ms
UNIT
systemctl start fails || :
until [ "$(systemctl show --property=SubState --value fails)" = failed ]; do sleep 0.1; done
echo "$(systemctl --version | sed -n '1s/.*(\(.*\)).*/\1/p'):"
for property in Result ExecMainStatus NRestarts; do systemctl show --property=$property fails; done
END
done >"$temp/seen"
holds "$temp/seen" <<'END'
257.13-1~deb13u1:
Result=exit-code
ExecMainStatus=1
NRestarts=2
262.1-1:
Result=start-limit-hit
ExecMainStatus=1
NRestarts=2
END

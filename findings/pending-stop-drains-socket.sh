#!/bin/sh
# While the stop of a socket unit waits, PID 1 reads the socket's datagrams and drops them. Senders succeed.
#
# Version    systemd 257.13-1~deb13u1 of Debian 13
# Behaviour  A service and its socket are stopped, and the socket's stop waits for another unit. Once the service has
#            ended, PID 1 reads whatever arrives and drops it. The only trace is a message of level debug.
# Seen       The sender's queue (SIOCOUTQ) is empty, as if a service had read it, and no service runs.
# Guess      Datagrams stay in the queue until the socket closes, or senders get ECONNREFUSED.
. "$(dirname "$0")/lib.sh"

debian trixie systemd=257.13-1~deb13u1 python3-minimal libpython3-stdlib
booted >"$temp/seen" <<'END'
cat >/run/systemd/system/reader.socket <<'UNIT'
[Socket]
ListenDatagram=/run/reader
UNIT
cat >/run/systemd/system/reader.service <<'UNIT'
[Service]
ExecStart=sleep infinity
UNIT
# The socket stops after it.
cat >/run/systemd/system/slow.service <<'UNIT'
[Unit]
After=reader.socket
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=true
ExecStop=sh -c "until [ -e /run/finding/go ]; do sleep 0.1; done"
UNIT
cat >send <<'PYTHON'
import array, fcntl, socket, termios, time
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect("/run/reader")
sender.send(b"hello")
unread = array.array("i", [1])
deadline = time.monotonic() + 5
while unread[0] and time.monotonic() < deadline:
    time.sleep(0.01)
    fcntl.ioctl(sender, termios.TIOCOUTQ, unread)
print("sent,", "not read" if unread[0] else "read")
PYTHON
state() { systemctl show --property=ActiveState --value "$1"; }
show() { echo "$(python3 send); socket $(state reader.socket), service $(state reader.service)"; }
systemctl start reader.socket reader.service slow.service
show
systemctl stop --no-block slow.service reader.socket reader.service
until [ "$(state reader.service)" = inactive ]; do sleep 0.1; done
show
touch go
END
holds "$temp/seen" <<'END'
sent, not read; socket active, service active
sent, read; socket active, service inactive
END

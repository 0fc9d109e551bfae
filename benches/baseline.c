/*
 * The plain C daemon that foo is compared with. Each message takes one recvfrom, and one fprintf to
 * standard error, which is not buffered. It serves one socket, as foo 1.2 does, and checks only
 * what it must to be correct.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#ifndef ROOM
#define ROOM 1024
#endif

extern char **environ;

int main(void)
{
    static char text[ROOM + 1];
    struct sockaddr_un sender;

    fprintf(stderr, SD_INFO "Environment: \n");
    for (char **variable = environ; *variable; variable++)
        fprintf(stderr, SD_INFO " %s\n", *variable);
    fprintf(stderr, SD_NOTICE "foo service started\n");
    if (sd_listen_fds(0) < 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_DGRAM, -1, NULL, 0) < 1)
        return 1;
    sd_notify(0, "READY=1");
    for (;;) {
        socklen_t length = sizeof sender;
        ssize_t size = recvfrom(SD_LISTEN_FDS_START, text, sizeof text - 1, 0,
                                (struct sockaddr *)&sender, &length);
        if (size < 0) {
            perror("recvfrom");
            continue;
        }
        text[size] = '\0';
        if (length <= sizeof sender.sun_family)
            sender.sun_path[0] = '\0';
        fprintf(stderr, SD_NOTICE "Received %zd bytes from %.*s: %s\n", size,
                (int)sizeof sender.sun_path, sender.sun_path, text);
    }
}

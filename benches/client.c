/*
 * The plain C client that foocl is compared with: sends an argument, or each line of standard input
 * if there is none, from a socket of its own.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char line[1 << 16];
    struct sockaddr_un own = { .sun_family = AF_UNIX }, daemon = { .sun_family = AF_UNIX };
    int client = socket(AF_UNIX, SOCK_DGRAM, 0), failed = 0;

    if (argc < 2)
        return 2;
    snprintf(own.sun_path, sizeof own.sun_path, "/tmp/client.%d", (int)getpid());
    snprintf(daemon.sun_path, sizeof daemon.sun_path, "%s", argv[1]);
    if (bind(client, (struct sockaddr *)&own, sizeof own) < 0 ||
        connect(client, (struct sockaddr *)&daemon, sizeof daemon) < 0)
        return 1;
    if (argc > 2)
        failed |= send(client, argv[2], strlen(argv[2]), 0) < 0;
    else
        while (fgets(line, sizeof line, stdin))
            failed |= send(client, line, strcspn(line, "\n"), 0) < 0;
    unlink(own.sun_path);
    return failed;
}

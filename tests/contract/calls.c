/* Stands in front of libsystemd: writes each call that the program makes to the file that CALLS names, and makes it.
 * Those that libsystemd makes of itself come here too, and are not written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

static int depth;

#define CALL(name, parameters, arguments, ...)                      \
    int name parameters                                             \
    {                                                               \
        int (*real) parameters = dlsym(RTLD_NEXT, #name);           \
        int result;                                                 \
                                                                    \
        if (depth++ == 0) {                                         \
            FILE *calls = fopen(getenv("CALLS"), "ae");             \
            fprintf(calls, #name __VA_ARGS__);                      \
            fclose(calls);                                          \
        }                                                           \
        result = real arguments;                                    \
        depth--;                                                    \
        return result;                                              \
    }

CALL(sd_listen_fds, (int unset), (unset), "(%d)\n", unset)
CALL(sd_listen_fds_with_names, (int unset, char ***names), (unset, names), "(%d, %s)\n", unset,
     names ? "&names" : "NULL")
CALL(sd_notify, (int unset, const char *state), (unset, state), "(%d, \"%s\")\n", unset, state)
CALL(sd_pid_notify, (pid_t pid, int unset, const char *state), (pid, unset, state), "(%d, %d, \"%s\")\n", pid,
     unset, state)
CALL(sd_pid_notify_with_fds,
     (pid_t pid, int unset, const char *state, const int *fds, unsigned count),
     (pid, unset, state, fds, count),
     "(%d, %d, \"%s\", %p, %u)\n", pid, unset, state, (void *) fds, count)

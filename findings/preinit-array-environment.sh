#!/bin/sh
# In .preinit_array of a glibc program getenv(3) finds nothing, though the function is passed the environment.
#
# Version    libc6 2.41-12+deb13u5 of Debian 13
# Behaviour  The functions of .preinit_array and .init_array get main's three arguments. Those of .preinit_array run
#            before the C library has set environ, so getenv(3) returns NULL there. The third argument has the variable.
# Seen       preinit: getenv none, argument here; init: getenv here, argument here
# Guess      What is called with argc, argv and envp can call getenv(3) too.
. "$(dirname "$0")/lib.sh"

debian trixie libc6=2.41-12+deb13u5 libc6-dev=2.41-12+deb13u5 gcc=4:14.2.0-1
cat >"$root/order.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct seen { int library, argument; } preinit, init;
static struct seen look(char **environment) {
    struct seen seen = { getenv("FINDING") != NULL, 0 };
    for (; *environment; environment++) seen.argument |= !strncmp(*environment, "FINDING=", 8);
    return seen;
}
static void at_preinit(int count, char **arguments, char **environment) { preinit = look(environment); }
static void at_init(int count, char **arguments, char **environment) { init = look(environment); }
__attribute__((section(".preinit_array"), used)) static void (*first)(int, char **, char **) = at_preinit;
__attribute__((section(".init_array"), used)) static void (*second)(int, char **, char **) = at_init;
static const char *word(int is_here) { return is_here ? "here" : "none"; }
int main(void) {
    printf("preinit: getenv %s, argument %s\n", word(preinit.library), word(preinit.argument));
    printf("init: getenv %s, argument %s\n", word(init.library), word(init.argument));
}
END
inside sh -c 'gcc -o /order /order.c && FINDING=1 /order' >"$temp/seen"
holds "$temp/seen" <<'END'
preinit: getenv none, argument here
init: getenv here, argument here
END

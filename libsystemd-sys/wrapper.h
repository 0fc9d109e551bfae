/* Every public header of libsystemd. Those that 247 has are wanted; later ones where they are there. */
#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-device.h>
#include <systemd/sd-event.h>
#include <systemd/sd-hwdb.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>
#include <systemd/sd-messages.h>
#include <systemd/sd-path.h>
#if __has_include(<systemd/sd-gpt.h>) /* 251 */
#include <systemd/sd-gpt.h>
#endif
#if __has_include(<systemd/sd-varlink.h>) /* 257 */
#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>
#include <systemd/sd-varlink-idl.h>
#endif

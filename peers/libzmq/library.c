/* What differs between libzmq's versions. Everything that depends on a version is in this file. */

#define _POSIX_C_SOURCE 200809L

#include "library.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { V3 = 30000, V3_2 = 30200, V4 = 40000, V4_1 = 40100, V4_2 = 40200, NEWEST = 1000000 };
enum { RCVMORE = 13, LAST_ENDPOINT = 32, IPV4ONLY = 31, IPV6 = 42 };
enum { BIND_ATTEMPTS = 16 };

struct library zmq;
static int version;

/* `older` is the name of the same function, with the same arguments, before 3.0. */
static const struct symbol {
    void *slot;
    const char *name, *older;
    bool optional;
} symbols[] = {
    {&zmq.version, "zmq_version", NULL, false},
    {&zmq.error, "zmq_errno", NULL, false},
    {&zmq.error_text, "zmq_strerror", NULL, false},
    {&zmq.init, "zmq_init", NULL, false},
    {&zmq.term, "zmq_term", NULL, false},
    {&zmq.socket, "zmq_socket", NULL, false},
    {&zmq.close, "zmq_close", NULL, false},
    {&zmq.set, "zmq_setsockopt", NULL, false},
    {&zmq.get, "zmq_getsockopt", NULL, false},
    {&zmq.bind, "zmq_bind", NULL, false},
    {&zmq.connect, "zmq_connect", NULL, false},
    {&zmq.send, "zmq_sendmsg", "zmq_send", false},
    {&zmq.receive, "zmq_recvmsg", "zmq_recv", false},
    {&zmq.message_init, "zmq_msg_init", NULL, false},
    {&zmq.message_init_size, "zmq_msg_init_size", NULL, false},
    {&zmq.message_close, "zmq_msg_close", NULL, false},
    {&zmq.message_data, "zmq_msg_data", NULL, false},
    {&zmq.message_size, "zmq_msg_size", NULL, false},
    {&zmq.unbind, "zmq_unbind", NULL, true},
    {&zmq.disconnect, "zmq_disconnect", NULL, true},
    {&zmq.monitor, "zmq_socket_monitor", NULL, true},
};

static const struct option options[] = {
    {"identity", IDENTITY, OCTETS, 255, 0, NEWEST},
    {"linger-ms", LINGER, NUMBER, 4, 0, NEWEST},
    {"reconnect-interval-ms", 18, NUMBER, 4, 0, NEWEST},
    {"send-hwm", 1, NUMBER, 8, 0, V3}, /* one mark for both directions */
    {"receive-hwm", 1, NUMBER, 8, 0, V3},
    {"swap-octets", 3, NUMBER, 8, 0, V3},
    {"send-hwm", 23, NUMBER, 4, V3, NEWEST},
    {"receive-hwm", 24, NUMBER, 4, V3, NEWEST},
    {"max-message-octets", 22, NUMBER, 8, V3, NEWEST},
    {"mandatory", 33, FLAG, 4, V3_2, NEWEST},
    {"immediate", 39, FLAG, 4, V3_2, NEWEST},
    {"xpub-verbose", 40, FLAG, 4, V3_2, NEWEST},
    {"probe-router", 51, FLAG, 4, V4, NEWEST},
    {"req-correlate", 52, FLAG, 4, V4, NEWEST},
    {"req-relaxed", 53, FLAG, 4, V4, NEWEST},
    {"conflate", 54, FLAG, 4, V4, NEWEST},
    {"plain-server", 44, FLAG, 4, V4, NEWEST},
    {"plain-username", 45, OCTETS, 255, V4, NEWEST},
    {"plain-password", 46, OCTETS, 255, V4, NEWEST},
    {"plain-passwords", 0, CREDENTIALS, 0, V4, NEWEST},
    {"curve-server", 47, FLAG, 4, V4, NEWEST},
    {"curve-public-key", 48, OCTETS, 32, V4, NEWEST},
    {"curve-secret-key", 49, OCTETS, 32, V4, NEWEST},
    {"curve-server-key", 50, OCTETS, 32, V4, NEWEST},
    {"zap-domain", 55, OCTETS, 255, V4, NEWEST},
    {"handover", 56, FLAG, 4, V4_1, NEWEST},
    {"handshake-interval-ms", 66, NUMBER, 4, V4_1, NEWEST},
    {"heartbeat-interval-ms", 75, NUMBER, 4, V4_2, NEWEST},
    {"heartbeat-ttl-ms", 76, NUMBER, 4, V4_2, NEWEST},
    {"heartbeat-timeout-ms", 77, NUMBER, 4, V4_2, NEWEST},
};

static const char *const types[TYPES] = {
    "PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB",
};

static const char *const event_names[] = {
    "connected",     "connect-delayed",     "connect-retried",
    "listening",     "bind-failed",         "accepted",
    "accept-failed", "closed",              "close-failed",
    "disconnected",  "monitor-stopped",     "handshake-failed-no-detail",
    "handshake-succeeded", "handshake-failed-protocol", "handshake-failed-auth",
};

const char *library_load(const char *file)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return dlerror();
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        const struct symbol *wanted = &symbols[i];
        void *found = dlsym(handle, wanted->name);
        if (found == NULL && wanted->older != NULL)
            found = dlsym(handle, wanted->older);
        if (found == NULL && !wanted->optional)
            return dlerror();
        memcpy(wanted->slot, &found, sizeof found);
    }
    int major, minor, patch;
    zmq.version(&major, &minor, &patch);
    version = major * 10000 + minor * 100 + patch;
    return NULL;
}

int library_version(void)
{
    return version;
}

int socket_type(const char *name)
{
    for (int type = 0; type < TYPES; type++)
        if (strcmp(types[type], name) == 0)
            return type;
    return -1;
}

const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0 && version >= options[i].since && version < options[i].before)
            return &options[i];
    return NULL;
}

bool get_number(void *socket, int option, size_t octets, int64_t *value)
{
    int32_t narrow = 0;
    int64_t wide = 0;
    void *place = octets == sizeof wide ? (void *)&wide : (void *)&narrow;
    bool done = zmq.get(socket, option, place, &octets) == 0;
    *value = place == &wide ? wide : narrow;
    return done;
}

bool set_number(void *socket, int option, size_t octets, int64_t value)
{
    int32_t narrow = (int32_t)value;
    const void *place = octets == sizeof value ? (const void *)&value : (const void *)&narrow;
    return zmq.set(socket, option, place, octets) == 0;
}

int events_of(void *socket)
{
    int64_t events;
    return get_number(socket, EVENTS, 4, &events) ? (int)events : 0;
}

bool more_parts(void *socket)
{
    int64_t more;
    return get_number(socket, RCVMORE, version < V3 ? 8 : 4, &more) && more;
}

void allow_ipv6(void *socket, bool allowed)
{
    if (version >= V4)
        set_number(socket, IPV6, 4, allowed);
    else if (version >= V3_2)
        set_number(socket, IPV4ONLY, 4, !allowed);
}

/* A TCP port that is free on 127.0.0.1 now; 0 if there is none. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    if (probe == -1)
        return 0;
    bool found = bind(probe, (struct sockaddr *)&address, size) == 0 &&
                 getsockname(probe, (struct sockaddr *)&address, &size) == 0;
    close(probe);
    return found ? ntohs(address.sin_port) : 0;
}

/* 2.x has no wildcards, and 3.2 unbinds one only under the name it was bound by: so a free port is picked here,
 * and where another process takes it meanwhile, the next. */
static int bind_picked_port(void *socket, const char *endpoint, char *bound, size_t room)
{
    int error = EADDRINUSE;
    for (int attempt = 0; attempt < BIND_ATTEMPTS && error == EADDRINUSE; attempt++) {
        snprintf(bound, room, "%.*s%d", (int)strlen(endpoint) - 1, endpoint, free_port());
        error = zmq.bind(socket, bound) == 0 ? 0 : zmq.error();
        if (error == EADDRINUSE)
            fprintf(stderr, "%s was taken before it could be bound (attempt %d)\n", bound, attempt + 1);
    }
    return error;
}

int bind_socket(void *socket, const char *endpoint, char *bound, size_t room)
{
    size_t length = strlen(endpoint);
    if (version < V4 && length > 2 && strcmp(endpoint + length - 2, ":*") == 0)
        return bind_picked_port(socket, endpoint, bound, room);
    if (zmq.bind(socket, endpoint) != 0)
        return zmq.error();
    snprintf(bound, room, "%s", endpoint);
    if (version >= V4 && zmq.get(socket, LAST_ENDPOINT, bound, &room) != 0)
        return zmq.error();
    return 0;
}

/* 3.2 hands over its own structure, with a pointer to the endpoint that lives as long as the message. */
static int read_event_3_2(message *part, struct event *event)
{
    struct {
        int number;
        const char *endpoint;
        int value;
    } raw;
    memcpy(&raw, zmq.message_data(part), sizeof raw);
    snprintf(event->endpoint, sizeof event->endpoint, "%s", raw.endpoint);
    event->value = raw.value;
    return raw.number;
}

/* Since 4.0: number (2 octets) and value (4), then a part with the endpoint. */
static int read_event_4(message *parts, struct event *event)
{
    uint16_t number;
    const unsigned char *head = zmq.message_data(&parts[0]);
    memcpy(&number, head, sizeof number);
    memcpy(&event->value, head + sizeof number, sizeof event->value);
    snprintf(event->endpoint, sizeof event->endpoint, "%.*s", (int)zmq.message_size(&parts[1]),
             (const char *)zmq.message_data(&parts[1]));
    return number;
}

struct event read_event(message *parts, size_t count)
{
    struct event event = {.name = "unknown"};
    int number = count == 2 ? read_event_4(parts, &event) : read_event_3_2(parts, &event);
    for (size_t bit = 0; bit < sizeof event_names / sizeof *event_names; bit++)
        if (number == 1 << bit)
            event.name = event_names[bit];
    return event;
}

/* The open sockets, and serving them all while the adapter waits. */

#define _POSIX_C_SOURCE 200809L

#include "sockets.h"

#include "parts.h"
#include "zap.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FORWARDED_AT_ONCE = 1000, HOUR_MS = 3600000 };

static void *context;
static struct entry *entries;
static size_t entry_count;
static bool lingers; /* a socket was closed that may go on sending */

void sockets_start(void)
{
    context = zmq.init(1);
}

void sockets_end(void)
{
    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].socket != NULL)
            socket_close(&entries[i], true);
    if (!lingers)
        zmq.term(context);
    free(entries);
}

void *socket_new(int type)
{
    void *socket = zmq.socket(context, type);
    if (socket != NULL && !set_number(socket, LINGER, 4, 0)) {
        zmq.close(socket);
        return NULL;
    }
    return socket;
}

size_t socket_enter(void *socket, int type)
{
    int64_t descriptor = -1;
    get_number(socket, DESCRIPTOR, 4, &descriptor);
    entries = allocate(entries, (entry_count + 1) * sizeof *entries);
    entries[entry_count++] = (struct entry){.socket = socket, .type = type, .descriptor = (int)descriptor};
    return entry_count;
}

struct entry *socket_entry(int64_t number)
{
    bool open = number >= 1 && (size_t)number <= entry_count && entries[number - 1].socket != NULL;
    return open ? &entries[number - 1] : NULL;
}

size_t socket_number(const struct entry *entry)
{
    return (size_t)(entry - entries) + 1;
}

void socket_close(struct entry *entry, bool at_once)
{
    int64_t linger = 0;
    if (entry->partner != 0)
        entries[entry->partner - 1].partner = 0;
    if (entry->watch != NULL) {
        zmq.monitor(entry->socket, NULL, 0);
        zmq.close(entry->watch);
    }
    zap_leave(entry->socket);
    if (at_once)
        set_number(entry->socket, LINGER, 4, 0);
    if (get_number(entry->socket, LINGER, 4, &linger) && linger != 0)
        lingers = true;
    zmq.close(entry->socket);
    *entry = (struct entry){0};
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What waits at one end of a proxy goes out at the other; how many messages did. */
static int forward(struct entry *from, struct entry *to)
{
    int count = 0;
    while (count < FORWARDED_AT_ONCE && events_of(from->socket) & READABLE && events_of(to->socket) & WRITABLE) {
        struct parts parts = {0};
        if (receive_now(from->socket, &parts) != 0)
            break;
        send_now(to->socket, &parts);
        parts_free(&parts);
        count++;
    }
    return count;
}

bool serve(void)
{
    bool busy = false;
    for (struct entry *entry = entries; entry < entries + entry_count; entry++)
        if (entry->socket != NULL)
            events_of(entry->socket);
    zap_serve();
    for (struct entry *entry = entries; entry < entries + entry_count; entry++)
        if (entry->socket != NULL && entry->partner != 0)
            busy |= forward(entry, &entries[entry->partner - 1]) > 0;
    return busy;
}

bool await(bool input, int64_t timeout_ms)
{
    struct pollfd *items = allocate(NULL, (entry_count + 1) * sizeof *items);
    nfds_t count = 0;
    items[count++] = (struct pollfd){.fd = input ? STDIN_FILENO : -1, .events = POLLIN};
    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].socket != NULL)
            items[count++] = (struct pollfd){.fd = entries[i].descriptor, .events = POLLIN};
    int timeout = timeout_ms < 0 ? -1 : timeout_ms > HOUR_MS ? HOUR_MS : (int)timeout_ms;
    bool ready = poll(items, count, timeout) > 0 && items[0].revents != 0;
    free(items);
    return ready;
}

int patiently(action *act, void *socket, void *what, int64_t end_ms)
{
    for (;;) {
        int error = act(socket, what);
        if (error != EAGAIN)
            return error;
        bool busy = serve();
        error = act(socket, what);
        int64_t left_ms = end_ms - now_ms();
        if (error != EAGAIN || left_ms <= 0)
            return error;
        await(false, busy ? 0 : left_ms);
    }
}

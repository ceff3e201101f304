/* The operations of the control protocol; those on messages are in messaging.c. */

#include "operations.h"

#include "parts.h"
#include "zap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ENDPOINT_ROOM = 256 };

struct failure failure;
json_error_t malformed;

/* The error that the next answer tells. */
json_t *fail(const char *kind, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(failure.detail, sizeof failure.detail, format, values);
    va_end(values);
    snprintf(failure.kind, sizeof failure.kind, "%s", kind);
    return NULL;
}

json_t *library_failed(int error)
{
    return fail("failed", "%s", zmq.error_text(error));
}

static json_t *result_of(int status)
{
    return status == 0 ? json_object() : library_failed(zmq.error());
}

bool told_malformed(void)
{
    return fail("failed", "%s", malformed.text), false;
}

struct entry *find(json_int_t number)
{
    struct entry *entry = socket_entry(number);
    if (entry == NULL)
        fail("failed", "no open socket %" JSON_INTEGER_FORMAT, number);
    return entry;
}

struct entry *socket_of(json_t *request)
{
    json_int_t number;
    return FIELDS(request, "{s:I}", "socket", &number) ? find(number) : NULL;
}

static json_t *hello(json_t *request)
{
    int version = library_version();
    char number[32], peer[48];
    (void)request;
    snprintf(number, sizeof number, "%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
    snprintf(peer, sizeof peer, "libzmq-%s", number);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "peer", peer, "library", "libzmq", "version", number,
                     "language", "C", "control", "1");
}

static bool set_option(void *socket, const char *name, json_t *value)
{
    const struct option *option = find_option(name);
    bool done;
    if (option == NULL)
        return fail("unsupported", "option %s", name), false;
    if (option->kind == CREDENTIALS) {
        int error = json_is_array(value) ? zap_let_in(socket, value) : EINVAL;
        return error == 0 || (library_failed(error), false);
    }
    if (option->kind == OCTETS) {
        unsigned char octets[256];
        size_t length = json_string_length(value);
        if (!json_is_string(value) || length > 2 * sizeof octets)
            return fail("failed", "%s: octets are hex, 255 at most", name), false;
        ssize_t count = from_hex(json_string_value(value), length, octets);
        if (count < 0)
            return fail("failed", "%s: octets are hex", name), false;
        done = zmq.set(socket, option->number, octets, (size_t)count) == 0;
    } else if (json_is_integer(value) || json_is_boolean(value)) {
        int64_t number = json_is_integer(value) ? json_integer_value(value) : json_is_true(value);
        done = set_number(socket, option->number, option->octets, number);
    } else {
        return fail("failed", "%s: a number or boolean", name), false;
    }
    return done || (library_failed(zmq.error()), false);
}

static json_t *open_socket(json_t *request)
{
    const char *type, *name;
    json_t *options, *value;
    if (!FIELDS(request, "{s:s, s:o}", "type", &type, "options", &options))
        return NULL;
    int number = socket_type(type);
    if (number < 0)
        return fail("unsupported", "socket type %s", type);
    void *socket = socket_new(number);
    if (socket == NULL)
        return library_failed(zmq.error());
    json_object_foreach(options, name, value) {
        if (!set_option(socket, name, value)) {
            zmq.close(socket);
            return NULL;
        }
    }
    return json_pack("{s:I}", "socket", (json_int_t)socket_enter(socket, number));
}

static json_t *close_socket(json_t *request)
{
    struct entry *entry = socket_of(request);
    if (entry == NULL)
        return NULL;
    socket_close(entry, false);
    return json_object();
}

static json_t *set(json_t *request)
{
    struct entry *entry = socket_of(request);
    const char *name;
    json_t *value;
    if (entry == NULL || !FIELDS(request, "{s:s, s:o}", "option", &name, "value", &value))
        return NULL;
    return set_option(entry->socket, name, value) ? json_object() : NULL;
}

static json_t *get(json_t *request)
{
    struct entry *entry = socket_of(request);
    const char *name;
    unsigned char octets[256];
    size_t room = sizeof octets;
    int64_t number;
    if (entry == NULL || !FIELDS(request, "{s:s}", "option", &name))
        return NULL;
    const struct option *option = find_option(name);
    if (option == NULL || option->kind == CREDENTIALS)
        return fail("unsupported", "option %s", name);
    bool done = option->kind == OCTETS ? zmq.get(entry->socket, option->number, octets, &room) == 0
                                       : get_number(entry->socket, option->number, option->octets, &number);
    if (!done)
        return library_failed(zmq.error());
    if (option->kind == OCTETS && option->number != IDENTITY && room > 0)
        room--; /* the null that the library puts behind a text */
    json_t *value = option->kind == OCTETS ? to_hex(octets, room)
                    : option->kind == FLAG ? json_boolean(number)
                                           : json_integer(number);
    return json_pack("{s:o}", "value", value);
}

static json_t *bind_endpoint(json_t *request)
{
    struct entry *entry = socket_of(request);
    const char *endpoint;
    char bound[ENDPOINT_ROOM];
    if (entry == NULL || !FIELDS(request, "{s:s}", "endpoint", &endpoint))
        return NULL;
    allow_ipv6(entry->socket, strchr(endpoint, '[') != NULL);
    int error = bind_socket(entry->socket, endpoint, bound, sizeof bound);
    return error == 0 ? json_pack("{s:s}", "endpoint", bound) : library_failed(error);
}

static json_t *connect_endpoint(json_t *request)
{
    struct entry *entry = socket_of(request);
    const char *endpoint;
    if (entry == NULL || !FIELDS(request, "{s:s}", "endpoint", &endpoint))
        return NULL;
    allow_ipv6(entry->socket, strchr(endpoint, '[') != NULL);
    if (zmq.connect(entry->socket, endpoint) != 0)
        return library_failed(zmq.error());
    return json_pack("{s:s}", "endpoint", endpoint);
}

static json_t *end_endpoint(json_t *request, int (*end)(void *, const char *))
{
    const char *endpoint;
    if (end == NULL)
        return fail("unsupported", "this version has no such function");
    struct entry *entry = socket_of(request);
    if (entry == NULL || !FIELDS(request, "{s:s}", "endpoint", &endpoint))
        return NULL;
    return result_of(end(entry->socket, endpoint));
}

static json_t *unbind(json_t *request)
{
    return end_endpoint(request, zmq.unbind);
}

static json_t *disconnect(json_t *request)
{
    return end_endpoint(request, zmq.disconnect);
}

static json_t *change_subscription(json_t *request, bool starts)
{
    struct entry *entry = socket_of(request);
    const char *hex;
    size_t length;
    if (entry == NULL || !FIELDS(request, "{s:s%}", "prefix", &hex, &length))
        return NULL;
    struct parts parts = {0};
    unsigned char *octets = parts_add_octets(&parts, length / 2 + 1);
    json_t *answer;
    octets[0] = starts;
    if (from_hex(hex, length, octets + 1) < 0)
        answer = fail("failed", "prefix is hex");
    else if (entry->type == XSUB)
        answer = result_of(send_now(entry->socket, &parts) == 0 ? 0 : -1);
    else
        answer = result_of(zmq.set(entry->socket, starts ? SUBSCRIBE : UNSUBSCRIBE, octets + 1, length / 2));
    parts_free(&parts);
    return answer;
}

static json_t *subscribe(json_t *request)
{
    return change_subscription(request, true);
}

static json_t *cancel(json_t *request)
{
    return change_subscription(request, false);
}

/* Done in serve(), so that it works the same with versions whose own proxy cannot be ended. */
static json_t *proxy(json_t *request)
{
    json_int_t frontend, backend;
    if (!FIELDS(request, "{s:I, s:I}", "frontend", &frontend, "backend", &backend) || find(frontend) == NULL ||
        find(backend) == NULL)
        return NULL;
    find(frontend)->partner = (size_t)backend;
    find(backend)->partner = (size_t)frontend;
    return json_object();
}

static bool begin_to_watch(struct entry *entry)
{
    char endpoint[48];
    snprintf(endpoint, sizeof endpoint, "inproc://monitor-%zu", socket_number(entry));
    if (zmq.monitor(entry->socket, endpoint, 0xffff) == -1)
        return false;
    entry->watch = socket_new(PAIR);
    return entry->watch != NULL && zmq.connect(entry->watch, endpoint) == 0;
}

static json_t *monitor(json_t *request)
{
    struct entry *entry = socket_of(request);
    struct parts parts = {0};
    if (zmq.monitor == NULL)
        return fail("unsupported", "this version has no monitor");
    if (entry == NULL)
        return NULL;
    if (entry->watch == NULL && !begin_to_watch(entry))
        return library_failed(zmq.error());
    json_t *events = json_array();
    while (receive_now(entry->watch, &parts) == 0) {
        struct event event = read_event(parts.at, parts.count);
        json_array_append_new(events, json_pack("{s:s, s:s, s:i}", "event", event.name, "endpoint", event.endpoint,
                                                "value", event.value));
        parts_free(&parts);
    }
    return json_pack("{s:o}", "events", events);
}

static const struct {
    const char *name;
    json_t *(*run)(json_t *request);
} operations[] = {
    {"hello", hello},         {"open", open_socket},   {"close", close_socket},       {"set", set},
    {"get", get},             {"bind", bind_endpoint}, {"connect", connect_endpoint}, {"unbind", unbind},
    {"disconnect", disconnect}, {"subscribe", subscribe}, {"cancel", cancel},          {"send", send_message},
    {"recv", receive},        {"poll", poll_sockets},  {"flood", flood},              {"drain", drain},
    {"proxy", proxy},         {"monitor", monitor},
};

json_t *run(const char *op, json_t *request)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, op) == 0)
            return operations[i].run(request);
    return fail("unsupported", "%s", op);
}

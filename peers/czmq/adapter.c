/* Control protocol adapter for libzmq, by way of CZMQ. It reports; it judges nothing.
 *
 * CZMQ's own calls throughout: zsock, zmsg, zactor. They take identities and topics as text, which ends at its
 * first octet 0: those that contain one cannot be set, and the adapter says so. CZMQ also ends the program where
 * an option is not for the type of socket or libzmq refuses its value; the adapter asks for no such. */

#include <czmq.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <sha256.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_OCTETS = 1 << 16, MOST_IDENTITY = 255, HOUR_MS = 3600000 };

typedef struct {
    zsock_t *sock; /* NULL: closed */
    zactor_t *watch;
    zactor_t *proxy; /* its thread serves the socket */
} entry_t;

static entry_t *entries;
static size_t entry_count;
static bool lingers; /* a socket was closed that may go on sending */
static char kind[16], detail[256];

static json_t *fail(const char *why, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(detail, sizeof detail, format, values);
    va_end(values);
    snprintf(kind, sizeof kind, "%s", why);
    return NULL;
}

static json_t *library_failed(void)
{
    return fail(zmq_errno() == EAGAIN ? "timeout" : "failed", "%s", zmq_strerror(zmq_errno()));
}

static entry_t *find(json_t *number)
{
    json_int_t at = json_integer_value(number);
    if (at >= 1 && (size_t)at <= entry_count && entries[at - 1].sock != NULL)
        return &entries[at - 1];
    fail("failed", "no open socket %" JSON_INTEGER_FORMAT, at);
    return NULL;
}

static zsock_t *sock_of(json_t *request)
{
    entry_t *entry = find(json_object_get(request, "socket"));
    return entry ? entry->sock : NULL;
}

static const char *text_of(json_t *request, const char *field)
{
    const char *text = json_string_value(json_object_get(request, field));
    return text ? text : "";
}

static int64_t number_of(json_t *request, const char *field)
{
    return json_integer_value(json_object_get(request, field));
}

/* ---- hex ---- */

/* A frame of the octets that a text of hex says, NULL if it is none. */
static zframe_t *frame_of(const char *hex)
{
    size_t size = strlen(hex) / 2;
    zframe_t *frame = zframe_new(NULL, size);
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0}, *end;
        zframe_data(frame)[i] = (byte)strtoul(digits, &end, 16);
        if (*end)
            zframe_destroy(&frame), size = 0;
    }
    return frame;
}

static json_t *hex_of(const byte *octets, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = zmalloc(2 * size + 1);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    json_t *value = json_stringn_nocheck(text, 2 * size);
    free(text);
    return value;
}

static zmsg_t *message_of(json_t *parts)
{
    zmsg_t *message = zmsg_new();
    size_t index;
    json_t *part;
    json_array_foreach(parts, index, part) {
        zframe_t *frame = frame_of(json_string_value(part));
        if (frame == NULL) {
            fail("failed", "parts are hex");
            zmsg_destroy(&message);
            return NULL;
        }
        zmsg_append(message, &frame);
    }
    return message;
}

/* Octets as the text that CZMQ wants; NULL if it cannot be one. To be freed. */
static char *octets_as_text(const char *hex, const char *what)
{
    zframe_t *frame = frame_of(hex);
    char *text = NULL;
    if (frame == NULL)
        fail("failed", "%s is hex", what);
    else if (memchr(zframe_data(frame), 0, zframe_size(frame)) != NULL)
        fail("failed", "%s with an octet 00: CZMQ takes it as text", what);
    else
        text = zframe_strdup(frame);
    zframe_destroy(&frame);
    return text;
}

/* ---- options ---- */

#define ONLY(type) (1u << (type))
#define ANY 0xffffu
#define ROUTED (ONLY(ZMQ_REQ) | ONLY(ZMQ_REP) | ONLY(ZMQ_DEALER) | ONLY(ZMQ_ROUTER))
#define PROBING (ONLY(ZMQ_REQ) | ONLY(ZMQ_DEALER) | ONLY(ZMQ_ROUTER))
#define CONFLATING \
    (ONLY(ZMQ_PUSH) | ONLY(ZMQ_PULL) | ONLY(ZMQ_PUB) | ONLY(ZMQ_SUB) | ONLY(ZMQ_DEALER))

typedef struct {
    const char *name;
    unsigned types;
    void (*set)(void *sock, int value);
    int (*get)(void *sock);
    bool flag;
} option_t;

static const option_t options[] = {
    {"identity", ROUTED, NULL, NULL, false},
    {"send-hwm", ANY, zsock_set_sndhwm, zsock_sndhwm, false},
    {"receive-hwm", ANY, zsock_set_rcvhwm, zsock_rcvhwm, false},
    {"linger-ms", ANY, zsock_set_linger, zsock_linger, false},
    {"heartbeat-interval-ms", ANY, zsock_set_heartbeat_ivl, zsock_heartbeat_ivl, false},
    {"heartbeat-timeout-ms", ANY, zsock_set_heartbeat_timeout, zsock_heartbeat_timeout, false},
    {"heartbeat-ttl-ms", ANY, zsock_set_heartbeat_ttl, zsock_heartbeat_ttl, false},
    {"max-message-octets", ANY, zsock_set_maxmsgsize, zsock_maxmsgsize, false},
    {"handshake-interval-ms", ANY, zsock_set_handshake_ivl, zsock_handshake_ivl, false},
    {"reconnect-interval-ms", ANY, zsock_set_reconnect_ivl, zsock_reconnect_ivl, false},
    {"immediate", ANY, zsock_set_immediate, zsock_immediate, true},
    {"conflate", CONFLATING, zsock_set_conflate, NULL, true},
    {"mandatory", ONLY(ZMQ_ROUTER), zsock_set_router_mandatory, NULL, true},
    {"handover", ONLY(ZMQ_ROUTER), zsock_set_router_handover, NULL, true},
    {"probe-router", PROBING, zsock_set_probe_router, NULL, true},
    {"req-relaxed", ONLY(ZMQ_REQ), zsock_set_req_relaxed, NULL, true},
    {"req-correlate", ONLY(ZMQ_REQ), zsock_set_req_correlate, NULL, true},
    {"xpub-verbose", ONLY(ZMQ_XPUB), zsock_set_xpub_verbose, NULL, true},
};

static const option_t *option_of(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (streq(options[i].name, name))
            return &options[i];
    fail("unsupported", "option %s", name);
    return NULL;
}

static bool set_identity(zsock_t *sock, const char *hex)
{
    char *identity = octets_as_text(hex, "identity");
    bool good = identity != NULL && *identity && strlen(identity) <= MOST_IDENTITY;
    if (good)
        zsock_set_identity(sock, identity);
    else if (identity != NULL)
        fail("failed", "an identity has 1 to %d octets", MOST_IDENTITY);
    free(identity);
    return good;
}

static bool set_option(zsock_t *sock, const char *name, json_t *value)
{
    const option_t *option = option_of(name);
    if (option == NULL)
        return false;
    if (!(option->types & ONLY(zsock_type(sock))))
        return fail("failed", "%s is not for %s", name, zsock_type_str(sock)), false;
    if (option->set == NULL)
        return set_identity(sock, json_string_value(value));
    option->set(sock, json_is_integer(value) ? (int)json_integer_value(value) : json_is_true(value));
    return true;
}

/* ---- sockets ---- */

/* Let libzmq work: its descriptors tell of news once, until EVENTS is read. */
static void touch(void)
{
    for (entry_t *entry = entries; entry < entries + entry_count; entry++)
        if (entry->sock != NULL && entry->proxy == NULL)
            zsock_events(entry->sock);
}

/* Wait for news of a socket or, if asked for, standard input; true if there is input. -1 ms: without end.
 * zpoller would not do: it does not wait while there are messages that nobody has asked for yet. */
static bool await(bool input, int64_t timeout_ms)
{
    struct pollfd *items = zmalloc((entry_count + 1) * sizeof *items);
    nfds_t count = 0;
    items[count++] = (struct pollfd){.fd = input ? STDIN_FILENO : -1, .events = POLLIN};
    for (entry_t *entry = entries; entry < entries + entry_count; entry++)
        if (entry->sock != NULL && entry->proxy == NULL)
            items[count++] = (struct pollfd){.fd = zsock_fd(entry->sock), .events = POLLIN};
    bool ready = poll(items, count, timeout_ms > HOUR_MS ? HOUR_MS : (int)timeout_ms) > 0 && items[0].revents;
    free(items);
    return ready;
}

/* Act as soon as that is not answered by EAGAIN, until the end; all sockets are served meanwhile. */
static int patiently(int (*act)(zsock_t *sock, void *what), zsock_t *sock, void *what, int64_t end_ms)
{
    for (;;) {
        if (act(sock, what) == 0)
            return 0;
        if (zmq_errno() != EAGAIN)
            return -1;
        touch();
        if (act(sock, what) == 0)
            return 0;
        int64_t left_ms = end_ms - zclock_mono();
        if (zmq_errno() != EAGAIN || left_ms <= 0)
            return -1;
        await(false, left_ms);
    }
}

static int64_t end_of(json_t *request)
{
    return zclock_mono() + number_of(request, "timeout_ms");
}

/* Nothing waits inside CZMQ: the sockets' timeouts are 0. A message that is not taken stays whole. */
static int act_send(zsock_t *sock, void *message)
{
    return zmsg_send(message, sock);
}

static int act_receive(zsock_t *sock, void *message)
{
    return (*(zmsg_t **)message = zmsg_recv(sock)) ? 0 : -1;
}

/* What the library says of a message that it was offered, NULL for a failure. */
static const char *offer(zsock_t *sock, zmsg_t *message, int64_t end_ms)
{
    if (patiently(act_send, sock, &message, end_ms) == 0)
        return "accepted";
    int error = zmq_errno();
    zmsg_destroy(&message);
    if (error == EAGAIN)
        return "would-block";
    if (error == EHOSTUNREACH)
        return "unroutable";
    if (error == EFSM || error == ENOTSUP)
        return "refused";
    fail("failed", "%s", zmq_strerror(error));
    return NULL;
}

/* ---- operations ---- */

static json_t *hello(json_t *request)
{
    int major, minor, patch;
    (void)request;
    zmq_version(&major, &minor, &patch);
    char *version = zsys_sprintf("%d.%d.%d (czmq %d.%d.%d)", major, minor, patch, CZMQ_VERSION_MAJOR,
                                 CZMQ_VERSION_MINOR, CZMQ_VERSION_PATCH);
    json_t *answer = json_pack("{s:s, s:s, s:s, s:s, s:s}", "peer", "czmq", "library", "libzmq", "version", version,
                               "language", "C", "control", "1");
    zstr_free(&version);
    return answer;
}

static json_t *open_socket(json_t *request)
{
    static const char *const types[] = {"PAIR",   "PUB",  "SUB",  "REQ",  "REP", "DEALER",
                                        "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"};
    const char *name;
    json_t *value;
    int type = ZMQ_PAIR;
    while (type <= ZMQ_XSUB && !streq(types[type], text_of(request, "type")))
        type++;
    if (type > ZMQ_XSUB)
        return fail("unsupported", "socket type %s", text_of(request, "type"));
    zsock_t *sock = zsock_new(type);
    zsock_set_linger(sock, 0);
    zsock_set_sndtimeo(sock, 0);
    zsock_set_rcvtimeo(sock, 0);
    json_object_foreach(json_object_get(request, "options"), name, value) {
        if (!set_option(sock, name, value)) {
            zsock_destroy(&sock);
            return NULL;
        }
    }
    entries = realloc(entries, (entry_count + 1) * sizeof *entries);
    entries[entry_count++] = (entry_t){.sock = sock};
    return json_pack("{s:I}", "socket", (json_int_t)entry_count);
}

static void close_entry(entry_t *entry)
{
    zactor_t *proxy = entry->proxy;
    if (proxy != NULL) {
        zstr_send(proxy, "TERMINATE");
        for (entry_t *other = entries; other < entries + entry_count; other++)
            if (other->proxy == proxy)
                other->proxy = NULL;
        zactor_destroy(&proxy);
    }
    zactor_destroy(&entry->watch);
    lingers |= zsock_linger(entry->sock) != 0;
    zsock_destroy(&entry->sock);
}

static json_t *close_socket(json_t *request)
{
    entry_t *entry = find(json_object_get(request, "socket"));
    if (entry == NULL)
        return NULL;
    close_entry(entry);
    return json_object();
}

static json_t *set(json_t *request)
{
    zsock_t *sock = sock_of(request);
    bool done = sock && set_option(sock, text_of(request, "option"), json_object_get(request, "value"));
    return done ? json_object() : NULL;
}

static json_t *get(json_t *request)
{
    zsock_t *sock = sock_of(request);
    const option_t *option = sock ? option_of(text_of(request, "option")) : NULL;
    json_t *value;
    if (option == NULL)
        return NULL;
    if (streq(option->name, "identity")) {
        char *identity = zsock_identity(sock);
        value = hex_of((byte *)identity, strnlen(identity, MOST_IDENTITY));
        zstr_free(&identity);
    } else if (option->get != NULL) {
        value = option->flag ? json_boolean(option->get(sock)) : json_integer(option->get(sock));
    } else {
        return fail("unsupported", "%s can only be set", option->name);
    }
    return json_pack("{s:o}", "value", value);
}

/* A wildcard is port 0, which the system chooses: for `*` CZMQ tries ports from 49152 up, so that a peer would
 * get the port on which another was listening a moment ago. */
static json_t *bind_endpoint(json_t *request)
{
    zsock_t *sock = sock_of(request);
    const char *endpoint = text_of(request, "endpoint");
    size_t length = strlen(endpoint);
    if (sock == NULL)
        return NULL;
    bool wild = length > 2 && streq(endpoint + length - 2, ":*");
    zsock_set_ipv6(sock, strchr(endpoint, '[') != NULL);
    if (zsock_bind(sock, "%.*s%s", (int)(wild ? length - 1 : length), endpoint, wild ? "0" : "") == -1)
        return library_failed();
    char *bound = zsock_last_endpoint(sock);
    json_t *answer = json_pack("{s:s}", "endpoint", bound);
    zstr_free(&bound);
    return answer;
}

static json_t *connect_endpoint(json_t *request)
{
    zsock_t *sock = sock_of(request);
    const char *endpoint = text_of(request, "endpoint");
    if (sock == NULL)
        return NULL;
    zsock_set_ipv6(sock, strchr(endpoint, '[') != NULL);
    return zsock_connect(sock, "%s", endpoint) == 0 ? json_pack("{s:s}", "endpoint", endpoint) : library_failed();
}

static json_t *unbind(json_t *request)
{
    zsock_t *sock = sock_of(request);
    if (sock == NULL)
        return NULL;
    return zsock_unbind(sock, "%s", text_of(request, "endpoint")) == 0 ? json_object() : library_failed();
}

static json_t *disconnect(json_t *request)
{
    zsock_t *sock = sock_of(request);
    if (sock == NULL)
        return NULL;
    return zsock_disconnect(sock, "%s", text_of(request, "endpoint")) == 0 ? json_object() : library_failed();
}

/* On XSUB subscriptions are messages, and so they may have any octets. */
static json_t *change_subscription(json_t *request, bool starts)
{
    zsock_t *sock = sock_of(request);
    const char *hex = text_of(request, "prefix");
    if (sock == NULL)
        return NULL;
    if (zsock_type(sock) == ZMQ_XSUB) {
        char *whole = zsys_sprintf("%02x%s", starts, hex);
        zframe_t *frame = frame_of(whole);
        zstr_free(&whole);
        int rc = frame ? zframe_send(&frame, sock, 0) : -1;
        zframe_destroy(&frame);
        return rc == 0 ? json_object() : library_failed();
    }
    char *prefix = octets_as_text(hex, "prefix");
    if (prefix == NULL)
        return NULL;
    (starts ? zsock_set_subscribe : zsock_set_unsubscribe)(sock, prefix);
    free(prefix);
    return json_object();
}

static json_t *subscribe(json_t *request)
{
    return change_subscription(request, true);
}

static json_t *cancel(json_t *request)
{
    return change_subscription(request, false);
}

static json_t *send_message(json_t *request)
{
    zsock_t *sock = sock_of(request);
    zmsg_t *message = sock ? message_of(json_object_get(request, "parts")) : NULL;
    const char *outcome = message ? offer(sock, message, end_of(request)) : NULL;
    return outcome ? json_pack("{s:s}", "outcome", outcome) : NULL;
}

static json_t *receive(json_t *request)
{
    zsock_t *sock = sock_of(request);
    zmsg_t *message = NULL;
    if (sock == NULL)
        return NULL;
    if (patiently(act_receive, sock, &message, end_of(request)) != 0)
        return library_failed();
    json_t *parts = json_array();
    for (zframe_t *frame = zmsg_first(message); frame != NULL; frame = zmsg_next(message))
        json_array_append_new(parts, hex_of(zframe_data(frame), zframe_size(frame)));
    zmsg_destroy(&message);
    return json_pack("{s:o}", "parts", parts);
}

typedef struct {
    json_t *numbers, *readable;
} polled_t;

static int act_poll(zsock_t *none, void *what)
{
    polled_t *polled = what;
    size_t index;
    json_t *number;
    (void)none;
    json_array_foreach(polled->numbers, index, number)
        if (zsock_events(find(number)->sock) & ZMQ_POLLIN)
            json_array_append(polled->readable, number);
    errno = EAGAIN;
    return json_array_size(polled->readable) ? 0 : -1;
}

static json_t *poll_sockets(json_t *request)
{
    polled_t polled = {.numbers = json_object_get(request, "sockets")};
    size_t index;
    json_t *number;
    json_array_foreach(polled.numbers, index, number)
        if (find(number) == NULL)
            return NULL;
    polled.readable = json_array();
    patiently(act_poll, NULL, &polled, end_of(request));
    return json_pack("{s:o}", "readable", polled.readable);
}

static void put_8(byte *octets, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        octets[i] = (byte)(number >> (56 - 8 * i));
}

static json_t *flood(json_t *request)
{
    zsock_t *sock = sock_of(request);
    int64_t count = number_of(request, "count"), seed = number_of(request, "seed"), index, end_ms = end_of(request);
    size_t size = (size_t)number_of(request, "size_octets");
    if (sock == NULL)
        return NULL;
    for (index = 0; index < count; index++) {
        zmsg_t *message = message_of(json_object_get(request, "head"));
        zframe_t *body = zframe_new(NULL, size);
        if (message == NULL)
            return NULL;
        put_8(zframe_data(body), (uint64_t)index);
        for (size_t j = 8; j < size; j++)
            zframe_data(body)[j] = (byte)((size_t)(seed + index) + j);
        zmsg_append(message, &body);
        const char *outcome = offer(sock, message, end_ms);
        if (outcome == NULL)
            return NULL;
        if (!streq(outcome, "accepted"))
            break;
    }
    return json_pack("{s:I}", "accepted", (json_int_t)index);
}

/* The number in a body's first 8 octets; null for a shorter body, or one that flood cannot have made. */
static json_t *index_in(zframe_t *body)
{
    uint64_t number = 0;
    for (size_t i = 0; i < 8 && i < zframe_size(body); i++)
        number = number << 8 | zframe_data(body)[i];
    return zframe_size(body) >= 8 && number <= INT64_MAX ? json_integer((json_int_t)number) : json_null();
}

static json_t *drain(json_t *request)
{
    zsock_t *sock = sock_of(request);
    int64_t count = number_of(request, "count"), received = 0, end_ms = end_of(request);
    json_t *first = json_null(), *last = json_null();
    char digest[SHA256_DIGEST_STRING_LENGTH];
    SHA2_CTX sum;
    if (sock == NULL)
        return NULL;
    SHA256Init(&sum);
    for (; received < count; received++) {
        zmsg_t *message;
        if (patiently(act_receive, sock, &message, end_ms) != 0)
            break;
        zframe_t *body = zmsg_last(message);
        byte length[8];
        put_8(length, zframe_size(body));
        SHA256Update(&sum, length, sizeof length);
        SHA256Update(&sum, zframe_data(body), zframe_size(body));
        json_decref(last);
        last = index_in(body);
        if (received == 0)
            first = json_incref(last);
        zmsg_destroy(&message);
    }
    if (received < count && zmq_errno() != EAGAIN)
        return library_failed();
    SHA256End(&sum, digest);
    return json_pack("{s:I, s:s, s:o, s:o}", "received", (json_int_t)received, "digest", digest, "first", first, "last",
                     last);
}

/* libzmq's own proxy: CZMQ's, zproxy, opens sockets of its own. The actor has the two until one is closed. */
static void forward(zsock_t *pipe, void *ends)
{
    zsock_t **both = ends;
    void *frontend = zsock_resolve(both[0]), *backend = zsock_resolve(both[1]);
    zsock_signal(pipe, 0);
    zmq_proxy_steerable(frontend, backend, NULL, zsock_resolve(pipe));
}

static json_t *proxy(json_t *request)
{
    entry_t *frontend = find(json_object_get(request, "frontend")), *backend = find(json_object_get(request, "backend"));
    if (frontend == NULL || backend == NULL)
        return NULL;
    zsock_t *both[] = {frontend->sock, backend->sock};
    for (int i = 0; i < 2; i++) {
        zsock_set_sndtimeo(both[i], -1);
        zsock_set_rcvtimeo(both[i], -1);
    }
    frontend->proxy = backend->proxy = zactor_new(forward, both);
    return json_object();
}

static json_t *monitor(json_t *request)
{
    entry_t *entry = find(json_object_get(request, "socket"));
    if (entry == NULL)
        return NULL;
    if (entry->watch == NULL) {
        entry->watch = zactor_new(zmonitor, entry->sock);
        zstr_sendx(entry->watch, "LISTEN", "ALL", NULL);
        zstr_sendx(entry->watch, "START", NULL);
        zsock_wait(entry->watch);
        zsock_set_rcvtimeo(entry->watch, 0);
    }
    json_t *events = json_array();
    char *name, *value, *endpoint;
    while (zstr_recvx(entry->watch, &name, &value, &endpoint, NULL) == 3) {
        for (char *at = name; *at; at++)
            *at = (char)(*at == '_' ? '-' : tolower(*at));
        json_array_append_new(events, json_pack("{s:s, s:s, s:i}", "event", name, "endpoint", endpoint, "value",
                                                atoi(value)));
        zstr_free(&name);
        zstr_free(&value);
        zstr_free(&endpoint);
    }
    return json_pack("{s:o}", "events", events);
}

static const struct {
    const char *name;
    json_t *(*run)(json_t *request);
} operations[] = {
    {"hello", hello},           {"open", open_socket},    {"close", close_socket},       {"set", set},
    {"get", get},               {"bind", bind_endpoint},  {"connect", connect_endpoint}, {"unbind", unbind},
    {"disconnect", disconnect}, {"subscribe", subscribe}, {"cancel", cancel},            {"send", send_message},
    {"recv", receive},          {"poll", poll_sockets},   {"flood", flood},              {"drain", drain},
    {"proxy", proxy},           {"monitor", monitor},
};

static json_t *run(json_t *request)
{
    const char *op = text_of(request, "op");
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (streq(operations[i].name, op))
            return operations[i].run(request);
    return fail("unsupported", "%s", op);
}

/* Answer one request; there is no answer to a line that is none. */
static void answer(const char *line, size_t length)
{
    json_error_t error;
    json_t *request = json_loadb(line, length, 0, &error);
    if (request == NULL) {
        fprintf(stderr, "adapter: no request: %s\n", error.text);
        _exit(EXIT_FAILURE);
    }
    json_int_t id = number_of(request, "id");
    json_t *ok = run(request);
    json_t *whole = ok ? json_pack("{s:I, s:o}", "id", id, "ok", ok)
                       : json_pack("{s:I, s:{s:s, s:s}}", "id", id, "error", "kind", kind, "detail", detail);
    json_dumpf(whole, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(whole);
    json_decref(request);
}

/* Read what there is and answer the requests that are whole; false at the end of input. */
static bool take_input(char **buffer, size_t *filled)
{
    *buffer = realloc(*buffer, *filled + READ_OCTETS);
    ssize_t count = read(STDIN_FILENO, *buffer + *filled, READ_OCTETS);
    if (count <= 0)
        return false;
    char *searched = *buffer + *filled, *end = searched + count, *start = *buffer, *newline;
    while ((newline = memchr(searched, '\n', (size_t)(end - searched))) != NULL) {
        answer(start, (size_t)(newline - start));
        start = searched = newline + 1;
    }
    *filled = (size_t)(end - start);
    memmove(*buffer, start, *filled);
    return true;
}

/* Answer requests until the end of input; in between libzmq works whenever it has news. */
int main(void)
{
    char *buffer = NULL;
    size_t filled = 0;
    bool open = true;
    zsys_handler_set(NULL);
    zsys_set_logstream(stderr);
    while (open) {
        touch();
        if (await(true, -1))
            open = take_input(&buffer, &filled);
    }
    for (entry_t *entry = entries; entry < entries + entry_count; entry++) {
        if (entry->sock != NULL) {
            zsock_set_linger(entry->sock, 0);
            close_entry(entry);
        }
    }
    int status = filled == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (lingers) /* CZMQ's end would wait for what that socket still sends */
        _exit(status);
    return status;
}

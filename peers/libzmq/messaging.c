/* The operations on messages: send, recv, poll, flood, drain. */

#include "operations.h"

#include "parts.h"

#include <errno.h>
#include <sha256.h>

/* What the library says of a message that was offered, NULL for a failure. */
static const char *outcome_of(int error, const struct parts *parts)
{
    switch (error) {
    case 0:
        return "accepted";
    case EAGAIN:
        return parts->sent == 0 ? "would-block" : NULL;
    case EHOSTUNREACH:
        return "unroutable";
    case NOT_IN_THIS_STATE:
    case ENOTSUP:
        return "refused";
    default:
        return NULL;
    }
}

static int act_receive(void *socket, void *parts)
{
    return receive_now(socket, parts);
}

static int act_send(void *socket, void *parts)
{
    return send_now(socket, parts);
}

json_t *send_message(json_t *request)
{
    struct entry *entry = socket_of(request);
    struct parts parts = {0};
    json_t *list, *answer = NULL;
    json_int_t timeout_ms;
    if (entry == NULL || !FIELDS(request, "{s:o, s:I}", "parts", &list, "timeout_ms", &timeout_ms))
        return NULL;
    if (parts_from_hex(list, &parts)) {
        int error = patiently(act_send, entry->socket, &parts, now_ms() + timeout_ms);
        const char *outcome = outcome_of(error, &parts);
        answer = outcome ? json_pack("{s:s}", "outcome", outcome)
                         : fail("failed", "after %zu parts: %s", parts.sent, zmq.error_text(error));
    } else {
        fail("failed", "parts are hex");
    }
    parts_free(&parts);
    return answer;
}

json_t *receive(json_t *request)
{
    struct entry *entry = socket_of(request);
    struct parts parts = {0};
    json_int_t timeout_ms;
    if (entry == NULL || !FIELDS(request, "{s:I}", "timeout_ms", &timeout_ms))
        return NULL;
    int error = patiently(act_receive, entry->socket, &parts, now_ms() + timeout_ms);
    if (error != 0)
        return error == EAGAIN ? fail("timeout", "%s", zmq.error_text(error)) : library_failed(error);
    json_t *list = json_array();
    for (size_t i = 0; i < parts.count; i++)
        json_array_append_new(list, to_hex(zmq.message_data(&parts.at[i]), zmq.message_size(&parts.at[i])));
    parts_free(&parts);
    return json_pack("{s:o}", "parts", list);
}

struct polled {
    json_t *numbers, *readable;
};

static int act_poll(void *socket, void *what)
{
    struct polled *polled = what;
    size_t index;
    json_t *number;
    (void)socket;
    json_array_foreach(polled->numbers, index, number)
        if (events_of(socket_entry(json_integer_value(number))->socket) & READABLE)
            json_array_append(polled->readable, number);
    return json_array_size(polled->readable) ? 0 : EAGAIN;
}

json_t *poll_sockets(json_t *request)
{
    struct polled polled;
    json_int_t timeout_ms;
    size_t index;
    json_t *number;
    if (!FIELDS(request, "{s:o, s:I}", "sockets", &polled.numbers, "timeout_ms", &timeout_ms))
        return NULL;
    json_array_foreach(polled.numbers, index, number)
        if (find(json_integer_value(number)) == NULL)
            return NULL;
    polled.readable = json_array();
    patiently(act_poll, NULL, &polled, now_ms() + timeout_ms);
    return json_pack("{s:o}", "readable", polled.readable);
}

static void put_8(unsigned char *octets, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        octets[i] = (unsigned char)(number >> (56 - 8 * i));
}

json_t *flood(json_t *request)
{
    struct entry *entry = socket_of(request);
    json_int_t count, size, seed, timeout_ms, index;
    json_t *head = NULL;
    if (entry == NULL ||
        !FIELDS(request, "{s:I, s:I, s:I, s:I, s?o}", "count", &count, "size_octets", &size, "seed", &seed,
                "timeout_ms", &timeout_ms, "head", &head))
        return NULL;
    if (size < 8)
        return fail("failed", "size_octets is at least 8");
    int64_t end_ms = now_ms() + timeout_ms;
    int error = 0;
    for (index = 0; index < count && error == 0; index += error == 0) {
        struct parts parts = {0};
        if (!parts_from_hex(head, &parts)) {
            parts_free(&parts);
            return fail("failed", "head is hex");
        }
        unsigned char *body = parts_add_octets(&parts, (size_t)size);
        put_8(body, (uint64_t)index);
        for (json_int_t j = 8; j < size; j++)
            body[j] = (unsigned char)(seed + index + j);
        error = patiently(act_send, entry->socket, &parts, end_ms);
        bool known = outcome_of(error, &parts) != NULL;
        parts_free(&parts);
        if (!known)
            return fail("failed", "%s", zmq.error_text(error));
    }
    return json_pack("{s:I}", "accepted", index);
}

/* The number in a body's first 8 octets; null for a shorter body, or one that flood cannot have made. */
static json_t *index_in(const unsigned char *body, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < 8 && i < size; i++)
        number = number << 8 | body[i];
    return size >= 8 && number <= INT64_MAX ? json_integer((json_int_t)number) : json_null();
}

json_t *drain(json_t *request)
{
    struct entry *entry = socket_of(request);
    json_int_t count, timeout_ms, received = 0;
    if (entry == NULL || !FIELDS(request, "{s:I, s:I}", "count", &count, "timeout_ms", &timeout_ms))
        return NULL;
    json_t *first = json_null(), *last = json_null();
    char digest[SHA256_DIGEST_STRING_LENGTH];
    int64_t end_ms = now_ms() + timeout_ms;
    int error = 0;
    SHA2_CTX sum;
    SHA256Init(&sum);
    while (received < count) {
        struct parts parts = {0};
        error = patiently(act_receive, entry->socket, &parts, end_ms);
        if (error != 0)
            break;
        message *body = &parts.at[parts.count - 1];
        size_t size = zmq.message_size(body);
        unsigned char length[8];
        put_8(length, size);
        SHA256Update(&sum, length, sizeof length);
        SHA256Update(&sum, zmq.message_data(body), size);
        json_decref(last);
        last = index_in(zmq.message_data(body), size);
        if (received++ == 0)
            first = json_incref(last);
        parts_free(&parts);
    }
    SHA256End(&sum, digest);
    json_t *answer = json_pack("{s:I, s:s, s:o, s:o}", "received", received, "digest", digest, "first", first,
                               "last", last);
    if (error == 0 || error == EAGAIN)
        return answer;
    json_decref(answer);
    return library_failed(error);
}

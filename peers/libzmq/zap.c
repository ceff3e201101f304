/* The check of credentials that libzmq leaves to its application: each socket has a ZAP domain of its own. */

#include "zap.h"

#include "parts.h"
#include "sockets.h"

#include <stdio.h>
#include <string.h>

/* A question: version, number, domain, address, routing id, mechanism, and under PLAIN username and password. */
enum { NUMBER_PART = 1, DOMAIN_PART = 2, MECHANISM_PART = 5, USERNAME_PART = 6, PASSWORD_PART = 7, PLAIN_PARTS = 8 };
enum { ZAP_DOMAIN = 55, DOMAIN_ROOM = 24 };

static const char endpoint[] = "inproc://zeromq.zap.01";
static void *handler; /* there is one while a socket has a list */
static size_t handler_number;
static json_t *lists; /* by domain */

static void name_domain(char *domain, const void *socket)
{
    snprintf(domain, DOMAIN_ROOM, "%p", socket);
}

static bool start(void)
{
    handler = socket_new(REP);
    if (handler == NULL)
        return false;
    if (zmq.bind(handler, endpoint) != 0) {
        zmq.close(handler);
        handler = NULL;
        return false;
    }
    if (lists == NULL)
        lists = json_object();
    handler_number = socket_enter(handler, REP);
    return true;
}

int zap_let_in(void *socket, json_t *pairs)
{
    char domain[DOMAIN_ROOM];
    if (handler == NULL && !start())
        return zmq.error();
    name_domain(domain, socket);
    json_object_set(lists, domain, pairs);
    return zmq.set(socket, ZAP_DOMAIN, domain, strlen(domain)) == 0 ? 0 : zmq.error();
}

void zap_leave(void *socket)
{
    char domain[DOMAIN_ROOM];
    name_domain(domain, socket);
    if (lists != NULL && json_object_del(lists, domain) == 0 && json_object_size(lists) == 0 && handler != NULL) {
        handler = NULL;
        socket_close(socket_entry((int64_t)handler_number), true);
    }
    if (zmq.unbind != NULL) /* closing alone frees it some time later */
        zmq.unbind(socket, endpoint);
}

static json_t *hex_of(message *part)
{
    return to_hex(zmq.message_data(part), zmq.message_size(part));
}

static bool says(message *part, const char *text)
{
    return zmq.message_size(part) == strlen(text) && memcmp(zmq.message_data(part), text, strlen(text)) == 0;
}

/* Of CURVE every client's key is good. */
static bool is_good(struct parts *question)
{
    char domain[DOMAIN_ROOM];
    size_t index;
    json_t *pair;
    bool found = false;
    if (question->count > MECHANISM_PART && says(&question->at[MECHANISM_PART], "CURVE"))
        return true;
    if (question->count != PLAIN_PARTS)
        return false;
    message *asked = &question->at[DOMAIN_PART];
    snprintf(domain, sizeof domain, "%.*s", (int)zmq.message_size(asked), (const char *)zmq.message_data(asked));
    json_t *given = json_pack("[o, o]", hex_of(&question->at[USERNAME_PART]), hex_of(&question->at[PASSWORD_PART]));
    json_array_foreach(json_object_get(lists, domain), index, pair)
        found |= json_equal(pair, given);
    json_decref(given);
    return found;
}

static void add(struct parts *reply, const void *octets, size_t count)
{
    memcpy(parts_add_octets(reply, count), octets, count);
}

void zap_serve(void)
{
    while (handler != NULL && events_of(handler) & READABLE) {
        struct parts question = {0}, reply = {0};
        if (receive_now(handler, &question) != 0)
            return;
        message *number = &question.at[question.count > NUMBER_PART ? NUMBER_PART : 0];
        add(&reply, "1.0", 3);
        add(&reply, zmq.message_data(number), zmq.message_size(number));
        add(&reply, is_good(&question) ? "200" : "400", 3);
        for (int empty = 0; empty < 3; empty++) /* status text, user id, metadata */
            add(&reply, "", 0);
        send_now(handler, &reply);
        parts_free(&question);
        parts_free(&reply);
    }
}

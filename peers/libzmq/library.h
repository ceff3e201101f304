/* libzmq of any version from 2.1 on, loaded at run time: what adapter.c needs of it, under one set of names. */

#ifndef LIBRARY_H
#define LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAIR, PUB, SUB, REQ, REP, DEALER, ROUTER, PULL, PUSH, XPUB, XSUB, TYPES };
enum { IDENTITY = 5, SUBSCRIBE = 6, UNSUBSCRIBE = 7, DESCRIPTOR = 14, EVENTS = 15, LINGER = 17 };
enum { DONTWAIT = 1, SNDMORE = 2, READABLE = 1, WRITABLE = 2 };
enum { NOT_IN_THIS_STATE = 156384712 + 51 }; /* EFSM */

/* A zmq_msg_t: 40 octets in 2.x, 32 in 3.x, 64 in 4.x, aligned like a pointer. */
typedef union {
    void *alignment;
    unsigned char octets[64];
} message;

/* The functions; those of the last group are NULL where the library has none. */
struct library {
    void (*version)(int *major, int *minor, int *patch);
    int (*error)(void);
    const char *(*error_text)(int error);
    void *(*init)(int io_threads);
    int (*term)(void *context);
    void *(*socket)(void *context, int type);
    int (*close)(void *socket);
    int (*set)(void *socket, int option, const void *value, size_t octets);
    int (*get)(void *socket, int option, void *value, size_t *octets);
    int (*bind)(void *socket, const char *endpoint);
    int (*connect)(void *socket, const char *endpoint);
    int (*send)(void *socket, message *part, int flags);
    int (*receive)(void *socket, message *part, int flags);
    int (*message_init)(message *part);
    int (*message_init_size)(message *part, size_t octets);
    int (*message_close)(message *part);
    void *(*message_data)(message *part);
    size_t (*message_size)(message *part);

    int (*unbind)(void *socket, const char *endpoint);
    int (*disconnect)(void *socket, const char *endpoint);
    int (*monitor)(void *socket, const char *endpoint, int events);
};

/* An option of the control protocol in the library's terms. */
struct option {
    const char *name;
    int number;
    enum { FLAG, NUMBER, OCTETS, CREDENTIALS } kind;
    size_t octets;     /* of a flag's or number's value */
    int since, before; /* versions, as library_version says them */
};

extern struct library zmq;

/* Load the library; NULL, or the reason why not. */
const char *library_load(const char *file);

/* Major, minor and patch as one number: 40305. */
int library_version(void);

/* The socket type's number by its name in capitals, -1 if there is none. */
int socket_type(const char *name);

/* The option by its portable name, NULL if this version has none. */
const struct option *find_option(const char *name);

/* A flag or number; false, with zmq.error() set, if the library refuses. */
bool get_number(void *socket, int option, size_t octets, int64_t *value);
bool set_number(void *socket, int option, size_t octets, int64_t value);

/* POLLIN and POLLOUT of a socket; to ask lets the library do its pending work. */
int events_of(void *socket);

/* Whether further parts follow the one received last. */
bool more_parts(void *socket);

/* IPv6 on or off; 2.x cannot. */
void allow_ipv6(void *socket, bool allowed);

/* Bind, and put the endpoint to dial into `bound`; 0 or an error number. */
int bind_socket(void *socket, const char *endpoint, char *bound, size_t room);

/* A monitor's event from the parts it came as; its name, or "unknown". */
struct event {
    const char *name;
    char endpoint[256];
    int value;
};
struct event read_event(message *parts, size_t count);

#endif

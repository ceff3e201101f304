/* The open sockets, and serving them all while the adapter waits. */

#ifndef SOCKETS_H
#define SOCKETS_H

#include "library.h"

/* A socket under its number, from 1 up. */
struct entry {
    void *socket; /* NULL: closed */
    void *watch;  /* the receiving end of its monitor */
    int type;
    int descriptor;
    size_t partner; /* the proxy's other end, 0 if none */
};

void sockets_start(void);

/* Close every socket at once, and the library if nothing keeps it. */
void sockets_end(void);

/* A socket with linger 0; NULL, with zmq.error() set, if the library refuses. */
void *socket_new(int type);

/* Let it be served from now on; its number. */
size_t socket_enter(void *socket, int type);

/* The open socket of that number, or NULL; good until the next socket_enter. */
struct entry *socket_entry(int64_t number);
size_t socket_number(const struct entry *entry);

/* Close it; `at_once` says that its linger does not count. */
void socket_close(struct entry *entry, bool at_once);

/* Milliseconds of a clock that never goes back. */
int64_t now_ms(void);

/* Let libzmq work: its descriptors tell of news once, until EVENTS is read. True if a proxy has more to do. */
bool serve(void);

/* Wait for news of a socket or, if asked for, standard input; true if there is input. -1 ms: without end. */
bool await(bool input, int64_t timeout_ms);

/* Something to do with a socket; 0 or an error number. */
typedef int action(void *socket, void *what);

/* Act as soon as that does not answer EAGAIN, until `end_ms`; all sockets are served meanwhile. */
int patiently(action *act, void *socket, void *what, int64_t end_ms);

#endif

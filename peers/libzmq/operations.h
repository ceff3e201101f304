/* The operations of the control protocol: a request in, the fields of its answer out. */

#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "sockets.h"

#include <jansson.h>

/* Why the operation that came last has no answer. */
struct failure {
    char kind[16], detail[256];
};
extern struct failure failure;

/* The answer's fields, or NULL and `failure`. */
json_t *run(const char *op, json_t *request);

/* ---- for the operations themselves ---- */

json_t *fail(const char *kind, const char *format, ...);

/* Failed, in the library's words. */
json_t *library_failed(int error);

/* The fields of a request by jansson's format; false after fail(). */
#define FIELDS(request, ...) (json_unpack_ex(request, &malformed, 0, __VA_ARGS__) == 0 || told_malformed())
extern json_error_t malformed;
bool told_malformed(void);

/* The open socket of that number, or that a request names; NULL after fail(). */
struct entry *find(json_int_t number);
struct entry *socket_of(json_t *request);

json_t *send_message(json_t *request);
json_t *receive(json_t *request);
json_t *poll_sockets(json_t *request);
json_t *flood(json_t *request);
json_t *drain(json_t *request);

#endif

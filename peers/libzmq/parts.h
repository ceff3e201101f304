/* Octets as hex, and messages of parts. */

#ifndef PARTS_H
#define PARTS_H

#include "library.h"

#include <jansson.h>
#include <sys/types.h>

/* A message: `count` parts, the first `sent` of which the library has taken. */
struct parts {
    message *at;
    size_t count, sent;
};

/* realloc; without memory the adapter ends. */
void *allocate(void *old, size_t octets);

/* The number of octets put into `octets`, which has room for half the text; -1 if it is not hex. */
ssize_t from_hex(const char *text, size_t length, unsigned char *octets);
json_t *to_hex(const unsigned char *octets, size_t count);

/* Add a part of that size; its octets, to be filled in. */
unsigned char *parts_add_octets(struct parts *parts, size_t octets);

/* Add the parts of a JSON list (NULL: none); false if one is not hex. */
bool parts_from_hex(json_t *list, struct parts *parts);

void parts_free(struct parts *parts);

/* One whole message, if there is one now; 0 or an error number. */
int receive_now(void *socket, struct parts *parts);

/* One whole message: the library takes it all or, at its first part, nothing; 0 or an error number. */
int send_now(void *socket, struct parts *parts);

#endif

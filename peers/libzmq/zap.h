/* The check of credentials that libzmq leaves to its application (ZAP, RFC 27). */

#ifndef ZAP_H
#define ZAP_H

#include <jansson.h>

/* Let in, at this server of PLAIN alone, whoever has one of these pairs of username and password, in hex.
 * 0 or an error number. */
int zap_let_in(void *socket, json_t *pairs);

/* This socket is about to close: its list goes with it, and the place of the handler is free for another. */
void zap_leave(void *socket);

/* Answer what libzmq has asked. */
void zap_serve(void);

#endif

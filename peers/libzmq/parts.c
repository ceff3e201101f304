/* Octets as hex, and messages of parts. */

#define _POSIX_C_SOURCE 200809L

#include "parts.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *allocate(void *old, size_t octets)
{
    void *memory = realloc(old, octets ? octets : 1);
    if (memory == NULL) {
        perror("adapter");
        exit(EXIT_FAILURE);
    }
    return memory;
}

static int nibble(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

ssize_t from_hex(const char *text, size_t length, unsigned char *octets)
{
    if (length % 2)
        return -1;
    for (size_t i = 0; i < length / 2; i++) {
        int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        octets[i] = (unsigned char)(high << 4 | low);
    }
    return (ssize_t)(length / 2);
}

json_t *to_hex(const unsigned char *octets, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    char *text = allocate(NULL, 2 * count);
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    json_t *value = json_stringn_nocheck(text, 2 * count);
    free(text);
    return value;
}

void parts_free(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        zmq.message_close(&parts->at[i]);
    free(parts->at);
    *parts = (struct parts){0};
}

static message *parts_add(struct parts *parts)
{
    parts->at = allocate(parts->at, (parts->count + 1) * sizeof *parts->at);
    return &parts->at[parts->count++];
}

unsigned char *parts_add_octets(struct parts *parts, size_t octets)
{
    message *part = parts_add(parts);
    if (zmq.message_init_size(part, octets) != 0) {
        perror("adapter");
        exit(EXIT_FAILURE);
    }
    return zmq.message_data(part);
}

bool parts_from_hex(json_t *list, struct parts *parts)
{
    size_t index;
    json_t *text;
    json_array_foreach(list, index, text) {
        size_t length = json_string_length(text);
        if (!json_is_string(text) || from_hex(json_string_value(text), length, parts_add_octets(parts, length / 2)) < 0)
            return false;
    }
    return true;
}

int receive_now(void *socket, struct parts *parts)
{
    do {
        message *part = parts_add(parts);
        zmq.message_init(part);
        if (zmq.receive(socket, part, parts->count == 1 ? DONTWAIT : 0) == -1) {
            int error = zmq.error();
            parts_free(parts);
            return error;
        }
    } while (more_parts(socket));
    return 0;
}

int send_now(void *socket, struct parts *parts)
{
    for (; parts->sent < parts->count; parts->sent++)
        if (zmq.send(socket, &parts->at[parts->sent],
                     DONTWAIT | (parts->sent + 1 < parts->count ? SNDMORE : 0)) == -1)
            return zmq.error();
    return 0;
}

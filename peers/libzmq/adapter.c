/* Control protocol adapter for libzmq, whatever its version. It reports; it judges nothing. */

#define _POSIX_C_SOURCE 200809L

#include "operations.h"

#include "parts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_OCTETS = 1 << 16 };

static int answers; /* standard output; libzmq 4.1 writes remarks of its own where that was */

static void keep_output(void)
{
    answers = dup(STDOUT_FILENO);
    if (answers == -1 || dup2(STDERR_FILENO, STDOUT_FILENO) == -1) {
        perror("adapter: standard output");
        exit(EXIT_FAILURE);
    }
}

static void write_all(const char *octets, size_t count)
{
    while (count > 0) {
        ssize_t written = write(answers, octets, count);
        if (written <= 0)
            exit(EXIT_FAILURE);
        octets += written;
        count -= (size_t)written;
    }
}

/* Answer one request; there is no answer to a line that is none. */
static void answer(const char *line, size_t length)
{
    json_error_t error;
    json_t *request = json_loadb(line, length, 0, &error);
    json_int_t id;
    const char *op;
    if (request == NULL || json_unpack_ex(request, &error, 0, "{s:I, s:s}", "id", &id, "op", &op) != 0) {
        fprintf(stderr, "adapter: no request: %s\n", error.text);
        exit(EXIT_FAILURE);
    }
    json_t *ok = run(op, request);
    json_t *whole = ok ? json_pack("{s:I, s:o}", "id", id, "ok", ok)
                       : json_pack("{s:I, s:{s:s, s:s}}", "id", id, "error", "kind", failure.kind, "detail", failure.detail);
    char *text = json_dumps(whole, JSON_COMPACT);
    if (text == NULL) {
        fprintf(stderr, "adapter: no answer to %s\n", op);
        exit(EXIT_FAILURE);
    }
    write_all(text, strlen(text));
    write_all("\n", 1);
    free(text);
    json_decref(whole);
    json_decref(request);
}

/* Read what there is and answer the requests that are whole; false at the end of input. */
static bool take_input(char **buffer, size_t *filled)
{
    *buffer = allocate(*buffer, *filled + READ_OCTETS);
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

/* 2.x writes its swap files into the current directory; that is no place for them. */
static void leave_folder(void)
{
    const char *folder = getenv("TMPDIR");
    if (library_version() < 30000 && chdir(folder ? folder : "/tmp") != 0)
        perror("adapter: temporary folder");
}

/* Answer requests until the end of input; in between libzmq works whenever it has news. */
int main(int argc, char **argv)
{
    char *buffer = NULL;
    size_t filled = 0;
    bool open = true;
    const char *reason = library_load(argc > 1 ? argv[1] : "libzmq.so");
    if (reason != NULL) {
        fprintf(stderr, "adapter: %s\n", reason);
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    keep_output();
    leave_folder();
    sockets_start();
    while (open) {
        bool busy = serve();
        if (await(true, busy ? 0 : -1))
            open = take_input(&buffer, &filled);
    }
    sockets_end();
    free(buffer);
    return filled == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

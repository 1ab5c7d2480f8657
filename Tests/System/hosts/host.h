/* What the hosts share: a program that ends with the file, line and message of what went wrong. */
#ifndef HOST_H
#define HOST_H
#include <errno.h>
#include <papertrade.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `complaints` instead of stderr for hosts that have none. */
static FILE *complaints;

#define REQUIRE(condition, ...) \
    do { \
        if (!(condition)) { \
            FILE *to = complaints ? complaints : stderr; \
            fprintf(to, "%s:%d: " #condition ": ", __FILE__, __LINE__); \
            fprintf(to, __VA_ARGS__); \
            fputc('\n', to); \
            fflush(to); \
            _exit(1); \
        } \
    } while (0)

/* Requires a status of a call that was given &error. */
#define EXPECT(expected, call) \
    do { \
        pt_status got = (call); \
        REQUIRE(got == (expected), "%s (%d): %s", pt_status_name(got), (int)got, error.message); \
        REQUIRE(error.status == got, "error.status is %d, returned was %d", (int)error.status, (int)got); \
        REQUIRE((got == PT_OK) == (error.message[0] == '\0'), "the message is \"%s\"", error.message); \
    } while (0)

static inline pt_account *opened(const char *path) {
    pt_error error;
    pt_account *account;
    EXPECT(PT_OK, pt_open(path, NULL, &account, &error));
    return account;
}
#endif

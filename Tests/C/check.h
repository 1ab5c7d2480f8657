/*
 * check.h: what the C tests share. A check that fails prints file, line and the sentence that should have been true; the
 * program goes on, and finish() is its exit status.
 */
#ifndef CHECK_H
#define CHECK_H

#include <papertrade.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed_checks, passed_checks;

/* What the calls under test write to. Each EXPECT looks at it. */
static pt_error error;

/* `condition` is what `sentence` says. */
#define CHECK(condition, sentence) check_that((condition) != 0, __FILE__, __LINE__, sentence, "not so: " #condition)

/* `call`, which gets &error, returns `status`; the error agrees, and its message is a sentence exactly if it failed. */
#define EXPECT(expected, call, sentence) check_status(expected, (memset(&error, 0x5A, sizeof error), call), 1, __FILE__, __LINE__, sentence)

/* The same for calls that have no pt_error. */
#define EXPECT_PLAIN(expected, call, sentence) check_status(expected, call, 0, __FILE__, __LINE__, sentence)

static inline void check_that(int is_so, const char *file, int line, const char *sentence, const char *detail) {
    if (is_so) {
        passed_checks++;
        return;
    }
    if (++failed_checks <= 20) printf("%s:%d: %s\n    %s\n", file, line, sentence, detail);
    if (failed_checks == 20) printf("further failures are counted only\n");
}

/* One line of text: not empty, ended by a NUL in time, without control characters. */
static inline int is_sentence(const char *message, size_t size) {
    size_t i;
    for (i = 0; i < size && message[i] != '\0'; i++) {
        if ((unsigned char)message[i] < 0x20 || message[i] == 0x7F) return 0;
    }
    return i > 0 && i < size;
}

static inline void check_status(pt_status expected, pt_status status, int has_error, const char *file, int line, const char *sentence) {
    char detail[800];
    const char *message = has_error ? error.message : "";
    int agrees = !has_error || (error.status == status &&
                                (status == PT_OK ? error.message[0] == '\0' : is_sentence(error.message, sizeof error.message)));
    snprintf(detail, sizeof detail, "%s instead of %s%s %.500s", pt_status_name(status), pt_status_name(expected),
             agrees ? ":" : ", and the pt_error does not agree with it:", message);
    check_that(status == expected && agrees, file, line, sentence, detail);
}

/* `directory/name`, valid for the next 63 calls. */
static inline const char *in(const char *directory, const char *name) {
    static char paths[64][1024];
    static unsigned next;
    char *path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

/* A file with this text. */
static inline void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

/* Whether the file holds this text and nothing else. */
static inline int file_is(const char *path, const char *text) {
    char found[1024];
    FILE *file = fopen(path, "r");
    size_t size = 0;
    if (file != NULL) {
        size = fread(found, 1, sizeof found, file);
        fclose(file);
    }
    return file != NULL && size == strlen(text) && memcmp(found, text, size) == 0;
}

/* An account to try things on, with 10,000 in cash and fast commits; ends the program if there is none. */
static inline pt_account *open_account(const char *path) {
    pt_options options = PT_OPTIONS_INIT;
    pt_account *account;
    options.initial_cash = 10000;
    options.durability = PT_DURABILITY_PROCESS;
    if (pt_open(path, &options, &account, &error) != PT_OK) {
        printf("cannot open %s: %s\n", path, error.message);
        exit(2);
    }
    return account;
}

static inline int finish(void) {
    if (failed_checks > 0) printf("%d of %d checks failed\n", failed_checks, failed_checks + passed_checks);
    else printf("%d checks\n", passed_checks);
    return failed_checks > 0 ? 1 : 0;
}

#endif

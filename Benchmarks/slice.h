/* What the C programs share: they get ready, wait for a common start, work for a given time, and print what they did.
 *
 * Standard input is the barrier: the driver holds its other end and closes it when every process has said that it is ready. */
#ifndef SLICE_H
#define SLICE_H

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Says "ready", and returns when everybody is. */
static inline void wait_for_start(void) {
    char byte;
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {}
}

typedef struct slice {
    double seconds, begun, ended;
    uint64_t count; /* what was finished in time */
} slice;

static inline slice begin_slice(double seconds) {
    double begun = now();
    return (slice){seconds, begun, begun, 0};
}

/* After each piece of work. Whether there is time for another; what ends after the time is not counted, nor is its time. Of several processes
 * one may so have finished nothing. */
static inline int goes_on(slice *slice, uint64_t done) {
    double time = now();
    if (time > slice->begun + slice->seconds) return 0;
    slice->ended = time;
    slice->count += done;
    return 1;
}

static inline void print_slice(const slice *slice) {
    printf("%llu %.9f\n", (unsigned long long)slice->count, slice->ended - slice->begun);
}

/* Pieces of work that everybody does before the start, so that files are open, caches warm and blocks made. */
enum { WARM_UP = 10 };

static inline void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* The trades that everybody makes: one share of one symbol is bought and sold again, then the next symbol's turn comes. What is held, and
 * so the work, stays the same. */
static inline void name_symbol(char symbol[8], uint64_t number) { snprintf(symbol, 8, "S%03u", (unsigned)(number % 1000)); }

static inline double price_of(uint64_t number) { return 100.0 + (double)(number % 97) / 100.0; }

#endif

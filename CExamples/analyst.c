/*
 * analyst.c: an analyst in a shared library, for `pt monitor`, `pt trade` and `pt run`. It judges by what you think a share is worth.
 *
 *     cc -shared -fPIC analyst.c -o libanalyst.so
 *     pt monitor --analyst ./libanalyst.so
 *
 * It reads the file quotes.txt in the current directory, or the one that the environment variable QUOTES names: a line for each
 * security, with its symbol, its price and its worth. Whatever keeps that file up to date, an editor or a program, replaces it.
 *
 *     AAPL 93.70 120.00
 *     MSFT 41.48 40.00
 *
 * A library has one function, pt_analyst; nothing of libpapertrade is linked. It runs in a process of its own, with your rights: a
 * crash or a hang costs the symbol's turn, no more. What it prints to stderr is passed on.
 */
#define PT_ANALYST_LIBRARY /* declares pt_analyst, so that the compiler checks it */
#include <papertrade.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The signal of a score. */
static int32_t signal_of(double score) {
    return score >= 85   ? PT_SIGNAL_STRONG_BUY
           : score >= 70 ? PT_SIGNAL_BUY
           : score >= 60 ? PT_SIGNAL_WEAK_BUY
           : score >= 40 ? PT_SIGNAL_HOLD
           : score >= 20 ? PT_SIGNAL_WEAK_SELL
                         : PT_SIGNAL_SELL;
}

/* Finds the symbol's line: 1 if it is there, 0 if not. */
static int find(FILE *file, const char *symbol, double *price, double *worth) {
    char line[256], name[PT_SYMBOL_MAX + 1];
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%32s %lf %lf", name, price, worth) == 3 && strcmp(name, symbol) == 0) return 1;
    }
    return 0;
}

/*
 * Judges `symbol` as of `time`, in microseconds since 1970 UTC. `context` is NULL in a library.
 *
 * Returns PT_OK with `out` filled; PT_NO_OPINION for what it does not know; anything else for a failure, with the reason if there is
 * room for one. Nothing has to be checked twice: a price below zero or a score above 100 counts as a failure, too.
 */
int32_t pt_analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    const char *path = getenv("QUOTES");
    double price, worth;
    int found;
    FILE *file;
    (void)context;
    (void)time; /* our quotes are of now; one with a history looks up this moment, and can then be replayed */

    if (path == NULL) path = "quotes.txt";
    file = fopen(path, "r"); /* each time anew: the file may have been replaced */
    if (file == NULL) {
        snprintf(out->reason, sizeof out->reason, "cannot open %.200s", path);
        return -1;
    }
    found = find(file, symbol, &price, &worth);
    fclose(file);
    if (!found) return PT_NO_OPINION;

    /* 50 points for what costs what it is worth, a point more or less for each per cent. */
    out->price = price;
    out->score = 50 + 100 * (worth - price) / price;
    if (out->score > 100) out->score = 100;
    if (out->score < 0) out->score = 0;
    out->signal = signal_of(out->score);
    out->confidence = PT_CONFIDENCE_MEDIUM;
    snprintf(out->reason, sizeof out->reason, "costs %.2f, is worth %.2f", price, worth);
    return PT_OK;
}

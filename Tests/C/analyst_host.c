/*
 * analyst_host.c: loads an analyst's library as `pt --analyst` does, and runs a monitoring cycle with it. Prints what is known of each
 * symbol afterwards, and the first thing that went wrong.
 *
 *     analyst_host DIRECTORY LIBRARY SYMBOL...        (an empty directory)
 */
#include "check.h"

#include <dlfcn.h>

/* `["A", "B"]` */
static void watch(const char *path, char **symbols) {
    FILE *file = fopen(path, "w");
    if (file == NULL) exit(2);
    fputs("{\"watchlist\": [", file);
    for (; *symbols != NULL; symbols++) fprintf(file, "\"%s\"%s", *symbols, symbols[1] != NULL ? ", " : "");
    fputs("]}", file);
    if (fclose(file) != 0) exit(2);
}

int main(int argc, char **argv) {
    pt_cycle_options options = PT_CYCLE_OPTIONS_INIT;
    pt_account *account;
    pt_analyst_fn analyst = NULL;
    pt_cycle cycle;
    pt_known_signal known[16];
    size_t count = 0, i;
    void *library;
    if (argc < 4) {
        fprintf(stderr, "usage: analyst_host DIRECTORY LIBRARY SYMBOL...\n");
        return 2;
    }
    library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) *(void **)&analyst = dlsym(library, "pt_analyst");
    CHECK(analyst != NULL, "the library exports pt_analyst");
    account = open_account(in(argv[1], "account"));
    watch(in(argv[1], "account/config.json"), argv + 3);
    options.flags = PT_CYCLE_IGNORE_SCHEDULE;
    EXPECT(PT_OK, pt_monitoring_cycle(account, analyst, NULL, &options, &cycle, &error), "a cycle is run with the library's analyst");
    EXPECT(PT_OK, pt_signals(account, known, 16, &count, &error), "what is known is listed");
    for (i = 0; i < count; i++) printf("%s %d %.2f %.2f\n", known[i].symbol, (int)known[i].signal, known[i].score, known[i].price);
    printf("%u without, %s\n", (unsigned)cycle.unanalysed, cycle.problem);
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    return failed_checks > 0 ? finish() : 0;
}

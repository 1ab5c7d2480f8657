/* contender PATH SECONDS SYMBOL THINK: trades for so long, from the end of its input on, and waits THINK microseconds after each trade;
 * prints how often it traded, and the longest time that one took in milliseconds. */
#include "host.h"
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    REQUIRE(argc == 5, "usage");
    pt_error error;
    pt_account *account = opened(argv[1]);
    useconds_t think = (useconds_t)atoi(argv[4]);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {}
    double end = now() + atof(argv[2]), longest = 0;
    long count = 0;
    for (double start = now(); start < end; start = now()) {
        EXPECT(PT_OK, pt_buy(account, argv[3], 1, 0.5, NULL, &error));
        double took = now() - start;
        if (took > longest) longest = took;
        count++;
        if (think > 0) usleep(think);
    }
    REQUIRE(pt_close(account) == PT_OK, "closing");
    printf("%ld %.1f\n", count, longest * 1e3);
    return 0;
}

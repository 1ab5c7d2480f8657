/* contender PATH SECONDS SYMBOL: trades as fast as it can for so long, from the end of its input on; prints how often, and the longest
 * time that one took in milliseconds. */
#include "host.h"
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    REQUIRE(argc == 4, "usage");
    pt_error error;
    pt_account *account = opened(argv[1]);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {}
    double begin = now(), end = begin + atof(argv[2]), longest = 0;
    long count = 0;
    for (double last = begin; last < end; count++) {
        EXPECT(PT_OK, pt_buy(account, argv[3], 1, 0.5, NULL, &error));
        double time = now();
        if (time - last > longest) longest = time - last;
        last = time;
    }
    REQUIRE(pt_close(account) == PT_OK, "closing");
    printf("%ld %.1f\n", count, longest * 1e3);
    return 0;
}

/* fsize PATH: for limits on the size of files from nothing to almost enough, a change is refused and the process lives. SIGXFSZ has
 * its default action here, which is to end the process. */
#include "host.h"
#include <sys/resource.h>
#include <sys/stat.h>

static void limit(rlim_t size) {
    struct rlimit limits;
    REQUIRE(getrlimit(RLIMIT_FSIZE, &limits) == 0, "getrlimit");
    limits.rlim_cur = size;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limits) == 0, "setrlimit");
}

int main(int argc, char **argv) {
    REQUIRE(argc == 3, "usage");
    pt_error error;
    pt_account *account = opened(argv[1]);
    pt_fill fill;
    pt_account_summary before, after;
    char path[4096];
    struct stat status;
    snprintf(path, sizeof path, "%s/journal.jsonl", argv[1]);

    /* A journal of more than 4 KiB, so that a limit can lie between portfolio.json and it. */
    for (int i = 0; i < 40; i++) EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, &fill, &error));
    REQUIRE(stat(path, &status) == 0, "stat");
    EXPECT(PT_OK, pt_summary(account, &before, &error));

    rlim_t size = (rlim_t)strtoull(argv[2], NULL, 10);
    limit(size);
    for (int i = 0; i < 3; i++) {
        EXPECT(PT_NO_SPACE, pt_buy(account, "AAPL", 1, 1, &fill, &error));
        REQUIRE(strstr(error.message, "file size limit"), "the message is: %s", error.message);
    }
    EXPECT(PT_OK, pt_summary(account, &after, &error));
    REQUIRE(memcmp(&before, &after, sizeof before) == 0, "the account has changed in memory");
    REQUIRE(pt_close(account) == PT_OK, "closing under the limit");
    limit(RLIM_INFINITY);

    account = opened(argv[1]);
    EXPECT(PT_OK, pt_summary(account, &after, &error));
    REQUIRE(after.seq == before.seq && after.cash == before.cash, "the account has changed on disk");
    EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, &fill, &error));
    REQUIRE(pt_close(account) == PT_OK, "closing");
    return 0;
}

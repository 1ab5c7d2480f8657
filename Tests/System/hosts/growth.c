/* growth PATH: trades under a limit of just the journal's present size until it would have to grow; raises the limit and goes on. */
#include "host.h"
#include <sys/resource.h>
#include <sys/stat.h>

int main(int argc, char **argv) {
    REQUIRE(argc == 2, "usage");
    pt_error error;
    pt_account *account = opened(argv[1]);
    struct rlimit limits;
    struct stat status;
    char path[4096];
    snprintf(path, sizeof path, "%s/journal.jsonl", argv[1]);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &limits) == 0 && stat(path, &status) == 0, "%s", strerror(errno));
    limits.rlim_cur = (rlim_t)status.st_size;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limits) == 0, "setrlimit");

    int count = 0;
    pt_account_summary before, after;
    pt_status result;
    do {
        EXPECT(PT_OK, pt_summary(account, &before, &error));
        result = pt_buy(account, "AAPL", 1, 1, NULL, &error);
        count++;
    } while (result == PT_OK && count < 5000);
    REQUIRE(result == PT_NO_SPACE, "%s: %s", pt_status_name(result), error.message);
    EXPECT(PT_OK, pt_summary(account, &after, &error));
    REQUIRE(memcmp(&before, &after, sizeof before) == 0, "the account has changed");
    limits.rlim_cur = limits.rlim_max;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limits) == 0, "setrlimit");
    for (int i = 0; i < 10; i++) EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, NULL, &error));
    REQUIRE(pt_close(account) == PT_OK, "closing");
    printf("%d\n", count);
    return 0;
}

/* syncs PATH COUNT: trades with both durabilities, and counts the calls of fdatasync(2) that reach the system: this program stands between
 * the library and it. Prints how many there were for COUNT full trades, and for COUNT trades that only have to outlive the process. */
#include "host.h"
#include <sys/syscall.h>

static int syncs;

int fdatasync(int file) {
    syncs++;
    return (int)syscall(SYS_fdatasync, file);
}

static int syncs_of(const char *path, int32_t durability, int count) {
    pt_error error;
    pt_account *account;
    pt_options options = PT_OPTIONS_INIT;
    options.durability = durability;
    EXPECT(PT_OK, pt_open(path, &options, &account, &error));
    EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, NULL, &error));
    int before = syncs;
    for (int i = 0; i < count; i++) {
        int earlier = syncs;
        EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, NULL, &error));
        REQUIRE(durability != PT_DURABILITY_FULL || syncs > earlier, "acknowledged without a sync");
    }
    int during = syncs - before;
    REQUIRE(pt_close(account) == PT_OK, "closing");
    return during;
}

int main(int argc, char **argv) {
    REQUIRE(argc == 3, "usage");
    int count = atoi(argv[2]);
    int full = syncs_of(argv[1], PT_DURABILITY_FULL, count);
    printf("%d %d\n", full, syncs_of(argv[1], PT_DURABILITY_PROCESS, count));
    return 0;
}

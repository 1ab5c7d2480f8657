/* holder PATH: holds the account's lock, says so, and trades for each line of input until there is no more. */
#include "host.h"

int main(int argc, char **argv) {
    REQUIRE(argc == 2, "usage");
    pt_error error;
    pt_account *account = opened(argv[1]);
    EXPECT(PT_OK, pt_account_lock(account, 10000, &error));
    puts("held");
    fflush(stdout);
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        EXPECT(PT_OK, pt_buy(account, "HELD", 1, 1, NULL, &error));
        puts("traded");
        fflush(stdout);
    }
    return pt_close(account) == PT_OK ? 0 : 1;
}

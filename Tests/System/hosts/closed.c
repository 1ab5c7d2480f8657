/* closed PATH OTHER COMPLAINTS: trades with descriptors 0 to 2 closed. The library may not use them, nor write into what takes them. */
#include "host.h"
#include <fcntl.h>

int main(int argc, char **argv) {
    REQUIRE(argc == 4, "usage");
    complaints = fopen(argv[3], "w");
    REQUIRE(complaints && fileno(complaints) > 2, "%s", strerror(errno));
    for (int fd = 0; fd < 3; fd++) close(fd);
    pt_error error;
    pt_account *account = opened(argv[1]);
    for (int fd = 0; fd < 3; fd++) REQUIRE(fcntl(fd, F_GETFD) == -1, "descriptor %d is in use after opening", fd);
    for (int i = 0; i < 20; i++) EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, NULL, &error));
    /* A library that keeps one of them open would now lose it to the host's printf. */
    for (int fd = 0; fd < 3; fd++) {
        int taken = open(argv[2], O_RDWR | O_CREAT, 0600);
        REQUIRE(taken == fd, "descriptor %d instead of %d", taken, fd);
    }
    REQUIRE(write(1, "noise\n", 6) == 6, "write");
    for (int fd = 0; fd < 3; fd++) close(fd);
    EXPECT(PT_OK, pt_account_lock(account, 0, &error));
    for (int fd = 0; fd < 3; fd++) REQUIRE(fcntl(fd, F_GETFD) == -1, "descriptor %d is in use while the lock is held", fd);
    REQUIRE(pt_account_unlock(account) == PT_OK, "unlock");
    EXPECT(PT_OK, pt_reset(account, 500, NULL, &error));
    EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, NULL, &error));
    REQUIRE(pt_close(account) == PT_OK, "close");
    fputs("fine\n", complaints);
    return fclose(complaints);
}

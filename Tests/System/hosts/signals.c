/* signals PATH TRADES LOCK: trades while a signal interrupts every system call; its handler is installed without SA_RESTART. */
#include "host.h"
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t count;

static void on_signal(int number) {
    (void)number;
    count++;
}

int main(int argc, char **argv) {
    REQUIRE(argc == 4, "usage");
    struct sigaction action = {.sa_handler = on_signal};
    struct itimerval timer = {{0, 150}, {0, 150}};
    REQUIRE(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0, "%s", strerror(errno));
    pt_error error;
    pt_fill fill;
    pt_account *account = opened(argv[1]);
    pt_lock *lock;
    EXPECT(PT_OK, pt_lock_open(argv[3], &lock, &error));
    for (int i = 0; i < atoi(argv[2]); i++) {
        EXPECT(PT_OK, pt_lock_acquire(lock, 10000, &error));
        EXPECT(PT_OK, pt_buy(account, "AAPL", 1, 1, &fill, &error));
        EXPECT(PT_OK, pt_sell(account, "AAPL", 1, 1, &fill, &error));
        REQUIRE(pt_lock_release(lock) == PT_OK, "releasing");
        if (i % 50 == 0) {
            EXPECT(PT_OK, pt_reset(account, 10000, NULL, &error));
            REQUIRE(pt_close(account) == PT_OK, "closing");
            account = opened(argv[1]);
        }
    }
    REQUIRE(pt_close(account) == PT_OK && pt_lock_close(lock) == PT_OK, "closing");
    printf("%d\n", (int)count);
    return 0;
}

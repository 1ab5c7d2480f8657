/* locale PATH LOCALE TRADES: trades while other threads switch the process's locale between C and one with a decimal comma. */
#include "host.h"
#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>

static const char *comma;
static atomic_int ends;
static atomic_long switches;

static void *switching(void *context) {
    while (!ends) {
        if (!setlocale(LC_ALL, comma)) _exit(3);
        if (!setlocale(LC_ALL, "C")) _exit(3);
        switches += 2;
    }
    return context;
}

int main(int argc, char **argv) {
    REQUIRE(argc == 4, "usage");
    comma = argv[2];
    char text[16];
    REQUIRE(setlocale(LC_ALL, comma), "there is no locale %s", comma);
    snprintf(text, sizeof text, "%.2f", 150.25);
    REQUIRE(strcmp(text, "150,25") == 0, "the locale prints %s", text);
    setlocale(LC_ALL, "C");
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, switching, NULL);

    pt_error error;
    pt_account *account = opened(argv[1]);
    pt_fill fill;
    pt_account_summary summary;
    for (int i = 0; i < atoi(argv[3]); i++) {
        EXPECT(PT_OK, pt_buy(account, "AAPL", 1.5, 150.25, &fill, &error));
        REQUIRE(fill.total == 225.375, "total is %.6f", fill.total);
        EXPECT(PT_OK, pt_enqueue(account, "NVDA", 82.5, PT_SIGNAL_BUY, 120.75, NULL, &error));
        EXPECT(PT_OK, pt_sell(account, "AAPL", 1.5, 150.25, &fill, &error));
        REQUIRE(fill.realized_pnl == 0 && fill.cash_after == 10000, "cash is %.6f", fill.cash_after);
        EXPECT(PT_OK, pt_clear_queue(account, NULL, NULL, &error));
        if (i % 10 == 0) { /* parses portfolio.json, and config.json */
            EXPECT(PT_OK, pt_close(account) == PT_OK ? pt_open(argv[1], NULL, &account, &error) : PT_MISUSE);
            EXPECT(PT_OK, pt_reload(account, &error));
        }
        EXPECT(PT_OK, pt_summary(account, &summary, &error));
        REQUIRE(summary.cash == 10000, "cash is %.6f", summary.cash);
    }
    ends = 1;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    REQUIRE(pt_close(account) == PT_OK, "closing");
    printf("%ld\n", (long)switches);
    return 0;
}

/*
 * trade.c: the first program. It opens the account in my-account (or in the directory given), buys, and says what is left.
 *
 *     cc trade.c -lpapertrade -o trade
 *     ./trade [account]
 */
#include <papertrade.h>
#include <stdio.h>

int main(int argc, char **argv) {
    pt_error error;
    pt_account *account;
    pt_fill fill;

    /* A directory without an account gets a new one, with 10,000 in cash. */
    if (pt_open(argc > 1 ? argv[1] : "my-account", NULL, &account, &error) != PT_OK ||
        pt_buy(account, "AAPL", 40, 150.00, &fill, &error) != PT_OK) {
        fprintf(stderr, "%s\n", error.message); /* one sentence: what was wrong, and what to do about it */
        pt_close(account);                      /* harmless if the account was not opened */
        return 1;
    }
    /* The purchase is on the disk now: nothing that happens to this program can undo it. */
    printf("bought %.0f %s for %.2f; cash is now %.2f\n", fill.shares, fill.symbol, fill.total, fill.cash_after);
    return pt_close(account) == PT_OK ? 0 : 1;
}

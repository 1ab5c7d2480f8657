/*
 * two_processes.c: the overspend race. Two processes see 10,000 in cash, and each buys 40 shares at 150, which is 6,000. Only
 * one of them may succeed.
 *
 * Where each program reads the file, decides, and writes it back, both buy, and one purchase is lost or the cash is negative.
 * Here every change reads the account again under its lock: exactly one is refused, every time.
 *
 *     cc two_processes.c -lpapertrade -o two_processes
 *     ./two_processes [account]        (default: race-account; it is started over)
 */
#define _POSIX_C_SOURCE 200809L /* fork and pipe, also with -std=c99 */

#include <papertrade.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOUGHT = 0, REFUSED = 10, TROUBLE = 20 }; /* how a buyer exits */

static int trouble(const pt_error *error) {
    fprintf(stderr, "%s\n", error->message);
    return TROUBLE;
}

/* One of the two processes. A handle must not cross a fork, so it opens the account itself. */
static int buy(const char *path, int ready, int start) {
    pt_error error;
    pt_account *account;
    pt_account_summary before;
    pt_fill fill;
    pt_status status;
    char byte = 0;

    if (pt_open(path, NULL, &account, &error) != PT_OK) return trouble(&error);
    if (pt_summary(account, &before, &error) != PT_OK) {
        pt_close(account);
        return trouble(&error);
    }

    /* Says that it has seen the cash, and waits until both have: read returns when the parent closes its end. */
    if (write(ready, &byte, 1) != 1 || read(start, &byte, 1) < 0) {
        perror("pipe");
        pt_close(account);
        return TROUBLE;
    }

    status = pt_buy(account, "AAPL", 40, 150.00, &fill, &error);
    pt_close(account);
    if (status == PT_OK) {
        printf("process %ld saw %.2f in cash: bought, %.2f is left\n", (long)getpid(), before.cash, fill.cash_after);
        return BOUGHT;
    }
    if (status == PT_INSUFFICIENT_FUNDS) {
        printf("process %ld saw %.2f in cash: refused, %s\n", (long)getpid(), before.cash, error.message);
        return REFUSED;
    }
    return trouble(&error);
}

/* Starts the account over with 10,000. The handle is closed again before any process is forked. */
static int start_over(const char *path) {
    pt_error error;
    pt_account *account;
    if (pt_open(path, NULL, &account, &error) != PT_OK) return trouble(&error);
    if (pt_reset(account, 10000, NULL, &error) != PT_OK) {
        pt_close(account);
        return trouble(&error);
    }
    return pt_close(account) == PT_OK ? 0 : TROUBLE;
}

/* Looks at the account afterwards, and proves it from its journal. */
static int check(const char *path) {
    pt_error error;
    pt_verify_report report;
    if (pt_verify(path, &report, &error) != PT_OK) return trouble(&error);
    printf("afterwards: %.2f in cash, %.2f invested\n", report.cash, report.total_cost);
    return report.cash == 4000.00 && report.total_cost == 6000.00 ? 0 : TROUBLE; /* amounts are exact: == is right */
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "race-account";
    int ready[2], start[2], i, bought = 0, refused = 0, failed = 0;
    char byte;

    if (start_over(path) != 0) return 1;
    if (pipe(ready) != 0 || pipe(start) != 0) {
        perror("pipe");
        return 1;
    }
    for (i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            return 1;
        }
        if (child == 0) {
            close(ready[0]);
            close(start[1]);
            exit(buy(path, ready[1], start[0]));
        }
    }
    close(ready[1]);
    close(start[0]);
    for (i = 0; i < 2; i++) {
        if (read(ready[0], &byte, 1) != 1) break; /* a buyer that failed has closed its end */
    }
    close(start[1]); /* go */

    for (i = 0; i < 2; i++) {
        int status;
        if (wait(&status) < 0 || !WIFEXITED(status)) failed++;
        else if (WEXITSTATUS(status) == BOUGHT) bought++;
        else if (WEXITSTATUS(status) == REFUSED) refused++;
        else failed++;
    }
    if (check(path) != 0 || failed != 0 || bought != 1 || refused != 1) {
        fprintf(stderr, "expected one purchase and one refusal: %d bought, %d refused, %d failed\n", bought, refused, failed);
        return 1;
    }
    printf("exactly one succeeded\n");
    return 0;
}

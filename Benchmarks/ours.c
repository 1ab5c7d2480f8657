/* The library, through its C interface.
 *
 *     ours make      DIRECTORY POSITIONS              a new account that holds so many positions
 *     ours trade     DIRECTORY DURABILITY SECONDS POSITIONS [BATCH]
 *     ours open      DIRECTORY SECONDS                opens and closes; prints the count, and the seconds spent opening and closing
 *     ours summary   DIRECTORY SECONDS
 *     ours fill      DIRECTORY TRADES POSITIONS       as after so many trades, made in batches
 *     ours soak      DIRECTORY COMMITS POSITIONS      one commit each; prints resident memory after 10,000 and after all
 *
 * DURABILITY is full or process. */
#include "slice.h"

#include <papertrade.h>

static pt_error error;

static void check(pt_status status, const char *what) {
    if (status != PT_OK) fail(what, error.message);
}

static pt_account *opened(const char *directory, const char *durability) {
    pt_options options = PT_OPTIONS_INIT;
    options.initial_cash = 100000000;
    options.lock_timeout_ms = 60000;
    options.durability = strcmp(durability, "full") == 0 ? PT_DURABILITY_FULL : PT_DURABILITY_PROCESS;
    pt_account *account;
    check(pt_open(directory, &options, &account, &error), "pt_open");
    return account;
}

static void make(const char *directory, unsigned positions) {
    pt_account *account = opened(directory, "full");
    check(pt_begin(account, PT_WAIT_DEFAULT, &error), "pt_begin");
    for (unsigned number = 0; number < positions; number++) {
        char symbol[8];
        name_symbol(symbol, number);
        check(pt_buy(account, symbol, 1000, price_of(number), NULL, &error), "pt_buy");
    }
    check(pt_commit(account, &error), "pt_commit");
    check(pt_close(account), "pt_close");
}

/* The number-th trade: even ones buy, odd ones sell the same again. */
static void trade_once(pt_account *account, uint64_t number, unsigned positions) {
    pt_fill fill;
    char symbol[8];
    name_symbol(symbol, number / 2 % positions);
    if (number % 2 == 0)
        check(pt_buy(account, symbol, 1, price_of(number / 2), &fill, &error), "pt_buy");
    else
        check(pt_sell(account, symbol, 1, price_of(number / 2), &fill, &error), "pt_sell");
}

static void trade(const char *directory, const char *durability, double seconds, unsigned positions, unsigned batch) {
    pt_account *account = opened(directory, durability);
    uint64_t number = 0;
    for (; number < WARM_UP; number++) trade_once(account, number, positions);
    wait_for_start();
    slice slice = begin_slice(seconds);
    do {
        if (batch > 1) check(pt_begin(account, PT_WAIT_DEFAULT, &error), "pt_begin");
        for (unsigned done = 0; done < batch; done++) trade_once(account, number++, positions);
        if (batch > 1) check(pt_commit(account, &error), "pt_commit");
    } while (goes_on(&slice, batch));
    print_slice(&slice);
    check(pt_close(account), "pt_close");
}

static void fill(const char *directory, uint64_t trades, unsigned positions) {
    pt_account *account = opened(directory, "process");
    for (uint64_t number = 0; number < trades;) {
        check(pt_begin(account, PT_WAIT_DEFAULT, &error), "pt_begin");
        for (unsigned done = 0; done < 1000 && number < trades; done++) trade_once(account, number++, positions);
        check(pt_commit(account, &error), "pt_commit");
    }
    check(pt_close(account), "pt_close");
}

static void open_and_close(const char *directory, double seconds) {
    wait_for_start();
    double opening = 0, closing = 0, end = now() + seconds;
    uint64_t count = 0;
    do {
        double start = now();
        pt_account *account = opened(directory, "full");
        double middle = now();
        check(pt_close(account), "pt_close");
        closing += now() - middle;
        opening += middle - start;
        count++;
    } while (now() < end);
    printf("%llu %.9f %.9f\n", (unsigned long long)count, opening, closing);
}

static void summary(const char *directory, double seconds) {
    pt_account *account = opened(directory, "process");
    pt_account_summary summary;
    wait_for_start();
    slice slice = begin_slice(seconds);
    do {
        for (int done = 0; done < 10; done++) check(pt_summary(account, &summary, &error), "pt_summary");
    } while (goes_on(&slice, 10));
    print_slice(&slice);
    check(pt_close(account), "pt_close");
}

static long resident_kilobytes(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kilobytes = -1;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1) break;
    if (file) fclose(file);
    return kilobytes;
}

static void soak(const char *directory, uint64_t commits, unsigned positions) {
    pt_account *account = opened(directory, "process");
    long early = 0;
    double start = now();
    for (uint64_t number = 0; number < commits; number++) {
        if (number == 10000) early = resident_kilobytes();
        trade_once(account, number, positions);
    }
    printf("%llu %.9f %ld %ld\n", (unsigned long long)commits, now() - start, early, resident_kilobytes());
    check(pt_close(account), "pt_close");
}

int main(int count, char **words) {
    const char *what = count > 2 ? words[1] : "";
    if (strcmp(what, "make") == 0 && count == 4)
        make(words[2], (unsigned)atoi(words[3]));
    else if (strcmp(what, "trade") == 0 && count >= 6)
        trade(words[2], words[3], atof(words[4]), (unsigned)atoi(words[5]), count > 6 ? (unsigned)atoi(words[6]) : 1);
    else if (strcmp(what, "open") == 0 && count == 4)
        open_and_close(words[2], atof(words[3]));
    else if (strcmp(what, "summary") == 0 && count == 4)
        summary(words[2], atof(words[3]));
    else if (strcmp(what, "fill") == 0 && count == 5)
        fill(words[2], strtoull(words[3], NULL, 10), (unsigned)atoi(words[4]));
    else if (strcmp(what, "soak") == 0 && count == 5)
        soak(words[2], strtoull(words[3], NULL, 10), (unsigned)atoi(words[4]));
    else
        fail("ours", "see the head of ours.c");
    return 0;
}

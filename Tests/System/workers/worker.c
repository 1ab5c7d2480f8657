/* worker PATH SEED WORKER FIRST COUNT REPORT: makes the requests FIRST ... FIRST + COUNT - 1 of its plan on the account in PATH, and
 * appends to REPORT a line before and after each one. The plan is a function of seed, worker and index, so that a restarted worker
 * can repeat its last request exactly. worker.py and swift-worker are the same program. */
#include <fcntl.h>
#include <math.h>
#include <papertrade.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t seed, worker;
static int report;

static uint64_t mixed(uint64_t value) {
    uint64_t z = value + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t draw(uint64_t index, uint64_t number) { return mixed(mixed(seed) + (worker * 1000000 + index) * 8 + number); }

static double millionths(uint64_t number) { return (double)number / 1e6; }

/* One write of a whole line: it is there even if the process is killed right after. */
static void say(const char *format, ...) {
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (write(report, line, (size_t)length) != length) exit(2);
}

typedef struct analyst { double price, shares, amount; int32_t signal; } analyst;

static int32_t judge(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    const analyst *opinion = context;
    (void)symbol;
    out->time = time;
    out->signal = opinion->signal;
    out->score = 60;
    out->price = opinion->price;
    out->shares = opinion->shares;
    out->amount = opinion->amount;
    return PT_OK;
}

/* Sets *fill for requests that have an id. */
static pt_status perform(pt_account *account, uint64_t index, pt_fill *fill, int *has_id, pt_error *error) {
    static const char *const symbols[] = {"AAPL", "MSFT", "NVDA", "BRK.B", "BTC-USD", "^GSPC"};
    const char *symbol = symbols[draw(index, 1) % 6];
    double shares = millionths(1 + draw(index, 2) % 20000000);
    double price = millionths(1000000 + draw(index, 3) % 200000000);
    double amount = millionths(1 + draw(index, 2) % 1000000000);
    double per_share = millionths(1 + draw(index, 3) % 5000000);
    double new_shares = (double)(1 + draw(index, 2) % 7), old_shares = (double)(1 + draw(index, 3) % 7);
    uint64_t step = draw(index, 0) % 100;
    char id[64];
    snprintf(id, sizeof id, "w%llu-%llu", (unsigned long long)worker, (unsigned long long)index);
    pt_request request = PT_REQUEST_INIT;
    request.request_id = id;
    *has_id = step < 92;
    if (step < 80) {
        pt_order order = PT_ORDER_INIT;
        order.side = step < 45 ? PT_BUY : PT_SELL;
        order.symbol = symbol;
        order.shares = step < 75 ? shares : PT_ALL_SHARES;
        order.price = price;
        order.request = &request;
        return pt_submit(account, &order, fill, error);
    }
    if (step < 92) {
        pt_status status = step < 84   ? pt_deposit(account, amount, &request, error)
                           : step < 87 ? pt_withdraw(account, amount, &request, error)
                           : step < 89 ? pt_split(account, symbol, new_shares, old_shares, price, &request, error)
                           : step < 91 ? pt_dividend(account, symbol, per_share, &request, error)
                                       : pt_write_off(account, symbol, &request, error);
        return status == PT_OK ? pt_find_request(account, id, fill, error) : status;
    }
    if (step < 96) {
        double score = millionths(draw(index, 2) % 100000001);
        return pt_enqueue(account, symbol, score, 1 + (int32_t)(draw(index, 4) % 6), price, NULL, error);
    }
    size_t count = 0;
    if (step < 98) {
        pt_execution executions[16];
        analyst opinion = {price, index % 2 == 0 ? shares : NAN, index % 2 == 0 ? NAN : amount,
                           draw(index, 4) % 4 > 0 ? PT_SIGNAL_STRONG_BUY : PT_SIGNAL_HOLD};
        return pt_execute_queue(account, judge, &opinion, executions, 16, &count, error);
    }
    if (step < 99) {
        pt_queue_entry entries[16];
        return pt_dequeue_all(account, entries, 16, &count, error);
    }
    return pt_clear_queue(account, &count, NULL, error);
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    seed = strtoull(argv[2], NULL, 10);
    worker = strtoull(argv[3], NULL, 10);
    uint64_t first = strtoull(argv[4], NULL, 10), count = strtoull(argv[5], NULL, 10);
    report = open(argv[6], O_WRONLY | O_APPEND);
    if (report < 0) return 2;
    pt_error error;
    pt_account *account;
    pt_options options = PT_OPTIONS_INIT;
    options.flags = PT_OPEN_EXISTING;
    options.lock_timeout_ms = 60000;
    if (pt_open(argv[1], &options, &account, &error) != PT_OK) {
        fprintf(stderr, "open: %s\n", error.message);
        return 1;
    }
    for (uint64_t index = first; index < first + count; index++) {
        pt_fill fill;
        int has_id;
        say("sent %llu\n", (unsigned long long)index);
        pt_status status = perform(account, index, &fill, &has_id, &error);
        if (status == PT_OK && has_id)
            say("done %llu %llu %lld %d\n", (unsigned long long)index, (unsigned long long)fill.seq, llround(fill.cash_after * 1e6),
                (int)fill.repeated);
        else if (status == PT_OK)
            say("ran %llu\n", (unsigned long long)index);
        else if (status >= 100 && status < 300)
            say("refused %llu %d\n", (unsigned long long)index, (int)status);
        else {
            fprintf(stderr, "request %llu: %s: %s\n", (unsigned long long)index, pt_status_name(status), error.message);
            return 1;
        }
    }
    return pt_close(account) == PT_OK ? 0 : 1;
}

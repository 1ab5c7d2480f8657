/*
 * cycles.c: a monitoring cycle and a trading cycle with an analyst of one's own: watch, queue, buy at the close, sell when it goes wrong.
 *
 *     cc cycles.c -lpapertrade -o cycles
 *     ./cycles [account]        (default: cycles-account; it is started over)
 *
 * A real program runs each cycle when pt_next_cycle says so, for as long as it lives; monitoring and trading may be two programs. This
 * one plays a Monday and a Tuesday of June 2014 at once, by giving the cycles their time.
 */
#include <papertrade.h>
#include <stdio.h>
#include <string.h>

#define SECOND ((int64_t)1000000)
#define MONDAY_10_AM (1401717600 * SECOND) /* 2014-06-02, 14:00 UTC, in New York */

/* What our analyst thinks of AAPL; it knows nothing else. The analyst gets it as its context. */
typedef struct view {
    double price;
    double score;
    int32_t signal;
    const char *reason;
} view;

/*
 * The analyst. The library asks it about every security that is held, watched or queued, without any lock: it may take its time, ask a
 * server, read the account. What it cannot answer costs that security's turn and nothing else.
 */
static int32_t analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    const view *view = context;
    (void)time; /* a real one answers as of this moment */
    if (strcmp(symbol, "AAPL") != 0) return PT_NO_OPINION;
    out->price = view->price;
    out->score = view->score;
    out->signal = view->signal;
    snprintf(out->reason, sizeof out->reason, "%s", view->reason);
    return PT_OK;
}

/* One event of what a cycle did; event->json has all of it. The last one is the cycle's own record, which has been printed already. */
static int32_t print_event(void *context, const pt_event *event) {
    (void)context;
    if (strcmp(event->type, "cycle") == 0) return 0;
    if (strcmp(event->type, "buy") == 0 || strcmp(event->type, "sell") == 0) {
        printf("    %s %.0f %s at %.2f; cash is now %.2f\n", event->type, event->shares, event->symbol, event->price, event->cash);
    } else {
        printf("    %s%s%s\n", event->type, event->symbol != NULL ? " " : "", event->symbol != NULL ? event->symbol : "");
    }
    return 0;
}

static int trouble(const pt_error *error) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
}

/* Runs a cycle, and says what came of it. */
static int run(pt_account *account, int32_t kind, int64_t time, const view *view) {
    pt_error error;
    pt_cycle cycle;
    pt_cycle_options options = PT_CYCLE_OPTIONS_INIT;
    pt_status status;

    options.time = time;
    status = kind == PT_MONITORING ? pt_monitoring_cycle(account, analyst, (void *)view, &options, &cycle, &error)
                                   : pt_trading_cycle(account, analyst, (void *)view, &options, &cycle, &error);
    if (status != PT_OK) return trouble(&error);
    printf("%s: ", kind == PT_MONITORING ? "monitoring" : "trading");
    if (cycle.outcome != PT_CYCLE_DONE) {
        printf("%s, %s\n", cycle.outcome == PT_CYCLE_FAILED ? "failed" : "skipped", cycle.reason);
        return 0;
    }
    printf("%u analysed, %u changed, %u queued, %u bought, %u sold; the account is worth %.2f\n", (unsigned)cycle.analysed,
           (unsigned)cycle.changes, (unsigned)cycle.queued, (unsigned)cycle.bought, (unsigned)cycle.sold, cycle.value);
    return pt_history(account, cycle.first_seq, print_event, NULL, &error) == PT_OK ? 0 : trouble(&error);
}

/* The rules of the cycles are in config.json: how much to buy, when to sell, and what to watch. Each cycle reads it anew. */
static int watch_apple(const char *path) {
    char name[1024];
    FILE *file;
    int length = snprintf(name, sizeof name, "%s/config.json", path), is_written;
    if (length < 0 || (size_t)length >= sizeof name) {
        fprintf(stderr, "the path of the account is too long: %s\n", path);
        return 1;
    }
    file = fopen(name, "w");
    is_written = file != NULL && fputs("{\"watchlist\": [\"AAPL\"]}\n", file) >= 0;
    if (file != NULL && fclose(file) != 0) is_written = 0; /* a full disk may be noticed only now */
    if (!is_written) perror(name);
    return is_written ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "cycles-account";
    static const view rises = {100.00, 85, PT_SIGNAL_BUY, "breakout"};
    static const view stands = {101.50, 84, PT_SIGNAL_BUY, "still good"}; /* at the close: the buy is at this price */
    static const view falls = {95.00, 20, PT_SIGNAL_SELL, "profit warning"};
    pt_error error;
    pt_account *account;
    int64_t close = 0, next_day = 0;
    int failed;

    if (pt_open(path, NULL, &account, &error) != PT_OK || pt_reset(account, 10000, NULL, &error) != PT_OK) {
        pt_close(account);
        return trouble(&error);
    }
    failed = watch_apple(path) ||
             run(account, PT_MONITORING, MONDAY_10_AM, &rises) ||  /* a new BUY: queued */
             run(account, PT_TRADING, MONDAY_10_AM, &rises) ||     /* not due yet: skipped, and it says when */
             (pt_next_cycle(account, PT_TRADING, MONDAY_10_AM, &close, &error) != PT_OK && trouble(&error)) ||
             run(account, PT_TRADING, close, &stands) ||           /* asked again, and bought */
             (pt_market_next_open(account, close, &next_day, &error) != PT_OK && trouble(&error)) ||
             run(account, PT_MONITORING, next_day, &falls);        /* from BUY to SELL is critical: sold at once */
    return pt_close(account) == PT_OK && !failed ? 0 : 1;
}

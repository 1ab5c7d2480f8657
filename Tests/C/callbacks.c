/*
 * callbacks.c: what a callback may call on the account that called it: reading where the header says so, else nothing. Other
 * accounts and other threads are free.
 *
 *     callbacks DIRECTORY        (an empty one)
 */
#include "check.h"

#include <pthread.h>

static pt_account *account, *other;
static int log_calls, clock_calls, event_calls, cycle_calls, analyst_calls;

static int32_t never(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time, (void)out;
    CHECK(0, "an analyst is not asked by a call that is refused");
    return PT_STOPPED;
}

/* Every change, and what opens a critical section, is refused. */
static void changes_are_misuse(void) {
    static const char *const sentence = "a callback changes nothing of its account";
    pt_order order = PT_ORDER_INIT;
    pt_opportunity opportunity = PT_OPPORTUNITY_INIT;
    pt_queue_entry entry;
    pt_execution execution;
    size_t count;
    order.side = PT_BUY;
    order.symbol = "A";
    order.shares = order.price = 1;
    opportunity.symbol = "Z";
    opportunity.signal = PT_SIGNAL_BUY;
    EXPECT(PT_MISUSE, pt_buy(account, "A", 1, 1, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_sell(account, "A", 1, 1, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_submit(account, &order, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_deposit(account, 1, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_withdraw(account, 1, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_split(account, "A", 2, 1, NAN, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_dividend(account, "A", 1, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_write_off(account, "A", NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_begin(account, 0, &error), sentence);
    EXPECT(PT_MISUSE, pt_commit(account, &error), sentence);
    EXPECT_PLAIN(PT_MISUSE, pt_rollback(account), sentence);
    EXPECT(PT_MISUSE, pt_reload(account, &error), sentence);
    EXPECT(PT_MISUSE, pt_reset(account, 1, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_backup(account, "/nowhere/backup", &error), sentence);
    EXPECT(PT_MISUSE, pt_enqueue(account, "Z", 80, PT_SIGNAL_BUY, NAN, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_submit_opportunity(account, &opportunity, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_dequeue_all(account, &entry, 1, &count, &error), sentence);
    EXPECT(PT_MISUSE, pt_clear_queue(account, NULL, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_execute_queue(account, never, NULL, &execution, 1, &count, &error), sentence);
    EXPECT(PT_MISUSE, pt_monitoring_cycle(account, never, NULL, NULL, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_trading_cycle(account, never, NULL, NULL, NULL, &error), sentence);
    EXPECT(PT_MISUSE, pt_account_lock(account, 0, &error), sentence);
    EXPECT_PLAIN(PT_MISUSE, pt_account_unlock(account), sentence);
    EXPECT_PLAIN(PT_MISUSE, pt_close(account), "a callback does not close its account");
}

static int32_t ignore(void *context, const pt_event *event) {
    (void)context, (void)event;
    return 0;
}

static int32_t ignore_cycle(void *context, const pt_cycle *cycle) {
    (void)context, (void)cycle;
    return 0;
}

/* Every reading call returns `expected`. */
static void reading_is(pt_status expected, const char *sentence) {
    pt_account_summary summary;
    pt_position_info position;
    pt_valuation value;
    pt_fill fill;
    size_t count;
    int64_t next;
    int32_t is_open;
    EXPECT(expected, pt_summary(account, &summary, &error), sentence);
    EXPECT(expected, pt_position(account, "A", &position, &error), sentence);
    EXPECT(expected, pt_positions(account, NULL, 0, &count, &error), sentence);
    EXPECT(expected, pt_value(account, NULL, 0, &value, &error), sentence);
    EXPECT(expected, pt_find_request(account, "first", &fill, &error), sentence);
    EXPECT(expected, pt_queue(account, NULL, 0, &count, &error), sentence);
    EXPECT(expected, pt_history(account, 1, ignore, NULL, &error), sentence);
    EXPECT(expected, pt_cycles(account, 1, ignore_cycle, NULL, &error), sentence);
    EXPECT(expected, pt_signals(account, NULL, 0, &count, &error), sentence);
    EXPECT(expected, pt_next_cycle(account, PT_TRADING, PT_TIME_NOW, &next, &error), sentence);
    EXPECT(expected, pt_next_cycle(account, PT_TRADING, 0, &next, &error), sentence);
    EXPECT(expected, pt_market_is_open(account, PT_TIME_NOW, &is_open, &error), sentence);
    EXPECT(expected, pt_market_is_open(account, 0, &is_open, &error), sentence);
    EXPECT(expected, pt_market_next_open(account, 0, &next, &error), sentence);
    EXPECT(expected, pt_market_next_close(account, 0, &next, &error), sentence);
}

static void *deposit(void *unused) {
    (void)unused;
    /* Not EXPECT: `error` belongs to the main thread. */
    return pt_deposit(account, 1, NULL, NULL) == PT_OK ? &account : NULL;
}

static void others_are_free(void) {
    pthread_t thread;
    void *outcome = NULL;
    EXPECT(PT_OK, pt_deposit(other, 1, NULL, &error), "a callback may change another account");
    CHECK(pthread_create(&thread, NULL, deposit, NULL) == 0 && pthread_join(thread, &outcome) == 0, "a thread runs");
    CHECK(outcome != NULL, "another thread may change the account while a callback runs");
}

static int32_t on_event(void *context, const pt_event *event) {
    pt_error kept = error;
    (void)context;
    if (event_calls++ == 0) {
        reading_is(PT_OK, "a history callback may read");
        changes_are_misuse();
        others_are_free();
    }
    CHECK(event->seq == (uint64_t)event_calls, "the event is still whole afterwards");
    error = kept;
    return event_calls == 3; /* the deposits that this very callback causes would never end */
}

static int32_t on_cycle(void *context, const pt_cycle *cycle) {
    pt_error kept = error;
    (void)context;
    if (cycle_calls++ == 0) {
        reading_is(PT_OK, "a callback of the cycles may read");
        changes_are_misuse();
        others_are_free();
    }
    CHECK(cycle->kind == PT_MONITORING && cycle->analysed == 2, "the record is still whole afterwards");
    error = kept;
    return 0;
}

static int32_t analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    pt_error kept = error;
    (void)context, (void)time;
    analyst_calls++;
    reading_is(PT_OK, "an analyst may read");
    changes_are_misuse();
    others_are_free();
    CHECK(strcmp(symbol, "Q") == 0 || strcmp(symbol, "A") == 0, "the symbol is still whole afterwards");
    out->signal = PT_SIGNAL_BUY;
    out->score = 80;
    out->price = out->shares = 1;
    error = kept;
    return PT_OK;
}

static int32_t stopping_analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    analyst(context, symbol, time, out);
    return PT_STOPPED;
}

static void on_log(void *context, int32_t level, const char *message) {
    pt_error kept = error;
    (void)context, (void)level, (void)message;
    if (account != NULL && log_calls++ == 0) { /* while the account is being opened there is no handle to misuse */
        reading_is(PT_MISUSE, "a log callback may call nothing");
        changes_are_misuse();
        others_are_free();
    }
    error = kept;
}

static int64_t on_clock(void *context) {
    pt_error kept = error;
    (void)context;
    if (account != NULL && clock_calls++ == 0) {
        reading_is(PT_MISUSE, "a clock may call nothing");
        changes_are_misuse();
    }
    error = kept;
    return 1400000000000000;
}

int main(int argc, char **argv) {
    pt_options options = PT_OPTIONS_INIT;
    pt_order order = PT_ORDER_INIT;
    pt_request request = PT_REQUEST_INIT;
    pt_execution execution;
    pt_verify_report report;
    pt_cycle_options cycle = PT_CYCLE_OPTIONS_INIT;
    pt_cycle record;
    size_t count = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: callbacks DIRECTORY\n");
        return 2;
    }
    other = open_account(in(argv[1], "other"));
    options.log = on_log;
    options.clock = on_clock;
    options.durability = PT_DURABILITY_PROCESS;
    EXPECT(PT_OK, pt_open(in(argv[1], "account"), &options, &account, &error), "an account is made");
    order.side = PT_BUY;
    order.symbol = "A";
    order.shares = order.price = 1;
    order.request = &request;
    request.request_id = "first";
    EXPECT(PT_OK, pt_submit(account, &order, NULL, &error), "shares are bought by a clock that misbehaves");
    CHECK(clock_calls > 0, "the clock was asked");
    EXPECT(PT_STOPPED, pt_history(account, 1, on_event, NULL, &error), "a history is read by a callback that misbehaves");
    CHECK(event_calls == 3, "the callback was called");
    EXPECT(PT_OK, pt_enqueue(account, "Q", 80, PT_SIGNAL_BUY, NAN, NULL, &error), "an opportunity is queued");
    EXPECT(PT_OK, pt_execute_queue(account, analyst, NULL, &execution, 1, &count, &error), "the queue is executed by an analyst that misbehaves");
    CHECK(analyst_calls == 1 && count == 1 && execution.outcome == PT_BOUGHT, "the analyst was asked, and heard");

    write_file(in(argv[1], "account/config.json"), "{\"watchlist\": [\"Q\"]}");
    cycle.flags = PT_CYCLE_IGNORE_SCHEDULE;
    EXPECT(PT_STOPPED, pt_trading_cycle(account, stopping_analyst, NULL, &cycle, NULL, &error), "an analyst that misbehaves ends a cycle");
    EXPECT(PT_OK, pt_monitoring_cycle(account, analyst, NULL, &cycle, &record, &error), "a monitoring cycle is run by it");
    CHECK(record.changes == 2 && record.queued == 2 && analyst_calls == 4, "it was heard about what is held and what is watched");
    EXPECT(PT_OK, pt_cycles(account, 1, on_cycle, NULL, &error), "the cycles are listed by a callback that misbehaves");
    CHECK(cycle_calls == 1, "what was stopped has no record");
    EXPECT(PT_OK, pt_begin(account, 0, &error), "a batch begins");
    EXPECT(PT_MISUSE, pt_monitoring_cycle(account, never, NULL, &cycle, NULL, &error), "a cycle is no part of a batch");
    EXPECT_PLAIN(PT_OK, pt_rollback(account), "it is rolled back");
    EXPECT(PT_OK, pt_account_lock(account, 0, &error), "the account is locked");
    EXPECT(PT_MISUSE, pt_trading_cycle(account, never, NULL, &cycle, NULL, &error), "a cycle does not run under the caller's lock");
    EXPECT_PLAIN(PT_OK, pt_account_unlock(account), "it is unlocked");

    write_file(in(argv[1], "account/portfolio.json"), "{}");
    EXPECT(PT_OK, pt_deposit(account, 1, NULL, &error), "a change mends an edited portfolio.json");
    EXPECT(PT_OK, pt_reload(account, &error), "at the latest a reload does");
    CHECK(log_calls > 0, "the log was told");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    EXPECT_PLAIN(PT_OK, pt_close(other), "the other account closes");
    EXPECT(PT_OK, pt_verify(in(argv[1], "account"), &report, &error), "the account is proved");
    return finish();
}

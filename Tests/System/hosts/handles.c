/* handles PATH BACKUP LOCK: every function on a handle with NULL, with a closed handle, and with a pointer that never was one. Nothing may change. */
#include "host.h"

static int32_t on_event(void *context, const pt_event *event) {
    (void)context, (void)event;
    return 0;
}

static int32_t judge(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time, (void)out;
    return PT_NO_OPINION;
}

static int32_t on_cycle(void *context, const pt_cycle *cycle) {
    (void)context, (void)cycle;
    return 0;
}

static const char *directory, *backup;

static void every_account_call(pt_account *account, pt_status expected, const char *sentence) {
    pt_error error;
    pt_fill fill;
    pt_account_summary summary;
    pt_position_info position;
    pt_valuation valuation;
    size_t count;
    uint64_t seq;
    int64_t time;
    int32_t is_open;
    pt_order order = PT_ORDER_INIT;
    order.side = PT_BUY, order.symbol = "AAPL", order.shares = 1, order.price = 1;
    pt_opportunity opportunity = PT_OPPORTUNITY_INIT;
    opportunity.symbol = "AAPL", opportunity.signal = PT_SIGNAL_BUY;
#define BAD(call) \
    do { \
        EXPECT(expected, call); \
        REQUIRE(strstr(error.message, sentence), "the message is: %s", error.message); \
    } while (0)
    BAD(pt_reload(account, &error));
    BAD(pt_reset(account, 1, NULL, &error));
    BAD(pt_backup(account, backup, &error));
    BAD(pt_buy(account, "AAPL", 1, 1, &fill, &error));
    BAD(pt_sell(account, "AAPL", 1, 1, &fill, &error));
    BAD(pt_submit(account, &order, &fill, &error));
    BAD(pt_deposit(account, 1, NULL, &error));
    BAD(pt_withdraw(account, 1, NULL, &error));
    BAD(pt_split(account, "AAPL", 2, 1, NAN, NULL, &error));
    BAD(pt_dividend(account, "AAPL", 1, NULL, &error));
    BAD(pt_write_off(account, "AAPL", NULL, &error));
    BAD(pt_begin(account, 0, &error));
    BAD(pt_commit(account, &error));
    BAD(pt_summary(account, &summary, &error));
    BAD(pt_position(account, "AAPL", &position, &error));
    BAD(pt_positions(account, NULL, 0, &count, &error));
    BAD(pt_value(account, NULL, 0, &valuation, &error));
    BAD(pt_history(account, 1, on_event, NULL, &error));
    BAD(pt_find_request(account, "id", &fill, &error));
    BAD(pt_enqueue(account, "AAPL", 50, PT_SIGNAL_BUY, NAN, NULL, &error));
    BAD(pt_submit_opportunity(account, &opportunity, &seq, &error));
    BAD(pt_queue(account, NULL, 0, &count, &error));
    BAD(pt_dequeue_all(account, NULL, 0, &count, &error));
    BAD(pt_clear_queue(account, &count, NULL, &error));
    BAD(pt_execute_queue(account, judge, NULL, NULL, 0, &count, &error));
    BAD(pt_monitoring_cycle(account, judge, NULL, NULL, NULL, &error));
    BAD(pt_trading_cycle(account, judge, NULL, NULL, NULL, &error));
    BAD(pt_cycles(account, 1, on_cycle, NULL, &error));
    BAD(pt_next_cycle(account, PT_TRADING, PT_TIME_NOW, &time, &error));
    BAD(pt_signals(account, NULL, 0, &count, &error));
    BAD(pt_market_is_open(account, PT_TIME_NOW, &is_open, &error));
    BAD(pt_market_next_open(account, PT_TIME_NOW, &time, &error));
    BAD(pt_market_next_close(account, PT_TIME_NOW, &time, &error));
    BAD(pt_account_lock(account, 0, &error));
    REQUIRE(pt_rollback(account) == expected, "rollback");
    REQUIRE(pt_account_unlock(account) == expected, "unlock");
    REQUIRE(pt_buy(account, "AAPL", 1, 1, NULL, NULL) == expected, "without an error to fill");
}

static void every_lock_call(pt_lock *lock, pt_status expected, const char *sentence) {
    pt_error error;
    BAD(pt_lock_acquire(lock, 0, &error));
    BAD(pt_lock_acquire_retrying(lock, 0, 2, 0, &error));
    REQUIRE(pt_lock_release(lock) == expected, "release");
}

int main(int argc, char **argv) {
    REQUIRE(argc == 4, "usage");
    directory = argv[1], backup = argv[2];
    pt_error error;
    pt_account *account = opened(directory), *other = (pt_account *)&error;
    pt_lock *lock, *other_lock = (pt_lock *)&error;
    pt_account_summary summary;
    size_t count;
    int32_t held;
    pt_execution executions[1];

    every_account_call(NULL, PT_INVALID_ARGUMENT, "account is NULL");
    every_lock_call(NULL, PT_INVALID_ARGUMENT, "lock is NULL");
    REQUIRE(pt_close(NULL) == PT_OK && pt_lock_close(NULL) == PT_OK, "closing NULL");

    EXPECT(PT_INVALID_ARGUMENT, pt_open(NULL, NULL, &other, &error));
    REQUIRE(other == NULL, "*account is not NULL after a failure");
    EXPECT(PT_INVALID_ARGUMENT, pt_open(directory, NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_open("", NULL, &other, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_verify(NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_recover(NULL, NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_import(NULL, "x", NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_import("x", NULL, NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_backup(account, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_open(NULL, &other_lock, &error));
    REQUIRE(other_lock == NULL, "*lock is not NULL after a failure");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_open(argv[3], NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_is_held(NULL, &held, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_buy(account, NULL, 1, 1, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_submit(account, NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_submit_opportunity(account, NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_summary(account, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_position(account, "ABC", NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_positions(account, NULL, 1, &count, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_value(account, NULL, 1, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_history(account, 1, NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_find_request(account, NULL, NULL, &error));
    EXPECT(PT_INVALID_ARGUMENT, pt_execute_queue(account, NULL, NULL, executions, 1, &count, &error));
    pt_request request = {0};
    EXPECT(PT_INVALID_ARGUMENT, pt_deposit(account, 1, &request, &error));
    REQUIRE(strstr(error.message, "struct_size"), "the message is: %s", error.message);
    pt_options options = PT_OPTIONS_INIT;
    options.flags = 1u << 20;
    EXPECT(PT_INVALID_ARGUMENT, pt_open(directory, &options, &other, &error));

    EXPECT(PT_OK, pt_lock_open(argv[3], &lock, &error));
    REQUIRE(pt_lock_close(lock) == PT_OK && pt_close(account) == PT_OK, "closing");
    every_account_call(account, PT_CLOSED, "closed");
    every_lock_call(lock, PT_CLOSED, "closed");
    REQUIRE(pt_close(account) == PT_CLOSED && pt_lock_close(lock) == PT_CLOSED, "closing again");
    every_account_call((pt_account *)&summary, PT_CLOSED, "never was"); /* not a handle, and not followed */
    every_account_call((pt_account *)1, PT_CLOSED, "never was");
    return 0;
}

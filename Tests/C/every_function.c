/*
 * every_function.c: every function of papertrade.h, called from C: what it does, and what it refuses. Run under valgrind.
 *
 *     every_function DIRECTORY        (an empty one)
 */
#include "check.h"

static const char *directory;

/* Longer than anything may be. */
static char long_text[1024];

static int logged;

static void on_log(void *context, int32_t level, const char *message) {
    CHECK(context == &logged, "the log gets its context");
    CHECK(level == PT_LOG_INFO || level == PT_LOG_WARNING, "the log gets a level");
    CHECK(is_sentence(message, 4096), "the log gets one line");
    logged++;
}

static int64_t on_clock(void *context) { return *(const int64_t *)context; }

/* An account's figures, for comparing. */
static pt_account_summary summary(pt_account *account) {
    pt_account_summary out;
    EXPECT(PT_OK, pt_summary(account, &out, &error), "an open account has a summary");
    return out;
}

static void library(void) {
    static const struct {
        pt_status status;
        const char *name;
    } names[] = {{PT_OK, "PT_OK"}, {PT_INSUFFICIENT_FUNDS, "PT_INSUFFICIENT_FUNDS"}, {PT_CLOSED, "PT_CLOSED"}, {PT_BUSY, "PT_BUSY"},
                 {PT_CORRUPT, "PT_CORRUPT"}, {PT_FAILED_HANDLE, "PT_FAILED_HANDLE"}, {1, "PT_UNKNOWN"}, {-1, "PT_UNKNOWN"}};
    size_t i;
    char version[32];
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(strcmp(pt_status_name(names[i].status), names[i].name) == 0, names[i].name);
    }
    snprintf(version, sizeof version, "%d.%d.%d", PT_VERSION_MAJOR, PT_VERSION_MINOR, PT_VERSION_PATCH);
    CHECK(strcmp(pt_version(), version) == 0, "header and library are of one version");
}

/* pt_open refuses options with this change. */
#define REFUSES(status, change, sentence) \
    do { \
        pt_options options = PT_OPTIONS_INIT; \
        pt_account *refused = (pt_account *)&options; \
        change; \
        EXPECT(status, pt_open(in(directory, "refused"), &options, &refused, &error), sentence); \
        CHECK(refused == NULL, "*account is NULL after a failure"); \
    } while (0)

static void opening(void) {
    pt_options options = PT_OPTIONS_INIT;
    pt_account *account = NULL, *other = NULL;
    const char *path = in(directory, "opening");
    int64_t now = 1400000000000000;

    EXPECT(PT_INVALID_ARGUMENT, pt_open(NULL, NULL, &account, &error), "a path that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_open("", NULL, &account, &error), "an empty path is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_open("\xFF", NULL, &account, &error), "a path that is not UTF-8 is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_open(path, NULL, NULL, &error), "nowhere to put the handle is refused");
    CHECK(pt_open(NULL, NULL, &account, NULL) == PT_INVALID_ARGUMENT, "a pt_error may be NULL");

    REFUSES(PT_INVALID_ARGUMENT, options.struct_size = 0, "options without a size are refused");
    REFUSES(PT_INVALID_ARGUMENT, options.flags = 0x80, "unknown flags are refused");
    REFUSES(PT_INVALID_AMOUNT, options.initial_cash = -1, "negative cash is refused");
    REFUSES(PT_INVALID_AMOUNT, options.initial_cash = INFINITY, "infinite cash is refused");
    REFUSES(PT_INVALID_AMOUNT, options.initial_cash = 1e9, "too much cash is refused");
    REFUSES(PT_TOO_PRECISE, options.initial_cash = 0.0000078, "cash that is too precise is refused");
    REFUSES(PT_INVALID_ARGUMENT, options.lock_timeout_ms = -3, "a negative timeout is refused");
    REFUSES(PT_INVALID_ARGUMENT, options.durability = 2, "an unknown durability is refused");
    REFUSES(PT_INVALID_ARGUMENT, options.account_id = "", "an empty account id is refused");
    REFUSES(PT_INVALID_ARGUMENT, options.account_id = "a b", "an account id with a space is refused");
    REFUSES(PT_INVALID_ARGUMENT, options.account_id = long_text, "an overlong account id is refused");
    REFUSES(PT_NO_ACCOUNT, options.flags = PT_OPEN_EXISTING, "no account is made where only an existing one was wanted");
    REFUSES(PT_NO_ACCOUNT, options.flags = PT_OPEN_READ_ONLY, "a reader makes no account");

    write_file(in(directory, "file"), "not a directory");
    EXPECT(PT_NO_ACCOUNT, pt_open(in(directory, "file"), NULL, &account, &error), "a path that is a file is refused");
    EXPECT(PT_IO, pt_open(in(directory, "none/account"), NULL, &account, &error), "a directory in no directory is refused");
    CHECK(error.errno_value != 0, "where the system refused, its errno is given");

    options.initial_cash = 123.45;
    options.account_id = "every-function";
    options.log = on_log;
    options.log_context = &logged;
    options.clock = on_clock;
    options.clock_context = &now;
    EXPECT(PT_OK, pt_open(path, &options, &account, &error), "an account is made");
    CHECK(account != NULL, "an opened account is not NULL");
    CHECK(strcmp(summary(account).account_id, "every-function") == 0, "the account has the id it was given");
    CHECK(summary(account).cash == 123.45, "the account has the cash it was given");
    CHECK(summary(account).created_at == now, "the account was made when its clock said");

    EXPECT(PT_OK, pt_deposit(account, 0.55, NULL, &error), "a change without a time takes the clock's");
    now = INT64_MAX;
    EXPECT(PT_INVALID_TIME, pt_deposit(account, 1, NULL, &error), "a clock outside the years 1970 to 9999 is refused");
    now = 1400000000000000;

    options.flags = PT_OPEN_READ_ONLY;
    EXPECT(PT_OK, pt_open(path, &options, &other, &error), "an account opens a second time, for reading");
    EXPECT(PT_READ_ONLY, pt_deposit(other, 1, NULL, &error), "a reader changes nothing");
    CHECK(summary(other).cash == 124, "a reader sees what others did");
    EXPECT_PLAIN(PT_OK, pt_close(other), "a reader closes");

    EXPECT_PLAIN(PT_OK, pt_close(NULL), "closing NULL is harmless");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
    EXPECT_PLAIN(PT_CLOSED, pt_close(account), "a second close says so");
    EXPECT(PT_CLOSED, pt_deposit(account, 1, NULL, &error), "a closed account is closed");
    EXPECT(PT_CLOSED, pt_summary((pt_account *)(void *)long_text, NULL, &error), "a pointer that never was a handle is refused");

    write_file(in(path, "portfolio.json"), "{}");
    options.flags = 0;
    EXPECT(PT_OK, pt_open(path, &options, &account, &error), "an account with an edited portfolio.json opens");
    CHECK(logged > 0, "the edited file is reported");
    CHECK(summary(account).cash == 124, "an edited portfolio.json changes nothing");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

static void reloading(void) {
    const char *path = in(directory, "reloading");
    pt_account *account = open_account(path);
    uint64_t before = summary(account).seq;

    EXPECT(PT_OK, pt_reload(account, &error), "an account reloads");
    CHECK(summary(account).seq == before, "a reload without news is no event");
    write_file(in(path, "config.json"), "{\"commission\": {\"per_share\": 0.01}}");
    EXPECT(PT_OK, pt_reload(account, &error), "new rules are accepted");
    CHECK(summary(account).seq == before + 1, "accepted rules are one event");
    write_file(in(path, "config.json"), "{\"comission\": {}}");
    EXPECT(PT_INVALID_CONFIG, pt_reload(account, &error), "an invalid config.json is refused");
    CHECK(strstr(error.message, "comission") && strstr(error.message, "commission"), "the message names the key and the nearest one");
    CHECK(strstr(error.message, "config.json") && strstr(error.message, "line 1"), "the message names file and line");
    EXPECT(PT_INVALID_ARGUMENT, pt_reload(NULL, &error), "an account that is NULL is refused");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

static void trading(void) {
    static const struct {
        pt_status status;
        const char *symbol;
        double shares, price;
        const char *sentence;
    } refusals[] = {
        {PT_INVALID_ARGUMENT, NULL, 1, 1, "a symbol that is NULL is refused"},
        {PT_INVALID_SYMBOL, "", 1, 1, "an empty symbol is refused"},
        {PT_INVALID_SYMBOL, "A B", 1, 1, "a symbol with a space is refused"},
        {PT_INVALID_SYMBOL, "A\n", 1, 1, "a symbol with a control character is refused"},
        {PT_INVALID_SYMBOL, "\xC3\x84", 1, 1, "a symbol that is not ASCII is refused"},
        {PT_INVALID_SYMBOL, "\xFF", 1, 1, "a symbol that is not UTF-8 is refused"},
        {PT_INVALID_SYMBOL, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", 1, 1, "a symbol of 33 bytes is refused"},
        {PT_INVALID_SHARES, "A", 0, 1, "no shares are refused"},
        {PT_INVALID_SHARES, "A", -1, 1, "negative shares are refused"},
        {PT_INVALID_SHARES, "A", NAN, 1, "shares that are not a number are refused"},
        {PT_INVALID_SHARES, "A", INFINITY, 1, "infinite shares are refused"},
        {PT_INVALID_SHARES, "A", 1e9, 1, "a thousand million shares are refused"},
        {PT_INVALID_SHARES, "A", 1e300, 1, "huge shares are refused"},
        {PT_TOO_PRECISE, "A", 0.0000078, 1, "shares that are too precise are refused"},
        {PT_INVALID_PRICE, "A", 1, 0, "no price is refused"},
        {PT_INVALID_PRICE, "A", 1, -1, "a negative price is refused"},
        {PT_INVALID_PRICE, "A", 1, NAN, "a price that is not a number is refused"},
        {PT_INVALID_PRICE, "A", 1, INFINITY, "an infinite price is refused"},
        {PT_INVALID_PRICE, "A", 1, -INFINITY, "a negative infinite price is refused"},
        {PT_INVALID_PRICE, "A", 1, 1e300, "a huge price is refused"},
        {PT_TOO_PRECISE, "A", 1, 0.0000078, "a price that is too precise is refused"},
        {PT_TOTAL_IS_ZERO, "A", 0.000001, 0.000001, "a total that rounds to zero is refused"},
    };
    pt_account *account = open_account(in(directory, "trading"));
    pt_fill fill;
    size_t i;
    uint64_t before = summary(account).seq;

    for (i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        EXPECT(refusals[i].status, pt_buy(account, refusals[i].symbol, refusals[i].shares, refusals[i].price, &fill, &error),
               refusals[i].sentence);
        if (refusals[i].status == PT_TOTAL_IS_ZERO) continue; /* there is nothing to sell */
        EXPECT(refusals[i].status, pt_sell(account, refusals[i].symbol, refusals[i].shares, refusals[i].price, &fill, &error),
               refusals[i].sentence);
    }
    EXPECT(PT_INVALID_ARGUMENT, pt_buy(NULL, "A", 1, 1, &fill, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_sell(NULL, "A", 1, 1, &fill, &error), "an account that is NULL is refused");
    EXPECT(PT_INSUFFICIENT_FUNDS, pt_buy(account, "A", 100, 100.01, &fill, &error), "more than the cash is refused");
    EXPECT(PT_NO_POSITION, pt_sell(account, "A", 1, 1, &fill, &error), "what is not held cannot be sold");
    CHECK(summary(account).seq == before, "refusals are no events");

    EXPECT(PT_OK, pt_buy(account, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", 1, 1, NULL, &error), "a symbol may have 32 bytes; fill may be NULL");
    EXPECT(PT_OK, pt_buy(account, "aZ0._-/^=:", 1, 1, NULL, &error), "all the characters of a symbol are accepted");
    EXPECT(PT_OK, pt_buy(account, "A", 99.99999999999999, 10, &fill, &error), "the noise of a double is not taken for precision");
    CHECK(fill.shares == 100 && fill.price == 10 && fill.notional == 1000 && fill.total == 1000 && fill.commission == 0, "a fill says what was traded");
    CHECK(fill.side == PT_BUY && strcmp(fill.symbol, "A") == 0 && strcmp(fill.type, "buy") == 0, "a fill says which trade it was");
    CHECK(fill.seq == before + 3 && fill.repeated == 0 && fill.provisional == 0 && fill.realized_pnl == 0, "a fill says which event it was");
    CHECK(fill.cash_after == 8998 && fill.position_shares == 100 && fill.position_cost == 1000, "a fill says what is left");
    CHECK(fill.at > 1600000000000000 && fill.time > 1600000000000000, "a fill says when");

    EXPECT(PT_INSUFFICIENT_SHARES, pt_sell(account, "A", 100.000001, 10, &fill, &error), "more than is held cannot be sold");
    EXPECT(PT_OK, pt_sell(account, "A", 40, 12.5, &fill, &error), "a part is sold");
    CHECK(fill.side == PT_SELL && fill.total == 500 && fill.realized_pnl == 100 && fill.position_shares == 60 && fill.position_cost == 600,
          "a sale's gain is by average cost");
    EXPECT(PT_OK, pt_sell(account, "A", 60, 10, NULL, &error), "the rest is sold; fill may be NULL");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

static void submitting(void) {
    pt_account *account = open_account(in(directory, "submitting"));
    pt_order order = PT_ORDER_INIT;
    pt_request request = PT_REQUEST_INIT;
    pt_fill fill, again;
    uint64_t last;

    EXPECT(PT_INVALID_ARGUMENT, pt_submit(account, NULL, &fill, &error), "an order that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_submit(account, &order, &fill, &error), "an empty order is refused");
    order.side = PT_BUY;
    EXPECT(PT_INVALID_ARGUMENT, pt_submit(account, &order, &fill, &error), "an order without a symbol is refused");
    order.symbol = "MSFT";
    EXPECT(PT_INVALID_SHARES, pt_submit(account, &order, &fill, &error), "an order without shares is refused");
    order.shares = PT_ALL_SHARES;
    order.price = 20;
    EXPECT(PT_INVALID_SHARES, pt_submit(account, &order, &fill, &error), "buying all shares is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_submit(NULL, &order, &fill, &error), "an account that is NULL is refused");

    order.shares = 2.5;
    order.request = &request;
    request.request_id = "order-1";
    request.note = "the first \xE2\x82\xAC";
    request.time = 1234567890123456;
    request.expected_seq = summary(account).seq;
    EXPECT(PT_OK, pt_submit(account, &order, &fill, &error), "an order is filled");
    CHECK(fill.time == request.time && fill.at != fill.time, "it happened when the caller said, and was recorded now");
    EXPECT(PT_OK, pt_submit(account, &order, &again, &error), "the same request again is the same outcome, also with an old expected_seq");
    CHECK(again.repeated == 1 && again.seq == fill.seq && again.total == 50 && again.cash_after == 9950, "it says so, and bought nothing");
    EXPECT(PT_OK, pt_find_request(account, "order-1", &again, &error), "a request is found by its id");
    CHECK(again.seq == fill.seq && again.side == PT_BUY && again.shares == 2.5 && strcmp(again.symbol, "MSFT") == 0, "it is the fill");

    order.shares = 3;
    EXPECT(PT_REQUEST_CONFLICT, pt_submit(account, &order, &again, &error), "the same id for another order is a conflict");
    CHECK(error.seq == fill.seq, "the error names the event that has the id");
    order.shares = 2.5;
    request.note = "another";
    EXPECT(PT_REQUEST_CONFLICT, pt_submit(account, &order, &again, &error), "the note is part of a request's content");
    request.request_id = "order-2";
    EXPECT(PT_SEQ_MISMATCH, pt_submit(account, &order, &again, &error), "an account that has moved on is noticed");
    CHECK(error.seq == fill.seq, "the error says where the account is");
    request.expected_seq = 0;

    last = summary(account).seq;
    request.request_id = "";
    EXPECT(PT_INVALID_REQUEST_ID, pt_submit(account, &order, &again, &error), "an empty request id is refused");
    request.request_id = "a\nb";
    EXPECT(PT_INVALID_REQUEST_ID, pt_submit(account, &order, &again, &error), "a request id with a control character is refused");
    request.request_id = long_text;
    EXPECT(PT_INVALID_REQUEST_ID, pt_submit(account, &order, &again, &error), "an overlong request id is refused");
    request.request_id = "\xFF";
    EXPECT(PT_INVALID_REQUEST_ID, pt_submit(account, &order, &again, &error), "a request id that is not UTF-8 is refused");
    request.request_id = NULL;
    request.note = long_text;
    EXPECT(PT_INVALID_TEXT, pt_submit(account, &order, &again, &error), "an overlong note is refused");
    request.note = "\xFF";
    EXPECT(PT_INVALID_TEXT, pt_submit(account, &order, &again, &error), "a note that is not UTF-8 is refused");
    request.note = NULL;
    request.time = -1;
    EXPECT(PT_INVALID_TIME, pt_submit(account, &order, &again, &error), "a time before 1970 is refused");
    request.time = INT64_MAX;
    EXPECT(PT_INVALID_TIME, pt_submit(account, &order, &again, &error), "a time after 9999 is refused");
    request.time = PT_TIME_NOW;
    order.side = 3;
    EXPECT(PT_INVALID_ARGUMENT, pt_submit(account, &order, &again, &error), "an unknown side is refused");
    CHECK(summary(account).seq == last, "refusals are no events");

    order.side = PT_SELL;
    order.shares = PT_ALL_SHARES;
    EXPECT(PT_OK, pt_submit(account, &order, &fill, &error), "all shares are sold");
    CHECK(fill.shares == 2.5 && fill.position_shares == 0, "that is the whole position");
    EXPECT(PT_NO_POSITION, pt_submit(account, &order, &fill, &error), "all of nothing cannot be sold");

    EXPECT(PT_NOT_FOUND, pt_find_request(account, "order-2", &again, &error), "the id of a refused request is free");
    EXPECT(PT_INVALID_ARGUMENT, pt_find_request(account, NULL, &again, &error), "an id that is NULL is refused");
    EXPECT(PT_INVALID_REQUEST_ID, pt_find_request(account, "", &again, &error), "an empty id is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_find_request(NULL, "order-1", &again, &error), "an account that is NULL is refused");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

static void cash_and_corporate_actions(void) {
    static const double wrong[] = {0, -1, NAN, INFINITY, 1e9, 1e300};
    static const char *const sentence = "an amount that is zero, negative, no number, infinite or too large is refused";
    pt_account *account = open_account(in(directory, "actions"));
    pt_request request = PT_REQUEST_INIT;
    pt_position_info position;
    pt_fill outcome;
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXPECT(PT_INVALID_AMOUNT, pt_deposit(account, wrong[i], NULL, &error), sentence);
        EXPECT(PT_INVALID_AMOUNT, pt_withdraw(account, wrong[i], NULL, &error), sentence);
        EXPECT(PT_INVALID_PRICE, pt_dividend(account, "A", wrong[i], NULL, &error), sentence);
        EXPECT(PT_INVALID_RATIO, pt_split(account, "A", wrong[i], 1, NAN, NULL, &error), sentence);
        EXPECT(PT_INVALID_RATIO, pt_split(account, "A", 1, wrong[i], NAN, NULL, &error), sentence);
    }
    EXPECT(PT_INVALID_RATIO, pt_split(account, "A", 2, 2, NAN, NULL, &error), "a split into as many shares is refused");
    EXPECT(PT_INVALID_RATIO, pt_split(account, "A", 1e9, 1, NAN, NULL, &error), "a side that is too large is refused");
    CHECK(strstr(error.message, "999999999.999999") != NULL, "and the range named");
    EXPECT(PT_TOO_PRECISE, pt_split(account, "A", 0.0000078, 1, NAN, NULL, &error), "a side that would be rounded is refused");
    EXPECT(PT_TOO_PRECISE, pt_split(account, "A", 1, 0.0000078, NAN, NULL, &error), "on both sides");
    EXPECT(PT_INVALID_PRICE, pt_split(account, "A", 2, 1, -1, NULL, &error), "a negative price for cash in lieu is refused");
    EXPECT(PT_INVALID_SYMBOL, pt_split(account, "", 2, 1, NAN, NULL, &error), "an empty symbol is refused");
    EXPECT(PT_INVALID_SYMBOL, pt_dividend(account, "", 1, NULL, &error), "an empty symbol is refused");
    EXPECT(PT_INVALID_SYMBOL, pt_write_off(account, "", NULL, &error), "an empty symbol is refused");
    EXPECT(PT_NO_POSITION, pt_split(account, "A", 2, 1, NAN, NULL, &error), "what is not held is not split");
    EXPECT(PT_NO_POSITION, pt_dividend(account, "A", 1, NULL, &error), "what is not held pays nothing");
    EXPECT(PT_NO_POSITION, pt_write_off(account, "A", NULL, &error), "what is not held is not written off");
    EXPECT(PT_INSUFFICIENT_FUNDS, pt_withdraw(account, 10000.000001, NULL, &error), "more than the cash cannot be withdrawn");
    EXPECT(PT_INVALID_ARGUMENT, pt_deposit(NULL, 1, NULL, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_withdraw(NULL, 1, NULL, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_split(NULL, "A", 2, 1, NAN, NULL, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_dividend(NULL, "A", 1, NULL, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_write_off(NULL, "A", NULL, &error), "an account that is NULL is refused");

    request.request_id = "pay-day";
    EXPECT(PT_OK, pt_deposit(account, 500, &request, &error), "cash is deposited");
    EXPECT(PT_OK, pt_deposit(account, 500, &request, &error), "a deposit may be repeated");
    CHECK(summary(account).cash == 10500 && summary(account).net_deposits == 10500, "it is deposited once");
    EXPECT(PT_OK, pt_find_request(account, "pay-day", &outcome, &error), "a deposit is found by its id");
    CHECK(outcome.side == 0 && strcmp(outcome.type, "deposit") == 0 && outcome.total == 500 && isnan(outcome.shares), "it has no shares");
    EXPECT(PT_OUT_OF_RANGE, pt_deposit(account, PT_AMOUNT_MAX, NULL, &error), "cash beyond the range is refused");
    EXPECT(PT_OK, pt_withdraw(account, 500, NULL, &error), "cash is withdrawn");

    EXPECT(PT_OK, pt_buy(account, "A", 10, 70, NULL, &error), "shares are bought");
    EXPECT(PT_OK, pt_split(account, "A", 7, 1, NAN, NULL, &error), "seven for one");
    EXPECT(PT_OK, pt_position(account, "A", &position, &error), "the position is still held");
    CHECK(position.shares == 70 && position.cost == 700 && position.cost_basis == 10, "a split changes shares, not cost");
    EXPECT(PT_OK, pt_dividend(account, "A", 0.25, NULL, &error), "a dividend is paid");
    CHECK(summary(account).cash == 9317.5 && summary(account).realized_pnl == 17.5, "a dividend is realized P&L");
    EXPECT(PT_TOTAL_IS_ZERO, (pt_buy(account, "B", 0.000001, 1, NULL, NULL), pt_dividend(account, "B", 0.000001, NULL, &error)),
           "a dividend that rounds to zero is refused");
    EXPECT(PT_NEEDS_PRICE, pt_split(account, "B", 1, 10, NAN, NULL, &error), "a split that leaves a fraction only needs a price");
    EXPECT(PT_OK, pt_split(account, "B", 1, 10, 10000000, NULL, &error), "at a price it is paid in cash");
    EXPECT(PT_NO_POSITION, pt_position(account, "B", &position, &error), "and the position is gone");
    EXPECT(PT_OK, pt_write_off(account, "A", NULL, &error), "a worthless position is written off");
    EXPECT(PT_NO_POSITION, pt_position(account, "A", &position, &error), "it is gone");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

static int32_t judge(void *context, const char *symbol, int64_t time, pt_analysis *out);

static void batches(void) {
    pt_account *account = open_account(in(directory, "batches"));
    pt_execution execution;
    pt_fill fill;
    size_t count;
    uint64_t before = summary(account).seq;

    EXPECT(PT_MISUSE, pt_commit(account, &error), "there is no batch to commit");
    EXPECT_PLAIN(PT_MISUSE, pt_rollback(account), "there is no batch to roll back");
    EXPECT(PT_INVALID_ARGUMENT, pt_begin(account, -3, &error), "a negative timeout is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_begin(NULL, 0, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_commit(NULL, &error), "an account that is NULL is refused");
    EXPECT_PLAIN(PT_INVALID_ARGUMENT, pt_rollback(NULL), "an account that is NULL is refused");

    EXPECT(PT_OK, pt_begin(account, PT_WAIT_DEFAULT, &error), "a batch begins");
    EXPECT(PT_MISUSE, pt_begin(account, 0, &error), "a batch in a batch is refused");
    EXPECT(PT_MISUSE, pt_reload(account, &error), "reloading in a batch is refused");
    EXPECT(PT_MISUSE, pt_reset(account, 1, NULL, &error), "a reset in a batch is refused");
    EXPECT(PT_MISUSE, pt_backup(account, in(directory, "none"), &error), "a backup in a batch is refused");
    EXPECT(PT_OK, pt_buy(account, "A", 60, 100, &fill, &error), "a batch buys");
    CHECK(fill.provisional == 1 && fill.cash_after == 4000, "its fills are provisional");
    EXPECT(PT_INSUFFICIENT_FUNDS, pt_buy(account, "A", 60, 100, &fill, &error), "a batch is decided against its own results");
    EXPECT(PT_OK, pt_sell(account, "A", 10, 110, &fill, &error), "a refusal does not end a batch");
    CHECK(summary(account).cash == 5100, "its own thread sees the batch's state");
    EXPECT(PT_OK, pt_commit(account, &error), "a batch commits");
    CHECK(summary(account).cash == 5100 && summary(account).seq == before + 2, "all of it has happened");

    EXPECT(PT_OK, pt_begin(account, PT_WAIT_FOREVER, &error), "a batch begins");
    EXPECT(PT_MISUSE, pt_execute_queue(account, judge, &logged, &execution, 1, &count, &error), "executing the queue in a batch is refused");
    EXPECT(PT_OK, pt_withdraw(account, 100, NULL, &error), "a batch withdraws");
    EXPECT_PLAIN(PT_OK, pt_rollback(account), "a batch rolls back");
    CHECK(summary(account).cash == 5100 && summary(account).seq == before + 2, "nothing of it has happened");

    EXPECT(PT_OK, pt_begin(account, 0, &error), "a batch begins");
    EXPECT(PT_OK, pt_commit(account, &error), "an empty batch commits");
    EXPECT(PT_OK, pt_begin(account, 0, &error), "a batch begins");
    EXPECT(PT_OK, pt_withdraw(account, 100, NULL, &error), "a batch withdraws");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes with a batch open");
    account = open_account(in(directory, "batches"));
    CHECK(summary(account).cash == 5100 && summary(account).seq == before + 2, "that rolled it back");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

static int32_t count_events(void *context, const pt_event *event) {
    uint64_t *last = context;
    CHECK(event->seq == *last + 1, "events come in order");
    CHECK(event->type != NULL && event->json != NULL && event->json[0] == '{', "an event has a type and its line");
    *last = event->seq;
    return 0;
}

static int32_t stop(void *context, const pt_event *event) {
    (void)event;
    return ++*(int *)context;
}

static void state(void) {
    pt_account *account = open_account(in(directory, "state"));
    pt_account_summary out;
    pt_position_info position, positions[3];
    pt_valuation value;
    pt_quote quotes[] = {{"A", 1}, {"C", 0}, {"NOT-HELD", 5}, {"A", 12}};
    size_t count = 99;
    uint64_t last = 0;
    int calls = 0;

    EXPECT(PT_OK, pt_positions(account, NULL, 0, &count, &error), "the positions are counted");
    CHECK(count == 0, "there are none");
    EXPECT(PT_OK, pt_buy(account, "C", 10, 30, NULL, &error), "shares are bought");
    EXPECT(PT_OK, pt_buy(account, "B", 10, 20, NULL, &error), "shares are bought");
    EXPECT(PT_OK, pt_buy(account, "A", 10, 10, NULL, &error), "shares are bought");

    EXPECT(PT_OK, pt_summary(account, &out, &error), "an account has a summary");
    CHECK(out.cash == 9400 && out.total_cost == 600 && out.net_deposits == 10000 && out.realized_pnl == 0, "its figures add up");
    CHECK(out.position_count == 3 && out.queued_count == 0 && out.generation == 1, "its counts are right");
    CHECK(out.created_at > 0 && out.updated_at >= out.created_at && strlen(out.account_id) > 0, "it says which account, and when");
    EXPECT(PT_INVALID_ARGUMENT, pt_summary(account, NULL, &error), "nowhere to put the summary is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_summary(NULL, &out, &error), "an account that is NULL is refused");

    EXPECT(PT_OK, pt_position(account, "B", &position, &error), "a position is found");
    CHECK(strcmp(position.symbol, "B") == 0 && position.shares == 10 && position.cost == 200 && position.cost_basis == 20, "it is B");
    EXPECT(PT_NO_POSITION, pt_position(account, "b", &position, &error), "symbols are case-sensitive");
    EXPECT(PT_INVALID_SYMBOL, pt_position(account, "", &position, &error), "an empty symbol is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_position(account, "B", NULL, &error), "nowhere to put the position is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_position(NULL, "B", &position, &error), "an account that is NULL is refused");

    EXPECT(PT_BUFFER_TOO_SMALL, pt_positions(account, positions, 2, &count, &error), "too little room is refused");
    CHECK(count == 3, "the count says how much is needed");
    EXPECT(PT_OK, pt_positions(account, positions, 3, &count, &error), "the positions are listed");
    CHECK(strcmp(positions[0].symbol, "A") == 0 && strcmp(positions[2].symbol, "C") == 0, "they are ordered by symbol");
    EXPECT(PT_OK, pt_positions(account, positions, SIZE_MAX, &count, &error), "a capacity beyond all memory is room enough");
    CHECK(count == 3, "there are three");
    EXPECT(PT_INVALID_ARGUMENT, pt_positions(account, NULL, 3, &count, &error), "a capacity without a place is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_positions(account, NULL, SIZE_MAX, &count, &error), "so is the largest");
    EXPECT(PT_INVALID_ARGUMENT, pt_positions(NULL, positions, 3, &count, &error), "an account that is NULL is refused");

    EXPECT(PT_OK, pt_value(account, quotes, 4, &value, &error), "an account has a value");
    CHECK(value.market_value == 320 && value.total_value == 9720 && value.unpriced == 1, "12 for A, nothing for C, B at its cost");
    CHECK(value.unrealized_pnl == -280 && value.total_pnl == -280 && value.return_percent == -2.8, "the gain is counted");
    EXPECT(PT_OK, pt_value(account, NULL, 0, &value, &error), "an account has a value without quotes");
    CHECK(value.unpriced == 3 && value.total_value == 10000, "everything counts at its cost");
    EXPECT(PT_INVALID_ARGUMENT, pt_value(account, NULL, 1, &value, &error), "quotes that are NULL are refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_value(account, quotes, SIZE_MAX, &value, &error), "more quotes than memory holds are refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_value(account, quotes, SIZE_MAX / 16, &value, &error), "also where their number is not negative");
    EXPECT(PT_INVALID_ARGUMENT, pt_value(account, quotes, 4, NULL, &error), "nowhere to put the value is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_value(NULL, quotes, 4, &value, &error), "an account that is NULL is refused");
    quotes[3].price = -1;
    EXPECT(PT_INVALID_PRICE, pt_value(account, quotes, 4, &value, &error), "a negative quote is refused");
    quotes[0].symbol = NULL;
    EXPECT(PT_INVALID_ARGUMENT, pt_value(account, quotes, 4, &value, &error), "a quote for NULL is refused");

    EXPECT(PT_OK, pt_history(account, 1, count_events, &last, &error), "the history is read");
    CHECK(last == out.seq, "all of it");
    EXPECT(PT_STOPPED, pt_history(account, 2, stop, &calls, &error), "a callback stops the history");
    CHECK(calls == 1, "at once");
    EXPECT(PT_OK, pt_history(account, last + 1, stop, &calls, &error), "there is no history after the last event");
    EXPECT(PT_INVALID_ARGUMENT, pt_history(account, 1, NULL, NULL, &error), "a callback that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_history(NULL, 1, count_events, &last, &error), "an account that is NULL is refused");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

/* Judges by the first letter of the symbol. */
static int32_t judge(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    CHECK(context == &logged && time > 0, "the analyst gets its context and a time");
    CHECK(out->struct_size == sizeof *out && isnan(out->price) && isnan(out->shares) && isnan(out->amount), "the judgement is initialised");
    out->signal = PT_SIGNAL_BUY;
    out->score = 80;
    out->price = 10;
    out->shares = 5;
    switch (symbol[0]) {
    case 'A': strcpy(out->reason, "still good"); return PT_OK;                  /* bought */
    case 'B': out->score = 69.999999; return PT_OK;                             /* dropped by more than 10 */
    case 'C': out->signal = PT_SIGNAL_HOLD; return PT_OK;                       /* downgraded */
    case 'D': return PT_NO_OPINION;
    case 'E': return -1;                                                        /* failed */
    case 'F': out->shares = NAN; return PT_OK;                                  /* no size */
    case 'G': out->shares = NAN; out->amount = 1e6; return PT_OK;               /* too expensive */
    case 'H': out->shares = NAN; out->amount = 105; return PT_OK;               /* bought: 10 whole shares */
    case 'I': memset(out->reason, 'x', sizeof out->reason); return PT_OK;       /* nonsense: text without an end */
    default: return PT_STOPPED;
    }
}

static void queue(void) {
    static const int32_t expected[] = {PT_BOUGHT, PT_REJECTED_SCORE_DROP, PT_REJECTED_DOWNGRADE, PT_REJECTED_NO_ANALYSIS, PT_REJECTED_NO_ANALYSIS,
                                       PT_REJECTED_SIZE, PT_REJECTED_FUNDS, PT_BOUGHT, PT_REJECTED_NO_ANALYSIS};
    pt_account *account = open_account(in(directory, "queue"));
    pt_opportunity opportunity = PT_OPPORTUNITY_INIT;
    pt_request request = PT_REQUEST_INIT;
    pt_queue_entry entries[10];
    pt_execution executions[10];
    size_t count = 99, i;
    uint64_t seq = 0, last;

    EXPECT(PT_INVALID_ARGUMENT, pt_enqueue(NULL, "A", 80, PT_SIGNAL_BUY, NAN, NULL, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_SYMBOL, pt_enqueue(account, "", 80, PT_SIGNAL_BUY, NAN, NULL, &error), "an empty symbol is refused");
    EXPECT(PT_INVALID_SCORE, pt_enqueue(account, "A", 100.000001, PT_SIGNAL_BUY, NAN, NULL, &error), "a score above 100 is refused");
    EXPECT(PT_INVALID_SCORE, pt_enqueue(account, "A", -1, PT_SIGNAL_BUY, NAN, NULL, &error), "a score below 0 is refused");
    EXPECT(PT_INVALID_SCORE, pt_enqueue(account, "A", NAN, PT_SIGNAL_BUY, NAN, NULL, &error), "a score that is no number is refused");
    EXPECT(PT_INVALID_SIGNAL, pt_enqueue(account, "A", 80, 0, NAN, NULL, &error), "a signal below SELL is refused");
    EXPECT(PT_INVALID_SIGNAL, pt_enqueue(account, "A", 80, 7, NAN, NULL, &error), "a signal above STRONG BUY is refused");
    EXPECT(PT_INVALID_PRICE, pt_enqueue(account, "A", 80, PT_SIGNAL_BUY, 0, NULL, &error), "a price of zero is refused");
    EXPECT(PT_INVALID_PRICE, pt_enqueue(account, "A", 80, PT_SIGNAL_BUY, INFINITY, NULL, &error), "an infinite price is refused");
    EXPECT(PT_INVALID_TEXT, pt_enqueue(account, "A", 80, PT_SIGNAL_BUY, NAN, long_text, &error), "an overlong reason is refused");
    EXPECT(PT_INVALID_TEXT, pt_enqueue(account, "A", 80, PT_SIGNAL_BUY, NAN, "\xFF", &error), "a reason that is not UTF-8 is refused");

    EXPECT(PT_OK, pt_enqueue(account, "A", 82.5, PT_SIGNAL_STRONG_BUY, 9.75, "breakout", &error), "an opportunity is queued");
    EXPECT(PT_ALREADY_QUEUED, pt_enqueue(account, "A", 82.5, PT_SIGNAL_STRONG_BUY, NAN, NULL, &error), "a second one for the symbol is refused");
    seq = error.seq;
    EXPECT(PT_OK, pt_queue(account, entries, 10, &count, &error), "the queue is listed");
    CHECK(count == 1 && entries[0].seq == seq, "the error of a duplicate named the entry");
    CHECK(entries[0].score == 82.5 && entries[0].price == 9.75 && entries[0].signal == PT_SIGNAL_STRONG_BUY, "the entry has its figures");
    CHECK(strcmp(entries[0].symbol, "A") == 0 && strcmp(entries[0].reason, "breakout") == 0 && entries[0].queued_at > 0, "and its texts");

    EXPECT(PT_INVALID_ARGUMENT, pt_submit_opportunity(account, NULL, &seq, &error), "an opportunity that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_submit_opportunity(NULL, &opportunity, &seq, &error), "an account that is NULL is refused");
    opportunity.signal = PT_SIGNAL_BUY;
    opportunity.score = 80;
    EXPECT(PT_INVALID_ARGUMENT, pt_submit_opportunity(account, &opportunity, &seq, &error), "an opportunity without a symbol is refused");
    opportunity.symbol = "B";
    request.request_id = "queue-b";
    opportunity.request = &request;
    EXPECT(PT_OK, pt_submit_opportunity(account, &opportunity, &seq, &error), "an opportunity is queued with a request id");
    last = seq;
    EXPECT(PT_OK, pt_submit_opportunity(account, &opportunity, &seq, &error), "it may be repeated");
    CHECK(seq == last && summary(account).queued_count == 2, "it is queued once");
    EXPECT(PT_OK, pt_queue(account, entries, 10, &count, &error), "the queue is listed");
    CHECK(count == 2 && isnan(entries[1].price) && entries[1].reason[0] == '\0', "an unknown price is NaN");

    EXPECT(PT_BUFFER_TOO_SMALL, pt_queue(account, entries, 1, &count, &error), "too little room is refused");
    EXPECT(PT_BUFFER_TOO_SMALL, pt_dequeue_all(account, entries, 1, &count, &error), "too little room is refused");
    EXPECT(PT_OK, pt_dequeue_all(account, NULL, 0, &count, &error), "without room it only counts");
    EXPECT(PT_INVALID_ARGUMENT, pt_dequeue_all(account, NULL, 2, &count, &error), "room that is not there is refused");
    CHECK(count == 2 && summary(account).queued_count == 2, "nothing was taken out");
    EXPECT(PT_INVALID_ARGUMENT, pt_queue(NULL, entries, 1, &count, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_dequeue_all(NULL, entries, 1, &count, &error), "an account that is NULL is refused");
    EXPECT(PT_OK, pt_dequeue_all(account, entries, SIZE_MAX, &count, &error), "everything is taken out");
    CHECK(count == 2 && strcmp(entries[0].symbol, "A") == 0 && summary(account).queued_count == 0, "in order, and the queue is empty");
    EXPECT(PT_OK, pt_dequeue_all(account, entries, 10, &count, &error), "an empty queue is taken out");
    CHECK(count == 0, "there was nothing");

    EXPECT(PT_OK, pt_enqueue(account, "A", 80, PT_SIGNAL_BUY, NAN, NULL, &error), "an opportunity is queued");
    EXPECT(PT_OK, pt_clear_queue(account, &count, NULL, &error), "the queue is cleared");
    CHECK(count == 1 && summary(account).queued_count == 0, "it had one entry");
    EXPECT(PT_OK, pt_clear_queue(account, NULL, NULL, &error), "an empty queue is cleared");
    EXPECT(PT_INVALID_ARGUMENT, pt_clear_queue(NULL, NULL, NULL, &error), "an account that is NULL is refused");

    EXPECT(PT_OK, pt_execute_queue(account, judge, &logged, executions, 10, &count, &error), "an empty queue is executed");
    CHECK(count == 0, "there was nothing to do");
    for (i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char symbol[2] = {(char)('A' + i), '\0'};
        EXPECT(PT_OK, pt_enqueue(account, symbol, 80, PT_SIGNAL_BUY, NAN, NULL, &error), "an opportunity is queued");
    }
    last = summary(account).seq;
    EXPECT(PT_BUFFER_TOO_SMALL, pt_execute_queue(account, judge, &logged, executions, 3, &count, &error), "too little room is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_execute_queue(account, NULL, NULL, executions, 10, &count, &error), "an analyst that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_execute_queue(NULL, judge, NULL, executions, 10, &count, &error), "an account that is NULL is refused");
    EXPECT(PT_OK, pt_execute_queue(account, judge, &logged, NULL, 0, &count, &error), "without room it only counts");
    EXPECT(PT_INVALID_ARGUMENT, pt_execute_queue(account, judge, &logged, NULL, 10, &count, &error), "room that is not there is refused");
    CHECK(count == 9 && summary(account).seq == last, "nothing has changed");
    EXPECT(PT_OK, pt_enqueue(account, "STOP", 80, PT_SIGNAL_BUY, NAN, NULL, &error), "an opportunity is queued");
    EXPECT(PT_STOPPED, pt_execute_queue(account, judge, &logged, executions, 10, &count, &error), "the analyst ends the call");
    CHECK(summary(account).queued_count == 10, "nothing has changed");
    EXPECT(PT_OK, pt_clear_queue(account, NULL, NULL, &error), "the queue is cleared");
    for (i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char symbol[2] = {(char)('A' + i), '\0'};
        EXPECT(PT_OK, pt_enqueue(account, symbol, 80, PT_SIGNAL_BUY, NAN, NULL, &error), "an opportunity is queued");
    }
    EXPECT(PT_OK, pt_execute_queue(account, judge, &logged, executions, SIZE_MAX, &count, &error), "the queue is executed");
    CHECK(count == 9 && summary(account).queued_count == 0, "every entry was dealt with");
    for (i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char sentence[400];
        snprintf(sentence, sizeof sentence, "%s comes to %d: it is %d, \"%s\"", executions[i].symbol, expected[i], executions[i].outcome, executions[i].message);
        CHECK(executions[i].outcome == expected[i] && executions[i].seq > 0 && executions[i].queued_seq > 0, sentence);
        CHECK(is_sentence(executions[i].message, sizeof executions[i].message), sentence);
    }
    CHECK(executions[0].shares == 5 && executions[0].price == 10 && executions[0].total == 50, "A was bought as the analyst said");
    CHECK(executions[7].shares == 10 && executions[7].total == 100, "H was bought in whole shares");
    CHECK(isnan(executions[1].shares) && executions[1].queued_score == 80 && executions[1].score == 69.999999, "B's scores are given");
    CHECK(summary(account).cash == 9850 && summary(account).position_count == 2, "what was bought was paid");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

/* When the cycles of this test run: Monday, 2014-06-02, 10:00 in New York. */
#define MONDAY 1401717600000000
#define MINUTE ((int64_t)60000000)

/* What the analyst of the cycles thinks of every symbol but NONE, FAIL and STOP. */
static pt_analysis opinion = PT_ANALYSIS_INIT;

static int32_t give_opinion(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    CHECK(context == &opinion && time == MONDAY, "the analyst gets its context, and the time of the cycle");
    CHECK(out->struct_size == sizeof *out && isnan(out->score) && isnan(out->price) && out->time == PT_TIME_NOW, "the judgement is initialised");
    if (strcmp(symbol, "NONE") == 0) return PT_NO_OPINION;
    if (strcmp(symbol, "STOP") == 0) return PT_STOPPED;
    if (strcmp(symbol, "FAIL") == 0) {
        strcpy(out->reason, "no feed");
        return -1;
    }
    *out = opinion;
    return PT_OK;
}

static int32_t count_cycles(void *context, const pt_cycle *cycle) {
    CHECK(cycle->first_seq == 0 && cycle->at > MONDAY, "a record tells when it was recorded");
    *(int *)context += 1;
    return 0;
}

static int32_t stop_cycles(void *context, const pt_cycle *cycle) {
    (void)cycle;
    *(int *)context += 1;
    return 7;
}

/* Both cycles refuse this analyst and these options. */
static void cycles_refuse(pt_status status, pt_account *account, pt_analyst_fn analyst, const pt_cycle_options *options, const char *sentence) {
    EXPECT(status, pt_monitoring_cycle(account, analyst, &opinion, options, NULL, &error), sentence);
    EXPECT(status, pt_trading_cycle(account, analyst, &opinion, options, NULL, &error), sentence);
}

/* Refused without asking anybody. */
static int32_t never(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time, (void)out;
    CHECK(0, "nobody is asked by a call that is refused");
    return PT_STOPPED;
}

static void cycle_arguments(void) {
    pt_account *account = open_account(in(directory, "cycle-arguments"));
    pt_cycle_options options = PT_CYCLE_OPTIONS_INIT;
    uint64_t before = summary(account).seq;
    int64_t next = 99;
    int32_t is_open = 99, calls = 0;
    size_t count = 99;

    cycles_refuse(PT_INVALID_ARGUMENT, NULL, never, NULL, "an account that is NULL is refused");
    cycles_refuse(PT_INVALID_ARGUMENT, account, NULL, NULL, "an analyst that is NULL is refused");
    options.struct_size = 0;
    cycles_refuse(PT_INVALID_ARGUMENT, account, never, &options, "options without a size are refused");
    options.struct_size = sizeof options;
    options.flags = PT_CYCLE_IGNORE_SCHEDULE | 2u;
    cycles_refuse(PT_INVALID_ARGUMENT, account, never, &options, "unknown flags are refused");
    options.flags = 0;
    options.time = -1;
    cycles_refuse(PT_INVALID_TIME, account, never, &options, "a time before 1970 is refused");
    options.time = INT64_MAX;
    cycles_refuse(PT_INVALID_TIME, account, never, &options, "a time after 9999 is refused");

    EXPECT(PT_INVALID_ARGUMENT, pt_cycles(NULL, 1, count_cycles, &calls, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_cycles(account, 1, NULL, NULL, &error), "a callback that is NULL is refused");
    EXPECT(PT_OK, pt_cycles(account, UINT64_MAX, count_cycles, &calls, &error), "there are no cycles after the last event");
    EXPECT(PT_INVALID_ARGUMENT, pt_signals(NULL, NULL, 0, &count, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_signals(account, NULL, 1, NULL, &error), "a capacity without a place is refused");
    EXPECT(PT_OK, pt_signals(account, NULL, 0, NULL, &error), "the count may be NULL");
    EXPECT(PT_INVALID_ARGUMENT, pt_next_cycle(NULL, PT_TRADING, MONDAY, &next, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_next_cycle(account, PT_TRADING, MONDAY, NULL, &error), "nowhere to put the moment is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_next_cycle(account, 0, MONDAY, &next, &error), "a kind of cycle below the first is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_next_cycle(account, 3, MONDAY, &next, &error), "a kind of cycle above the last is refused");
    EXPECT(PT_INVALID_TIME, pt_next_cycle(account, PT_TRADING, -1, &next, &error), "a time before 1970 is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_market_is_open(NULL, MONDAY, &is_open, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_market_is_open(account, MONDAY, NULL, &error), "nowhere to put the answer is refused");
    EXPECT(PT_INVALID_TIME, pt_market_is_open(account, INT64_MAX, &is_open, &error), "a time after 9999 is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_market_next_open(NULL, MONDAY, &next, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_market_next_open(account, MONDAY, NULL, &error), "nowhere to put the moment is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_market_next_close(NULL, MONDAY, &next, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_market_next_close(account, MONDAY, NULL, &error), "nowhere to put the moment is refused");
    EXPECT(PT_NOT_FOUND, pt_market_next_open(account, 253402300799999999, &next, &error), "nothing opens after the year 9999");
    EXPECT(PT_NOT_FOUND, pt_market_next_close(account, 253402300799999999, &next, &error), "nothing closes after the year 9999");
    EXPECT(PT_NOT_FOUND, pt_next_cycle(account, PT_MONITORING, 253402300799999999, &next, &error), "nothing is due after the year 9999");
    CHECK(next == 99 && is_open == 99 && count == 99 && calls == 0, "what is refused writes nothing");
    CHECK(summary(account).seq == before, "and changes nothing");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
    EXPECT(PT_CLOSED, pt_market_is_open(account, MONDAY, &is_open, &error), "a closed account is closed");
    cycles_refuse(PT_CLOSED, account, never, NULL, "a closed account is closed");
}

static void market(pt_account *account) {
    int64_t next = 0;
    int32_t is_open = 99;
    EXPECT(PT_OK, pt_market_is_open(account, MONDAY, &is_open, &error), "the market is asked about");
    CHECK(is_open == 1, "it is open on a Monday");
    EXPECT(PT_OK, pt_market_is_open(account, MONDAY - 1440 * MINUTE, &is_open, &error), "the market is asked about");
    CHECK(is_open == 0, "it is closed on a Sunday");
    EXPECT(PT_OK, pt_market_is_open(account, PT_TIME_NOW, &is_open, &error), "the market is asked about");
    CHECK(is_open == 0 || is_open == 1, "it is open now, or closed");
    EXPECT(PT_OK, pt_market_next_close(account, MONDAY, &next, &error), "the next close is asked for");
    CHECK(next == MONDAY + 360 * MINUTE, "it is six hours after ten");
    EXPECT(PT_OK, pt_market_next_open(account, MONDAY, &next, &error), "the next opening is asked for");
    CHECK(next == MONDAY + 1410 * MINUTE, "it is tomorrow at half past nine");
    EXPECT(PT_OK, pt_next_cycle(account, PT_MONITORING, MONDAY, &next, &error), "the next monitoring is asked for");
    CHECK(next == MONDAY, "it is due now");
    EXPECT(PT_OK, pt_next_cycle(account, PT_TRADING, MONDAY, &next, &error), "the next trading is asked for");
    CHECK(next == MONDAY + 360 * MINUTE, "it is due at the close");
}

static void cycles(void) {
    const char *path = in(directory, "cycles");
    pt_account *account = open_account(path);
    pt_cycle_options options = PT_CYCLE_OPTIONS_INIT;
    pt_cycle cycle;
    pt_known_signal known[2];
    size_t count = 99;
    int calls = 0;
    uint64_t last;

    market(account);
    write_file(in(path, "config.json"), "{\"watchlist\": [\"NONE\", \"FAIL\", \"MSFT\", \"AAPL\"]}");
    options.time = MONDAY;
    opinion.signal = PT_SIGNAL_BUY;
    opinion.score = 85;
    opinion.price = 100;
    opinion.confidence = PT_CONFIDENCE_HIGH;
    strcpy(opinion.sector, "Software");
    EXPECT(PT_OK, pt_monitoring_cycle(account, give_opinion, &opinion, &options, &cycle, &error), "a monitoring cycle is run");
    CHECK(cycle.kind == PT_MONITORING && cycle.outcome == PT_CYCLE_DONE && cycle.time == MONDAY && cycle.at > MONDAY, "it is done");
    CHECK(cycle.analysed == 2 && cycle.unanalysed == 2 && cycle.changes == 2 && cycle.queued == 2, "it has looked at everything");
    CHECK(cycle.bought == 0 && cycle.sold == 0 && cycle.rejected == 0 && cycle.deferred == 0 && cycle.value == 10000, "and traded nothing");
    CHECK(cycle.reason[0] == '\0' && strcmp(cycle.problem, "FAIL: the analyst failed: no feed") == 0, "what went wrong is said");
    CHECK(cycle.seq == summary(account).seq && cycle.first_seq == cycle.seq - 5, "rules, two signals, two entries and the record");

    EXPECT(PT_OK, pt_signals(account, NULL, 0, &count, &error), "the signals are counted");
    CHECK(count == 2, "there are two");
    EXPECT(PT_BUFFER_TOO_SMALL, pt_signals(account, known, 1, &count, &error), "too little room is refused");
    EXPECT(PT_OK, pt_signals(account, known, 2, &count, &error), "the signals are listed");
    CHECK(strcmp(known[0].symbol, "AAPL") == 0 && strcmp(known[1].symbol, "MSFT") == 0, "by symbol");
    CHECK(known[0].signal == PT_SIGNAL_BUY && known[0].score == 85 && known[0].price == 100 && known[0].known_since == MONDAY, "with their figures");
    CHECK(known[0].confidence == PT_CONFIDENCE_HIGH && strcmp(known[0].sector, "Software") == 0, "and their texts");

    EXPECT(PT_OK, pt_trading_cycle(account, never, NULL, &options, &cycle, &error), "a trading cycle is run before it is due");
    CHECK(cycle.outcome == PT_CYCLE_SKIPPED && cycle.first_seq == cycle.seq && is_sentence(cycle.reason, sizeof cycle.reason), "it says why it was skipped");
    CHECK(isnan(cycle.value), "and does not know the account's value");
    options.flags = PT_CYCLE_IGNORE_SCHEDULE;
    EXPECT(PT_OK, pt_trading_cycle(account, give_opinion, &opinion, &options, &cycle, &error), "a trading cycle is run all the same");
    CHECK(cycle.kind == PT_TRADING && cycle.outcome == PT_CYCLE_DONE && cycle.bought == 2 && cycle.value == 10000, "it buys from the queue");
    CHECK(summary(account).position_count == 2 && summary(account).queued_count == 0, "which is empty now");

    opinion.signal = PT_SIGNAL_SELL;
    EXPECT(PT_OK, pt_monitoring_cycle(account, give_opinion, &opinion, &options, NULL, &error), "the report may be NULL");
    CHECK(summary(account).position_count == 0, "what fell critically is sold at once");
    last = summary(account).seq;
    write_file(in(path, "config.json"), "{\"watchlist\": [\"STOP\"]}");
    EXPECT(PT_STOPPED, pt_monitoring_cycle(account, give_opinion, &opinion, &options, &cycle, &error), "the analyst ends the cycle");
    CHECK(summary(account).seq == last, "nothing has changed, and there is no record");
    write_file(in(path, "config.json"), "{");
    EXPECT(PT_INVALID_CONFIG, pt_monitoring_cycle(account, never, NULL, &options, &cycle, &error), "an invalid config.json is refused");
    CHECK(summary(account).seq == last + 1, "that failure is recorded");

    EXPECT(PT_OK, pt_cycles(account, 1, count_cycles, &calls, &error), "the cycles are listed");
    CHECK(calls == 5, "there were five");
    EXPECT(PT_OK, pt_cycles(account, last + 1, count_cycles, &calls, &error), "the last cycles are listed");
    CHECK(calls == 6, "there was one");
    EXPECT(PT_STOPPED, pt_cycles(account, 1, stop_cycles, &calls, &error), "a callback stops the list");
    CHECK(calls == 7, "at once");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
    EXPECT(PT_OK, pt_verify(path, NULL, &error), "the account is proved");
}

static void locks(void) {
    const char *path = in(directory, "jobs.lock");
    pt_account *account = open_account(in(directory, "locks")), *other = open_account(in(directory, "locks"));
    pt_lock *lock = NULL, *second = NULL;
    int32_t held = 99;

    EXPECT(PT_INVALID_ARGUMENT, pt_account_lock(NULL, 0, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_account_lock(account, -3, &error), "a negative timeout is refused");
    EXPECT_PLAIN(PT_INVALID_ARGUMENT, pt_account_unlock(NULL), "an account that is NULL is refused");
    EXPECT_PLAIN(PT_MISUSE, pt_account_unlock(account), "what is not locked is not unlocked");
    EXPECT(PT_OK, pt_account_lock(account, PT_WAIT_FOREVER, &error), "an account is locked");
    EXPECT(PT_OK, pt_account_lock(account, 0, &error), "the lock is counted");
    EXPECT(PT_OK, pt_deposit(account, 1, NULL, &error), "the holder makes changes");
    EXPECT(PT_WOULD_DEADLOCK, pt_deposit(other, 1, NULL, &error), "through another handle the same thread would wait for itself");
    EXPECT_PLAIN(PT_OK, pt_account_unlock(account), "the lock is released once");
    EXPECT(PT_WOULD_DEADLOCK, pt_deposit(other, 1, NULL, &error), "it is still held");
    EXPECT_PLAIN(PT_OK, pt_account_unlock(account), "the lock is released twice");
    EXPECT(PT_OK, pt_deposit(other, 1, NULL, &error), "others are let in");
    EXPECT(PT_OK, pt_account_lock(account, 0, &error), "an account is locked");
    EXPECT_PLAIN(PT_OK, pt_close(account), "a locked account closes");
    EXPECT(PT_OK, pt_deposit(other, 1, NULL, &error), "that released the lock");
    EXPECT_PLAIN(PT_OK, pt_close(other), "an account closes");

    EXPECT(PT_INVALID_ARGUMENT, pt_lock_open(NULL, &lock, &error), "a path that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_open("", &lock, &error), "an empty path is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_open(path, NULL, &error), "nowhere to put the handle is refused");
    EXPECT(PT_IO, pt_lock_open(in(directory, "none/lock"), &lock, &error), "a lock in no directory is refused");
    CHECK(lock == NULL, "*lock is NULL after a failure");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_is_held(NULL, &held, &error), "a path that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_is_held(path, NULL, &error), "nowhere to put the answer is refused");
    EXPECT(PT_OK, pt_lock_is_held(path, &held, &error), "a file that does not exist is asked about");
    CHECK(held == 0, "it is not held");

    write_file(in(directory, "data.csv"), "date,price\n");
    EXPECT(PT_OK, pt_lock_open(in(directory, "data.csv"), &lock, &error), "a lock opens on whatever file");
    EXPECT(PT_UNSAFE_FILE, pt_lock_acquire(lock, 0, &error), "it is not taken on one that is no lock file");
    CHECK(strstr(error.message, "data.csv") != NULL, "the message names the file");
    CHECK(file_is(in(directory, "data.csv"), "date,price\n"), "which is unchanged");
    EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "it closes");
    EXPECT(PT_OK, pt_lock_open(path, &lock, &error), "a lock opens");
    EXPECT(PT_OK, pt_lock_open(path, &second, &error), "a second one on the file opens");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_acquire(NULL, 0, &error), "a lock that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_acquire(lock, -3, &error), "a negative timeout is refused");
    EXPECT_PLAIN(PT_MISUSE, pt_lock_release(lock), "what is not held is not released");
    EXPECT_PLAIN(PT_INVALID_ARGUMENT, pt_lock_release(NULL), "a lock that is NULL is refused");
    EXPECT(PT_OK, pt_lock_acquire(lock, 0, &error), "a lock is taken");
    EXPECT(PT_WOULD_DEADLOCK, pt_lock_acquire(lock, PT_WAIT_FOREVER, &error), "the thread that holds it would wait for itself");
    EXPECT(PT_OK, pt_lock_is_held(path, &held, &error), "a held lock is asked about");
    CHECK(held == 1, "it is held");
    EXPECT(PT_WOULD_DEADLOCK, pt_lock_acquire(second, 20, &error), "also through another handle");
    EXPECT(PT_WOULD_DEADLOCK, pt_lock_acquire_retrying(second, 5, 3, 5, &error), "however often it would try");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_acquire_retrying(second, 5, 0, 5, &error), "no attempts are refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_acquire_retrying(second, 5, 1, -1, &error), "a negative delay is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_lock_acquire_retrying(NULL, 5, 1, 1, &error), "a lock that is NULL is refused");
    EXPECT_PLAIN(PT_OK, pt_lock_release(lock), "a lock is released");
    EXPECT(PT_OK, pt_lock_acquire_retrying(second, 0, 3, 5, &error), "the second handle takes it");
    EXPECT_PLAIN(PT_OK, pt_lock_close(second), "a lock closes while it is held");
    EXPECT(PT_OK, pt_lock_is_held(path, &held, &error), "it is asked about");
    CHECK(held == 0, "closing released it");
    EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "a lock closes");
    EXPECT_PLAIN(PT_CLOSED, pt_lock_close(lock), "a second close says so");
    EXPECT(PT_CLOSED, pt_lock_acquire(lock, 0, &error), "a closed lock is closed");
    EXPECT_PLAIN(PT_OK, pt_lock_close(NULL), "closing NULL is harmless");

    account = open_account(in(directory, "locks"));
    EXPECT(PT_OK, pt_lock_open(in(directory, "locks/.lock"), &lock, &error), "a lock opens on an account's .lock");
    EXPECT(PT_OK, pt_lock_acquire(lock, 0, &error), "and is taken");
    EXPECT(PT_WOULD_DEADLOCK, pt_deposit(account, 1, NULL, &error), "then the account would wait for its own process");
    EXPECT(PT_CLOSED, pt_deposit((pt_account *)lock, 1, NULL, &error), "a lock is no account");
    EXPECT(PT_CLOSED, pt_lock_acquire((pt_lock *)account, 1, &error), "an account is no lock");
    EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "the lock closes");
    EXPECT(PT_OK, pt_deposit(account, 1, NULL, &error), "the account goes on");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
}

/* Changes the first byte of the first occurrence of `text` in a file. */
static void damage(const char *path, const char *text) {
    static char contents[1 << 20];
    FILE *file = fopen(path, "r+");
    const char *found = NULL;
    if (file != NULL && fread(contents, 1, sizeof contents - 1, file) > 0) found = strstr(contents, text);
    if (found == NULL || fseek(file, (long)(found - contents), SEEK_SET) != 0 || fputc('X', file) == EOF || fclose(file) != 0) {
        printf("%s cannot be damaged\n", path);
        exit(2);
    }
}

static void maintenance(void) {
    const char *path = in(directory, "maintenance"), *copy = in(directory, "copy"), *imported = in(directory, "imported");
    pt_account *account = open_account(path);
    pt_request request = PT_REQUEST_INIT;
    pt_verify_report verified;
    pt_recover_report recovered;
    pt_import_report import;
    pt_options options = PT_OPTIONS_INIT;

    EXPECT(PT_OK, pt_buy(account, "A", 10, 10, NULL, &error), "shares are bought");
    request.request_id = "anew";
    EXPECT(PT_INVALID_AMOUNT, pt_reset(account, -1, NULL, &error), "a reset to less than nothing is refused");
    EXPECT(PT_INVALID_AMOUNT, pt_reset(account, INFINITY, NULL, &error), "a reset to infinite cash is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_reset(NULL, 1, NULL, &error), "an account that is NULL is refused");
    EXPECT(PT_OK, pt_reset(account, 500, &request, &error), "an account starts over");
    EXPECT(PT_OK, pt_reset(account, 500, &request, &error), "a reset may be repeated");
    CHECK(summary(account).cash == 500 && summary(account).position_count == 0 && summary(account).generation == 2, "once");
    EXPECT(PT_OK, pt_buy(account, "A", 10, 10, NULL, &error), "shares are bought");

    EXPECT(PT_OK, pt_verify(path, &verified, &error), "the account is proved");
    CHECK(verified.problems == 0 && verified.generations == 2 && verified.first_seq == 1 && verified.last_seq == summary(account).seq, "all of it");
    CHECK(verified.cash == 400 && verified.total_cost == 100 && verified.net_deposits == 500 && verified.first_problem[0] == '\0', "it adds up");
    EXPECT(PT_OK, pt_verify(path, NULL, &error), "the report may be NULL");
    EXPECT(PT_INVALID_ARGUMENT, pt_verify(NULL, &verified, &error), "a path that is NULL is refused");
    EXPECT(PT_NO_ACCOUNT, pt_verify(in(directory, "none"), &verified, &error), "there is nothing to prove");

    EXPECT(PT_INVALID_ARGUMENT, pt_backup(NULL, copy, &error), "an account that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_backup(account, NULL, &error), "a destination that is NULL is refused");
    EXPECT(PT_OK, pt_backup(account, copy, &error), "the account is copied");
    EXPECT(PT_EXISTS, pt_backup(account, copy, &error), "a copy is not overwritten");
    EXPECT(PT_OK, pt_verify(copy, &verified, &error), "the copy is an account");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");

    EXPECT(PT_INVALID_ARGUMENT, pt_recover(NULL, NULL, &recovered, &error), "a path that is NULL is refused");
    EXPECT(PT_NO_ACCOUNT, pt_recover(in(directory, "none"), NULL, &recovered, &error), "there is nothing to recover");
    EXPECT(PT_OK, pt_recover(path, NULL, &recovered, &error), "a whole account is recovered");
    CHECK(recovered.seq == 0, "nothing was changed");
    damage(in(copy, "journal.jsonl"), "\"buy\"");
    EXPECT(PT_CORRUPT, pt_verify(copy, &verified, &error), "the damage is found");
    CHECK(verified.problems > 0 && is_sentence(verified.first_problem, sizeof verified.first_problem), "and reported");
    EXPECT(PT_CORRUPT, pt_open(copy, NULL, &account, &error), "a damaged account is not opened");
    CHECK(error.offset >= 0 && strstr(error.message, "journal.jsonl"), "the error names file and offset");
    EXPECT(PT_OK, pt_recover(copy, &options, &recovered, &error), "a damaged account is recovered");
    CHECK(recovered.seq > 0 && recovered.generation == 3 && recovered.kept_as[0] != '\0', "in a new generation");
    EXPECT(PT_OK, pt_open(copy, NULL, &account, &error), "it opens again");
    EXPECT_PLAIN(PT_OK, pt_close(account), "an account closes");
    EXPECT(PT_OK, pt_recover(copy, NULL, NULL, &error), "options and report may be NULL");

    write_file(in(directory, "paper_portfolio.json"),
               "{\"cash\": 99.99999999999999, \"positions\": {\"AAPL\": {\"shares\": 3, \"cost_basis\": 150.5, \"first_purchase_date\": "
               "\"2024-01-02T15:04:05\"}}, \"created_at\": \"2024-01-01T00:00:00\", \"updated_at\": \"2024-01-02T15:04:05+00:00Z\"}");
    EXPECT(PT_INVALID_ARGUMENT, pt_import(NULL, "x", NULL, &import, &error), "a path that is NULL is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_import(imported, NULL, NULL, &import, &error), "a portfolio that is NULL is refused");
    EXPECT(PT_INVALID_IMPORT, pt_import(imported, in(directory, "file"), NULL, &import, &error), "a portfolio that is no JSON is refused");
    EXPECT(PT_EXISTS, pt_import(path, in(directory, "paper_portfolio.json"), NULL, &import, &error), "an account is not overwritten");
    EXPECT(PT_OK, pt_import(imported, in(directory, "paper_portfolio.json"), NULL, &import, &error), "an old portfolio is imported");
    CHECK(import.cash == 100 && import.positions == 1 && import.rounded >= 1 && import.first_rounded[0] != '\0', "exactly, and it says what it rounded");
    EXPECT(PT_OK, pt_verify(imported, NULL, &error), "the imported account is proved");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: every_function DIRECTORY\n");
        return 2;
    }
    directory = argv[1];
    memset(long_text, 'x', sizeof long_text - 1);
    library();
    opening();
    reloading();
    trading();
    submitting();
    cash_and_corporate_actions();
    batches();
    state();
    queue();
    cycle_arguments();
    cycles();
    locks();
    maintenance();
    return finish();
}

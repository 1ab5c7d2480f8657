/* arguments PATH: symbols, amounts, texts and times that are refused, each with its status and its sentence. The account holds 10 ABC. */
#include "host.h"
#include <float.h>

static pt_account *account;
static pt_account_summary before;
static int count;

static void refused(pt_status expected, const char *sentence, pt_status got, const pt_error *error, int line) {
    pt_error other;
    pt_account_summary after;
    REQUIRE(got == expected && error->status == got, "line %d: %s: %s", line, pt_status_name(got), error->message);
    REQUIRE(strstr(error->message, sentence), "line %d: the message is: %s", line, error->message);
    REQUIRE(!strpbrk(error->message, "\n\r\033"), "line %d: the message is not one line", line);
    REQUIRE(pt_summary(account, &after, &other) == PT_OK && memcmp(&before, &after, sizeof after) == 0, "line %d: changed", line);
    count++;
}

#define REFUSED(expected, sentence, call) refused(expected, sentence, call, &error, __LINE__)

int main(int argc, char **argv) {
    REQUIRE(argc == 2, "usage");
    pt_error error;
    pt_fill fill;
    account = opened(argv[1]);
    EXPECT(PT_OK, pt_summary(account, &before, &error));

    static const struct { const char *symbol, *shown; } symbols[] = {
        {"", "\"\""}, {"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"}, {"A B", "A B"}, {"A\nB", "A\\nB"},
        {"\033[2J", "\\u{1b}"}, {"../../etc", "../../etc"}, {"A,B", "A,B"}, {"A\"B", "A\\\"B"}, {"\xc3\x84", "\xc3\x84"}, {"A\xff", "A"},
        {"=1+1", ""}, {"A;B", "A;B"}, {" ABC", " ABC"},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        const char *symbol = symbols[i].symbol;
        /* These two are made of allowed characters. */
        if (!strcmp(symbol, "../../etc") || !strcmp(symbol, "=1+1")) continue;
        REFUSED(PT_INVALID_SYMBOL, symbols[i].shown, pt_buy(account, symbol, 1, 1, &fill, &error));
        REFUSED(PT_INVALID_SYMBOL, "1 to 32 characters", pt_sell(account, symbol, 1, 1, &fill, &error));
        REFUSED(PT_INVALID_SYMBOL, "1 to 32 characters", pt_enqueue(account, symbol, 50, PT_SIGNAL_BUY, NAN, NULL, &error));
        REFUSED(PT_INVALID_SYMBOL, "1 to 32 characters", pt_split(account, symbol, 2, 1, NAN, NULL, &error));
        REFUSED(PT_INVALID_SYMBOL, "1 to 32 characters", pt_dividend(account, symbol, 1, NULL, &error));
        REFUSED(PT_INVALID_SYMBOL, "1 to 32 characters", pt_write_off(account, symbol, NULL, &error));
        pt_position_info position;
        REFUSED(PT_INVALID_SYMBOL, "1 to 32 characters", pt_position(account, symbol, &position, &error));
    }

    static const double invalid[] = {0, -0.0, -1, -1e-6, NAN, -INFINITY, INFINITY, 1e9, 1e15, 1e300, DBL_MAX, 1000000000.000001};
    static const double precise[] = {0.0000078, 1e-7, 1e-300, DBL_MIN, DBL_TRUE_MIN, 0.0000011};
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        double value = invalid[i];
        REFUSED(PT_INVALID_SHARES, "shares ", pt_buy(account, "ABC", value, 1, &fill, &error));
        if (value != INFINITY) REFUSED(PT_INVALID_SHARES, "shares ", pt_sell(account, "ABC", value, 1, &fill, &error));
        REFUSED(PT_INVALID_PRICE, "price ", pt_buy(account, "ABC", 1, value, &fill, &error));
        REFUSED(PT_INVALID_PRICE, "price ", pt_sell(account, "ABC", 1, value, &fill, &error));
        REFUSED(PT_INVALID_PRICE, "price ", pt_dividend(account, "ABC", value, NULL, &error));
        if (!isnan(value)) REFUSED(PT_INVALID_PRICE, "price ", pt_enqueue(account, "ABC", 50, PT_SIGNAL_BUY, value, NULL, &error));
        REFUSED(PT_INVALID_AMOUNT, "amount ", pt_deposit(account, value, NULL, &error));
        REFUSED(PT_INVALID_AMOUNT, "amount ", pt_withdraw(account, value, NULL, &error));
        REFUSED(PT_INVALID_RATIO, "split ", pt_split(account, "ABC", value, 1, NAN, NULL, &error));
        REFUSED(PT_INVALID_RATIO, "split ", pt_split(account, "ABC", 1, value, NAN, NULL, &error));
        if (value > 100 || value < 0 || isnan(value))
            REFUSED(PT_INVALID_SCORE, "score ", pt_enqueue(account, "ABC", value, PT_SIGNAL_BUY, NAN, NULL, &error));
        if (value < 0 || value > 1)
            REFUSED(PT_INVALID_AMOUNT, (value < 0 && value >= -PT_AMOUNT_MAX ? "initial cash " : "amount "),
                    pt_reset(account, value, NULL, &error));
    }
    for (size_t i = 0; i < sizeof precise / sizeof *precise; i++) {
        double value = precise[i];
        REFUSED(PT_TOO_PRECISE, "six decimals", pt_buy(account, "ABC", value, 1, &fill, &error));
        REFUSED(PT_TOO_PRECISE, "six decimals", pt_sell(account, "ABC", value, 1, &fill, &error));
        REFUSED(PT_TOO_PRECISE, "six decimals", pt_buy(account, "ABC", 1, value, &fill, &error));
        REFUSED(PT_TOO_PRECISE, "six decimals", pt_deposit(account, value, NULL, &error));
        REFUSED(PT_TOO_PRECISE, "six decimals", pt_dividend(account, "ABC", value, NULL, &error));
    }
    REFUSED(PT_INVALID_RATIO, "split 2", pt_split(account, "ABC", 2, 2, NAN, NULL, &error));

    /* Totals. */
    REFUSED(PT_TOTAL_IS_ZERO, "rounds to zero", pt_buy(account, "ABC", 0.000001, 0.4, &fill, &error));
    REFUSED(PT_TOTAL_IS_ZERO, "rounds to zero", pt_buy(account, "ABC", 0.5, 0.000001, &fill, &error)); /* half to even is zero */
    REFUSED(PT_TOTAL_IS_ZERO, "rounds to zero", pt_sell(account, "ABC", 0.000001, 0.4, &fill, &error));
    REFUSED(PT_OUT_OF_RANGE, "999999999.999999", pt_buy(account, "ABC", 999999999.999999, 999999999.999999, &fill, &error));
    REFUSED(PT_OUT_OF_RANGE, "999999999.999999", pt_buy(account, "ABC", 2, 500000000, &fill, &error));
    REFUSED(PT_OUT_OF_RANGE, "999999999.999999", pt_sell(account, "ABC", 10, 999999999.999999, &fill, &error));
    REFUSED(PT_OUT_OF_RANGE, "999999999.999999", pt_sell(account, "ABC", 10, 99999999.999999, &fill, &error)); /* the cash */
    REFUSED(PT_OUT_OF_RANGE, "999999999.999999", pt_deposit(account, 999999999.999999, NULL, &error));
    REFUSED(PT_OUT_OF_RANGE, "999999999.999999", pt_dividend(account, "ABC", 999999999, NULL, &error));
    REFUSED(PT_OUT_OF_RANGE, "999999999.999999", pt_split(account, "ABC", 999999999, 1, NAN, NULL, &error));
    REFUSED(PT_NEEDS_PRICE, "cash-in-lieu", pt_split(account, "ABC", 0.000001, 999999999, NAN, NULL, &error));
    REFUSED(PT_INSUFFICIENT_FUNDS, "needed", pt_withdraw(account, 999999999.999999, NULL, &error));

    /* Signals, texts, ids, times, orders. */
    static const int32_t signals[] = {0, 7, -1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        REFUSED(PT_INVALID_SIGNAL, "STRONG BUY", pt_enqueue(account, "NEW", 50, signals[i], NAN, NULL, &error));
    char text[300];
    memset(text, 'x', sizeof text);
    text[257] = 0;
    pt_request request = PT_REQUEST_INIT;
    REFUSED(PT_INVALID_TEXT, "257 bytes", pt_enqueue(account, "NEW", 50, PT_SIGNAL_BUY, NAN, text, &error));
    request.note = text;
    REFUSED(PT_INVALID_TEXT, "257 bytes", pt_deposit(account, 1, &request, &error));
    request.note = "\xc3\x28";
    REFUSED(PT_INVALID_TEXT, "UTF-8", pt_deposit(account, 1, &request, &error));
    request.note = NULL;
    text[65] = 0;
    const char *ids[] = {"", text, "a\nb", "a\x7f"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        request.request_id = ids[i];
        REFUSED(PT_INVALID_REQUEST_ID, "1 to 64 bytes", pt_deposit(account, 1, &request, &error));
    }
    request.request_id = NULL;
    static const int64_t times[] = {-1, INT64_MAX, INT64_MIN + 1, 253402300800000000};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        request.time = times[i];
        REFUSED(PT_INVALID_TIME, "1970", pt_deposit(account, 1, &request, &error));
    }
    request.time = PT_TIME_NOW;
    request.expected_seq = before.seq + 1;
    REFUSED(PT_SEQ_MISMATCH, "expected", pt_deposit(account, 1, &request, &error));
    pt_order order = PT_ORDER_INIT;
    order.symbol = "ABC", order.shares = PT_ALL_SHARES, order.price = 1, order.side = PT_BUY;
    REFUSED(PT_INVALID_SHARES, "shares ", pt_submit(account, &order, &fill, &error));
    for (int32_t side = 0; side < 4; side += 3) {
        order.side = side;
        REFUSED(PT_INVALID_ARGUMENT, "side", pt_submit(account, &order, &fill, &error));
    }
    REQUIRE(pt_close(account) == PT_OK, "closing");
    printf("%d\n", count);
    return 0;
}

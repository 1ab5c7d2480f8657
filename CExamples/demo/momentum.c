/*
 * momentum.c: the demo's C program. It follows trends: it buys a stock when the average of its last 20 closes rises above that
 * of the last 50, and sells it when that is over.
 *
 *     cc momentum.c -lpapertrade -o momentum
 *     ./momentum ACCOUNT SYMBOL...
 *
 * The market comes in on standard input, one line each:
 *     price SYMBOL PRICE        what SYMBOL costs now
 *     split SYMBOL NUMBER       every share has become so many
 *     past DATE TIME            the prices are that day's closes: remember them
 *     open DATE TIME            the market opens at these prices: trade, then say "done" (TIME: seconds since 1970)
 *     close DATE TIME           the market closes at these prices: remember them, trade, then say "done"
 * What it did goes out, one line each. It keeps no file of its own: what it holds is in the account, and the past is told to it. So
 * it can be killed at any moment, and repeat the day: every order has a request_id.
 */
#include <papertrade.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAST = 20, SLOW = 50, KEPT = SLOW + 1, MAX_STOCKS = 64 };

#define FIRST_ORDER 6000.0 /* dollars, on the first day */
#define ORDER 1500.0       /* dollars, afterwards */

typedef struct stock {
    const char *symbol;
    double price;        /* now; 0: none today */
    double closes[KEPT]; /* the last ones, oldest first */
    int count;
} stock;

static stock stocks[MAX_STOCKS];
static int stock_count;
static pt_account *account;

static void give_up(const pt_error *error) {
    fprintf(stderr, "momentum: %s\n", error->message);
    exit(1);
}

static stock *find(const char *symbol) {
    int i;
    for (i = 0; i < stock_count; i++) {
        if (strcmp(stocks[i].symbol, symbol) == 0) return &stocks[i];
    }
    return NULL; /* somebody else's */
}

static void remember(stock *stock) {
    if (stock->price == 0) return;
    if (stock->count == KEPT) memmove(stock->closes, stock->closes + 1, --stock->count * sizeof stock->closes[0]);
    stock->closes[stock->count++] = stock->price;
}

static double average(const stock *stock, int days, int days_ago) {
    double sum = 0;
    int i, end = stock->count - days_ago;
    for (i = end - days; i < end; i++) sum += stock->closes[i];
    return sum / days;
}

static int is_rising(const stock *stock, int days_ago) { return average(stock, FAST, days_ago) > average(stock, SLOW, days_ago); }

static int holds(const stock *stock) {
    pt_position_info position;
    pt_error error;
    pt_status status = pt_position(account, stock->symbol, &position, &error);
    if (status != PT_OK && status != PT_NO_POSITION) give_up(&error);
    return status == PT_OK;
}

/* What an order is for: there is one a day and stock. An order with an id that was used before changes nothing. */
static const char *request_id(const stock *stock, const char *date) {
    static char id[PT_REQUEST_ID_MAX + 1];
    snprintf(id, sizeof id, "momentum %s %s", date, stock->symbol);
    return id;
}

/* Whether the day's order was made before this program was killed. */
static int is_done(const stock *stock, const char *date) {
    pt_error error;
    pt_fill fill;
    pt_status status = pt_find_request(account, request_id(stock, date), &fill, &error);
    if (status == PT_NOT_FOUND) return 0;
    if (status != PT_OK) give_up(&error);
    printf("nothing changed: the %s of %.2f %s was done before (event %llu)\n", fill.side == PT_BUY ? "purchase" : "sale", fill.shares,
           fill.symbol, (unsigned long long)fill.seq);
    return 1;
}

static void submit(const stock *stock, int side, double shares, const char *date, int64_t time) {
    pt_request request = PT_REQUEST_INIT;
    pt_order order = PT_ORDER_INIT;
    pt_error error;
    pt_fill fill;

    request.request_id = request_id(stock, date);
    request.time = time;
    order.side = side;
    order.symbol = stock->symbol;
    order.shares = shares;
    order.price = stock->price;
    order.request = &request;

    switch (pt_submit(account, &order, &fill, &error)) {
    case PT_OK:
        printf("%s %.2f %s at %.2f for %.2f, %.2f in cash is left (event %llu)\n", side == PT_BUY ? "bought" : "sold", fill.shares,
               fill.symbol, fill.price, fill.total, fill.cash_after, (unsigned long long)fill.seq);
        break;
    case PT_INSUFFICIENT_FUNDS: /* the others were faster: rules of the account, no failures */
    case PT_NO_POSITION:
        printf("refused %s: %s\n", stock->symbol, error.message);
        break;
    default: give_up(&error);
    }
}

/* As many hundredths of a share as the money buys. */
static double shares_for(double dollars, double price) { return (double)(int64_t)(dollars / price * 100) / 100; }

static void trade_at_close(const char *date, int64_t time) {
    int i;
    for (i = 0; i < stock_count; i++) {
        stock *stock = &stocks[i];
        if (stock->price == 0 || stock->count < KEPT || is_done(stock, date)) continue;
        if (is_rising(stock, 0)) {
            /* Only when it begins: what somebody else has sold since then is not bought again. */
            double shares = shares_for(ORDER, stock->price);
            if (!is_rising(stock, 1) && shares > 0 && !holds(stock)) submit(stock, PT_BUY, shares, date, time);
        } else if (holds(stock)) {
            submit(stock, PT_SELL, PT_ALL_SHARES, date, time);
        }
    }
}

int main(int argc, char **argv) {
    pt_error error;
    char line[256], word[8], name[64]; /* a symbol or a date */
    int i, is_first_day = 1;

    for (i = 2; i < argc && stock_count < MAX_STOCKS; i++) stocks[stock_count++].symbol = argv[i];
    if (stock_count == 0) {
        fprintf(stderr, "usage: momentum ACCOUNT SYMBOL...\n");
        return 2;
    }
    if (pt_open(argv[1], NULL, &account, &error) != PT_OK) give_up(&error);
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line at once, also through a pipe */

    while (fgets(line, sizeof line, stdin) != NULL) {
        double number;
        stock *stock;
        if (sscanf(line, "%7s %63s %lf", word, name, &number) != 3) continue;
        stock = find(name);
        if (strcmp(word, "price") == 0) {
            if (stock != NULL) stock->price = number;
            continue;
        }
        if (strcmp(word, "split") == 0) {
            /* Seven shares for one cost a seventh each: no fall, and none in the averages. */
            for (i = 0; stock != NULL && i < stock->count; i++) stock->closes[i] /= number;
            continue;
        }
        /* past, open or close: `name` is the date. */
        if (strcmp(word, "open") == 0) {
            if (is_first_day && stocks[0].price > 0) {
                submit(&stocks[0], PT_BUY, shares_for(FIRST_ORDER, stocks[0].price), name, (int64_t)number * 1000000);
            }
        } else {
            for (i = 0; i < stock_count; i++) remember(&stocks[i]);
            is_first_day = 0;
            if (strcmp(word, "close") == 0) trade_at_close(name, (int64_t)number * 1000000);
        }
        for (i = 0; i < stock_count; i++) stocks[i].price = 0; /* the next prices come before the next command */
        if (strcmp(word, "past") != 0) puts("done");
    }
    return pt_close(account) == PT_OK ? 0 : 1;
}

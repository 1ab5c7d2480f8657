/*
 * round_trip.c: amounts over the whole range go into the account and come out as the same double, bit for bit: through fills, positions,
 * the queue and the history, and again from the files (jansson's numbers) through a new handle.
 *
 *     round_trip DIRECTORY [SEED]        (an empty directory)
 *
 * Every amount is k / 1e6 for a whole k from 1 to 10^15 - 1. The arithmetic that is expected is done on the k, in integers.
 */
#include "check.h"

#include <inttypes.h>
#include <time.h>

enum { ROUNDS = 3000, BATCH = 250 };

static uint64_t random_state;

/* splitmix64, by Sebastiano Vigna, in the public domain. */
static uint64_t random_bits(void) {
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* 1 to 10^15 - 1: every order of magnitude as often as every other, and often the very ends. */
static int64_t random_micros(void) {
    static const int64_t special[] = {1, 2, 3, 999999, 1000000, 1000001, 999999999999998, 999999999999999, 100000000000000, 7600000};
    if (random_bits() % 16 == 0) return special[random_bits() % (sizeof special / sizeof special[0])];
    return 1 + (int64_t)((random_bits() >> (random_bits() % 50)) % 999999999999999);
}

static double amount(int64_t micros) { return (double)micros / 1e6; }

/* Whether the double is the one that stands for so many millionths; -0 and 0 differ, too. */
static int is(double value, int64_t micros) {
    double expected = amount(micros);
    return memcmp(&value, &expected, sizeof value) == 0;
}

static pt_account *account;
static int64_t expected_price[ROUNDS], expected_shares[ROUNDS];

static void fail(const char *what, int64_t micros) {
    char sentence[200];
    snprintf(sentence, sizeof sentence, "%s of %" PRId64 " millionths comes out as it went in", what, micros);
    CHECK(0, sentence);
}

/* One buy at a random price and one of random shares, with the cash for both. */
static void trade(int round) {
    pt_account_summary summary;
    pt_fill fill;
    int64_t price = expected_price[round] = random_micros(), shares = expected_shares[round] = random_micros();

    EXPECT(PT_OK, pt_deposit(account, amount(price), NULL, &error), "a random amount is deposited");
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account has a summary");
    if (!is(summary.cash, price)) fail("a deposit", price);
    EXPECT(PT_OK, pt_buy(account, "PRICE", 1, amount(price), &fill, &error), "one share is bought at a random price");
    if (!is(fill.price, price) || !is(fill.total, price) || !is(fill.position_cost, price)) fail("a price", price);
    if (!is(fill.cash_after, 0)) fail("cash after a buy", price);
    EXPECT(PT_OK, pt_sell(account, "PRICE", 1, amount(price), &fill, &error), "it is sold");
    if (!is(fill.cash_after, price) || !is(fill.realized_pnl, 0)) fail("cash after a sale", price);
    EXPECT(PT_OK, pt_withdraw(account, amount(price), NULL, &error), "the same amount is withdrawn");

    EXPECT(PT_OK, pt_deposit(account, amount(shares), NULL, &error), "a random amount is deposited");
    EXPECT(PT_OK, pt_buy(account, "SHARES", amount(shares), 1, &fill, &error), "random shares are bought at 1");
    if (!is(fill.shares, shares) || !is(fill.position_shares, shares) || !is(fill.notional, shares)) fail("a number of shares", shares);
    if (shares > 1) {
        int64_t part = 1 + (int64_t)(random_bits() % (uint64_t)(shares - 1));
        EXPECT(PT_OK, pt_sell(account, "SHARES", amount(part), 1, &fill, &error), "a random part is sold");
        if (!is(fill.position_shares, shares - part) || !is(fill.position_cost, shares - part)) fail("a rest", shares - part);
        if (!is(fill.cash_after, part) || !is(fill.realized_pnl, 0)) fail("cash after a partial sale", part);
        if (part < shares) {
            EXPECT(PT_OK, pt_sell(account, "SHARES", amount(shares - part), 1, &fill, &error), "the rest is sold");
        }
    } else {
        EXPECT(PT_OK, pt_sell(account, "SHARES", amount(shares), 1, &fill, &error), "they are sold");
    }
    EXPECT(PT_OK, pt_withdraw(account, amount(shares), NULL, &error), "the same amount is withdrawn");
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account has a summary");
    if (!is(summary.cash, 0) || !is(summary.net_deposits, 0) || !is(summary.realized_pnl, 0)) fail("nothing", 0);
}

/* The events come back from the journal as what was asked for. */
static int32_t check_event(void *context, const pt_event *event) {
    int *round = context; /* counts the halves of the rounds */
    if (strcmp(event->type, "buy") != 0) return 0;
    if (*round % 2 == 0 && !is(event->price, expected_price[*round / 2])) fail("a price in the journal", expected_price[*round / 2]);
    if (*round % 2 == 1 && !is(event->shares, expected_shares[*round / 2])) fail("shares in the journal", expected_shares[*round / 2]);
    *round += 1;
    return 0;
}

/* Positions and the queue as they stand in the files, with many digits each. */
static void files(const char *path) {
    enum { MANY = 200 };
    static pt_position_info positions[MANY];
    static pt_queue_entry entries[MANY];
    static int64_t shares[MANY], cost[MANY], price[MANY], score[MANY];
    pt_account_summary summary;
    int64_t left = 999999999999999;
    size_t count, i;
    int pass;

    account = open_account(path);
    EXPECT(PT_OK, pt_reset(account, amount(left), NULL, &error), "the account starts over with all the cash there can be");
    EXPECT(PT_OK, pt_begin(account, PT_WAIT_DEFAULT, &error), "a batch begins");
    for (i = 0; i < MANY; i++) {
        char symbol[8];
        snprintf(symbol, sizeof symbol, "S%03d", (int)i);
        shares[i] = cost[i] = 1 + random_micros() % (left / MANY);
        price[i] = random_micros();
        score[i] = (int64_t)(random_bits() % 100000001);
        EXPECT(PT_OK, pt_buy(account, symbol, amount(shares[i]), 1, NULL, &error), "shares are bought");
        EXPECT(PT_OK, pt_enqueue(account, symbol, amount(score[i]), PT_SIGNAL_BUY, amount(price[i]), NULL, &error), "it is queued");
        left -= cost[i];
    }
    EXPECT(PT_OK, pt_commit(account, &error), "the batch commits");
    for (pass = 0; pass < 2; pass++) { /* from memory, and from the files */
        EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account has a summary");
        if (!is(summary.cash, left)) fail("cash", left);
        EXPECT(PT_OK, pt_positions(account, positions, MANY, &count, &error), "the positions are listed");
        CHECK(count == MANY, "all of them");
        EXPECT(PT_OK, pt_queue(account, entries, MANY, &count, &error), "the queue is listed");
        CHECK(count == MANY, "all of it");
        for (i = 0; i < MANY; i++) {
            if (!is(positions[i].shares, shares[i])) fail("a position's shares", shares[i]);
            if (!is(positions[i].cost, cost[i])) fail("a position's cost", cost[i]);
            if (!is(positions[i].cost_basis, 1000000)) fail("a position's cost basis", 1000000);
            if (!is(entries[i].price, price[i])) fail("a queued price", price[i]);
            if (!is(entries[i].score, score[i])) fail("a queued score", score[i]);
        }
        EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
        account = open_account(path);
    }
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
}

int main(int argc, char **argv) {
    pt_options options = PT_OPTIONS_INIT;
    pt_verify_report report;
    const char *path;
    int round, halves = 0;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: round_trip DIRECTORY [SEED]\n");
        return 2;
    }
    random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
    printf("seed %" PRIu64 "\n", random_state);
    path = in(argv[1], "account");
    options.initial_cash = 0;
    options.durability = PT_DURABILITY_PROCESS;
    EXPECT(PT_OK, pt_open(path, &options, &account, &error), "an account without cash is made");
    for (round = 0; round < ROUNDS; round++) {
        if (round % BATCH == 0) EXPECT(PT_OK, pt_begin(account, PT_WAIT_DEFAULT, &error), "a batch begins");
        trade(round);
        if (round % BATCH == BATCH - 1) EXPECT(PT_OK, pt_commit(account, &error), "the batch commits");
    }
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    account = open_account(path);
    EXPECT(PT_OK, pt_history(account, 1, check_event, &halves, &error), "the history is read");
    CHECK(halves == 2 * ROUNDS, "it has every buy");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    files(path);
    EXPECT(PT_OK, pt_verify(path, &report, &error), "the account is proved");
    return finish();
}

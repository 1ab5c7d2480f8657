/*
 * fuzz_c_api.c: a string of bytes makes calls of the C API, with arguments that are often odd, on an account of its own. Whatever the calls are,
 * each one returns a known status and a fitting pt_error, and the account is proved at the end.
 *
 * libFuzzer makes the bytes, below TMPDIR; Tests/C/run replays the ones that were kept.
 */
#define _GNU_SOURCE
#include "../../../../include/papertrade.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What is left of the input. */
static const uint8_t *input;
static size_t left;

static uint8_t next_byte(void) {
    if (left == 0) return 0;
    left--;
    return *input++;
}

static void next_bytes(void *out, size_t size) {
    uint8_t *bytes = out;
    while (size-- > 0) *bytes++ = next_byte();
}

/* Arguments: mostly usual ones, so that calls succeed and build on each other; else whatever the bytes say. */

static double number(void) {
    static const double usual[] = {1,    2.5,       10,        100,    0.000001, 101.25, 9999.99, 50,   0,        -1,
                                   1e-7, 999999999, PT_AMOUNT_MAX, 1e300, -0.0,     NAN,    INFINITY, 1e-320, 0.1, 33.333333};
    uint8_t choice = next_byte();
    double value;
    if (choice < 200) return usual[choice % (sizeof usual / sizeof *usual)];
    next_bytes(&value, sizeof value);
    return value;
}

static int64_t whole_number(void) {
    static const int64_t usual[] = {0, 1, -1, PT_WAIT_DEFAULT, 5, 1000, INT64_MAX, PT_TIME_NOW, 1800000000000000, 253402300799999999};
    uint8_t choice = next_byte();
    int64_t value;
    /* Nothing else holds the lock, so that waiting for ever for it would be a deadlock, which is to be refused. */
    if (choice < 200) return usual[choice % (sizeof usual / sizeof *usual)];
    next_bytes(&value, sizeof value);
    return value;
}

static int32_t constant(void) {
    uint8_t choice = next_byte();
    return choice < 230 ? choice % 8 : (int32_t)whole_number();
}

/* A text that lives until the run ends, or NULL. */
static const char *text(void) {
    static const char *const usual[] = {"AAPL", "MSFT", "BRK.B", "A", "id-1", "id-2", "", "a b", "\xff", "\xc3\xa9", "\n",
                                        "0123456789012345678901234567890123456789012345678901234567890123456789"};
    static char texts[64][300];
    static unsigned next;
    uint8_t choice = next_byte();
    char *own = texts[next++ % 64];
    if (choice < 150) return usual[choice % 4]; /* a symbol */
    if (choice < 220) return usual[choice % (sizeof usual / sizeof *usual)];
    if (choice < 230) return NULL;
    memset(own, 'x', sizeof texts[0]);
    own[choice < 250 ? choice % 16 : 255 + choice % 8] = '\0';
    next_bytes(own, choice % 4);
    return own;
}

static const pt_request *request(void) {
    static pt_request requests[8];
    static unsigned next;
    pt_request *request = &requests[next++ % 8], usual = PT_REQUEST_INIT;
    uint8_t choice = next_byte();
    if (choice < 128) return NULL;
    *request = usual;
    if (choice & 1) request->request_id = text();
    if (choice & 2) request->note = text();
    if (choice & 4) request->time = whole_number();
    if ((choice & 0x18) == 0x18) request->expected_seq = (uint64_t)whole_number();
    if (choice == 0xFF) request->struct_size = (uint32_t)whole_number() % 4096; /* what lies behind it is ours */
    return request;
}

/* What is called back. */

static int32_t judge(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time;
    out->signal = constant();
    out->score = number();
    out->price = number();
    if (next_byte() & 1) out->shares = number();
    if (next_byte() & 1) out->amount = number();
    if (next_byte() == 1) next_bytes(out->reason, sizeof out->reason);
    return next_byte() < 200 ? PT_OK : constant();
}

static int32_t read_event(void *context, const pt_event *event) {
    (void)context;
    if (event->type == NULL || event->json == NULL) abort();
    return next_byte() > 250;
}

static int32_t read_cycle(void *context, const pt_cycle *cycle) {
    (void)context, (void)cycle;
    return next_byte() > 250;
}

/* Promises. */

static void require(int holds, const char *sentence) {
    if (holds) return;
    fprintf(stderr, "broken: %s\n", sentence);
    abort();
}

static void check(pt_status status, const pt_error *error) {
    const char *c;
    require(strcmp(pt_status_name(status), "PT_UNKNOWN") != 0, "every status has a name");
    if (error == NULL) return;
    require(error->status == status, "the pt_error has the status that was returned");
    require((error->message[0] == '\0') == (status == PT_OK), "there is a message if, and only if, the call failed");
    require(memchr(error->message, '\0', sizeof error->message) != NULL, "the message ends");
    for (c = error->message; *c != '\0'; c++) require((unsigned char)*c >= 0x20 && *c != 0x7F, "the message is one line");
}

static char directory[200], path[256], other_path[256], lock_path[256];

/* Deletes a directory with the files in it. */
static void remove_directory(const char *name) {
    DIR *stream = opendir(name);
    struct dirent *entry;
    char file[600];
    if (stream == NULL) return;
    while ((entry = readdir(stream)) != NULL) {
        snprintf(file, sizeof file, "%s/%s", name, entry->d_name);
        unlink(file);
    }
    closedir(stream);
    rmdir(name);
}

static void write_config(void) {
    static const char *const usual[] = {
        "{}", "{\"commission\": {\"percent\": 0.1}}", "{\"queue\": {\"stale_after_hours\": 1}}", "{\"system_active\": 1}", "{", "{\"watchlist\": [\"AAPL\"]}",
    };
    char file[300];
    FILE *stream;
    snprintf(file, sizeof file, "%s/config.json", path);
    if ((stream = fopen(file, "w")) == NULL) return;
    fputs(usual[next_byte() % (sizeof usual / sizeof *usual)], stream);
    fclose(stream);
}

static pt_account *accounts[3];
static pt_lock *locks[2];

/* A handle: an open one, one that was closed, NULL, or one that never was. */
static pt_account *handle(void) {
    uint8_t choice = next_byte();
    return choice < 250 ? accounts[choice % 5 == 4 ? 1 : 0] : choice < 253 ? NULL : (pt_account *)(uintptr_t)whole_number();
}

static void open_account(unsigned slot) {
    pt_options options = PT_OPTIONS_INIT;
    pt_error error;
    uint8_t choice = next_byte();
    options.durability = PT_DURABILITY_PROCESS;
    options.lock_timeout_ms = 0;
    options.account_id = "fuzz";
    if (choice >= 200) options.flags = next_byte();
    if (choice >= 220) options.initial_cash = number();
    if (choice >= 230) options.account_id = text();
    if (choice >= 240) options.durability = constant();
    if (choice >= 250) options.struct_size = next_byte();
    check(pt_open(path, &options, &accounts[slot], &error), &error);
    require((accounts[slot] == NULL) == (error.status != PT_OK), "*account is NULL after a failure");
}

static void trade(pt_account *account, uint8_t choice, pt_error *error) {
    pt_order order = PT_ORDER_INIT;
    pt_fill fill;
    switch (choice % 3) {
    case 0: check(pt_buy(account, text(), number(), number(), &fill, error), error); return;
    case 1: check(pt_sell(account, text(), number(), number(), choice & 64 ? &fill : NULL, error), error); return;
    default:
        order.side = constant() % 3;
        order.symbol = text();
        order.shares = number();
        order.price = number();
        order.request = request();
        check(pt_submit(account, &order, &fill, error), error);
    }
}

static void change(pt_account *account, uint8_t choice, pt_error *error) {
    switch (choice % 6) {
    case 0: check(pt_deposit(account, number(), request(), error), error); return;
    case 1: check(pt_withdraw(account, number(), request(), error), error); return;
    case 2: check(pt_split(account, text(), number(), number(), number(), request(), error), error); return;
    case 3: check(pt_dividend(account, text(), number(), request(), error), error); return;
    case 4: check(pt_write_off(account, text(), request(), error), error); return;
    default: check(pt_reset(account, number(), request(), error), error);
    }
}

static void use_queue(pt_account *account, uint8_t choice, pt_error *error) {
    pt_opportunity opportunity = PT_OPPORTUNITY_INIT;
    pt_queue_entry entries[2];
    pt_execution executions[4];
    uint64_t seq;
    size_t count;
    switch (choice % 6) {
    case 0: check(pt_enqueue(account, text(), number(), constant(), number(), text(), error), error); return;
    case 1:
        opportunity.symbol = text();
        opportunity.signal = constant();
        opportunity.score = number();
        opportunity.reason = text();
        opportunity.request = request();
        check(pt_submit_opportunity(account, &opportunity, &seq, error), error);
        return;
    case 2: check(pt_queue(account, entries, next_byte() % 3, &count, error), error); return;
    case 3: check(pt_dequeue_all(account, entries, next_byte() % 3, &count, error), error); return;
    case 4: check(pt_clear_queue(account, &count, request(), error), error); return;
    default: check(pt_execute_queue(account, judge, NULL, executions, next_byte() % 5, &count, error), error);
    }
}

static void use_batch_or_lock(pt_account *account, uint8_t choice, pt_error *error) {
    switch (choice % 5) {
    case 0: check(pt_begin(account, whole_number(), error), error); return;
    case 1: check(pt_commit(account, error), error); return;
    case 2: check(pt_rollback(account), NULL); return;
    case 3: check(pt_account_lock(account, whole_number(), error), error); return;
    default: check(pt_account_unlock(account), NULL);
    }
}

static void read_state(pt_account *account, uint8_t choice, pt_error *error) {
    pt_account_summary summary;
    pt_position_info positions[2];
    pt_known_signal known[2];
    pt_quote quotes[2];
    pt_valuation value;
    pt_fill fill;
    int64_t moment;
    int32_t open;
    size_t count;
    switch (choice % 12) {
    case 0: check(pt_summary(account, &summary, error), error); return;
    case 1: check(pt_position(account, text(), positions, error), error); return;
    case 2: check(pt_positions(account, positions, next_byte() % 3, &count, error), error); return;
    case 3:
        quotes[0].symbol = text(), quotes[0].price = number();
        quotes[1].symbol = text(), quotes[1].price = number();
        check(pt_value(account, quotes, next_byte() % 3, &value, error), error);
        return;
    case 4: check(pt_history(account, (uint64_t)whole_number(), read_event, NULL, error), error); return;
    case 5: check(pt_find_request(account, text(), &fill, error), error); return;
    case 6: check(pt_signals(account, known, next_byte() % 3, &count, error), error); return;
    case 7: check(pt_cycles(account, (uint64_t)whole_number(), read_cycle, NULL, error), error); return;
    case 8: check(pt_next_cycle(account, constant(), whole_number(), &moment, error), error); return;
    case 9: check(pt_market_is_open(account, whole_number(), &open, error), error); return;
    case 10: check(pt_market_next_open(account, whole_number(), &moment, error), error); return;
    default: check(pt_market_next_close(account, whole_number(), &moment, error), error);
    }
}

static void run_cycle(pt_account *account, uint8_t choice, pt_error *error) {
    pt_cycle_options options = PT_CYCLE_OPTIONS_INIT;
    pt_cycle report;
    options.flags = next_byte() % 4;
    options.time = whole_number();
    check((choice & 64 ? pt_monitoring_cycle : pt_trading_cycle)(account, judge, NULL, choice & 128 ? &options : NULL, &report, error), error);
}

static void use_own_lock(uint8_t choice, pt_error *error) {
    unsigned slot = next_byte() % 2;
    int32_t held;
    switch (choice % 6) {
    case 0:
        if (locks[slot] == NULL) check(pt_lock_open(choice & 64 ? text() : lock_path, &locks[slot], error), error);
        return;
    case 1: check(pt_lock_acquire(locks[slot], 0, error), error); return;
    case 2: check(pt_lock_acquire_retrying(locks[slot], 0, constant(), next_byte() % 2, error), error); return;
    case 3: check(pt_lock_release(locks[slot]), NULL); return;
    case 4: check(pt_lock_is_held(lock_path, &held, error), error); return;
    default: check(pt_lock_close(locks[slot]), NULL), locks[slot] = NULL;
    }
}

static void maintain(pt_account *account, uint8_t choice, pt_error *error) {
    pt_recover_report recovered;
    switch (choice % 5) {
    case 0: check(pt_reload(account, error), error); return;
    case 1: write_config(); return;
    case 2:
        check(pt_backup(account, other_path, error), error);
        remove_directory(other_path);
        return;
    case 3: check(pt_verify(path, NULL, error), error); return;
    default: check(pt_recover(path, NULL, &recovered, error), error);
    }
}

static void make_call(void) {
    uint8_t choice = next_byte();
    pt_error error;
    memset(&error, 0x5A, sizeof error);
    switch (next_byte() % 10) {
    case 0: case 1: trade(handle(), choice, &error); return;
    case 2: change(handle(), choice, &error); return;
    case 3: use_queue(handle(), choice, &error); return;
    case 4: use_batch_or_lock(handle(), choice, &error); return;
    case 5: read_state(handle(), choice, &error); return;
    case 6: run_cycle(handle(), choice, &error); return;
    case 7: use_own_lock(choice, &error); return;
    case 8: maintain(handle(), choice, &error); return;
    default:
        check(pt_close(accounts[choice % 2]), NULL);
        if (choice & 64) open_account(choice % 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const char *temporary = getenv("TMPDIR");
    pt_verify_report report;
    pt_error error;
    int i;
    if (directory[0] == '\0') {
        snprintf(directory, sizeof directory, "%s/papertrade-fuzz-XXXXXX", temporary != NULL ? temporary : "/tmp");
        require(mkdtemp(directory) != NULL, "there is a temporary directory");
        snprintf(path, sizeof path, "%s/account", directory);
        snprintf(other_path, sizeof other_path, "%s/backup", directory);
        snprintf(lock_path, sizeof lock_path, "%s/own.lock", directory);
    }
    input = bytes;
    left = size;
    open_account(0);
    for (i = 0; i < 40 && left > 0; i++) make_call();
    for (i = 0; i < 2; i++) pt_lock_close(locks[i]), locks[i] = NULL;
    for (i = 0; i < 3; i++) pt_close(accounts[i]);
    if (pt_verify(path, &report, &error) != PT_NO_ACCOUNT) {
        require(error.status == PT_OK, error.message);
    }
    remove_directory(path);
    unlink(lock_path);
    return 0;
}

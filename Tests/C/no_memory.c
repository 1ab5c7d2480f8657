/*
 * no_memory.c: jansson's allocations fail, one after the other, once and for ever. Whichever it is, the call says PT_NO_MEMORY or succeeds as
 * ever, with nothing ignored or set aside; nothing is half done, nothing leaks, and the next call works.
 *
 *     no_memory DIRECTORY        (an empty one)
 *
 * Only a test may do this: the functions that jansson allocates with are those of the whole process.
 *
 * One kind of allocation is left alone, the growing of the buffer that jansson's reader keeps a token in: jansson 2.14 does not notice when it
 * fails (lex_save in load.c ignores it), loses the byte, and can write beyond what it allocated. No caller can help that.
 */
#define _GNU_SOURCE

#include "check.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long allocations, live, failing; /* the number of the first one that fails; 0: none */
static int for_ever, has_failed;

/* Where jansson grows its token buffer. */
static const void *token_buffer;
static size_t wanted_size;

static void *allocate(size_t size) {
    const void *caller = __builtin_return_address(0);
    void *memory;
    if (size == wanted_size) token_buffer = caller;
    if (caller != token_buffer) allocations++;
    if (failing != 0 && caller != token_buffer && (for_ever ? allocations >= failing : allocations == failing)) {
        has_failed = 1;
        return NULL;
    }
    if ((memory = malloc(size)) != NULL) live++;
    return memory;
}

static void release(void *memory) {
    if (memory != NULL) live--;
    free(memory);
}

/* A text of a hundred bytes makes the buffer grow to 128, and nothing else be that large. */
static void find_token_buffer(void) {
    char text[] = "[\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"]";
    wanted_size = 128;
    json_decref(json_loads(text, 0, NULL));
    wanted_size = 0;
    if (token_buffer == NULL) {
        printf("jansson does not grow a buffer of 128 bytes\n");
        exit(2);
    }
}

/* What is done, again and again. Each call gets a number of its own, so that it can do something new. */
typedef struct operation {
    const char *name;
    int allocates;                   /* whether jansson is asked for memory: what only writes by hand needs none */
    void (*prepare)(int number);     /* NULL: nothing to prepare */
    pt_status (*call)(int number);
    void (*check_nothing_done)(void);
    void (*check_done)(int number);  /* after it succeeded, whatever failed meanwhile: it is all done, and nothing else */
    void (*clean_up)(void);          /* after that; NULL: nothing to do */
} operation;

static const char *path, *new_path, *config, *old;
static pt_account *account;
static uint64_t seq;

static uint64_t current_seq(void) {
    pt_account_summary summary;
    return pt_summary(account, &summary, NULL) == PT_OK ? summary.seq : 0;
}

/* Of two amounts: whether they are the same millionths. */
static int is_near(double one, double other) { return fabs(one - other) < 0.0000005; }

static const char *symbol(int number) {
    static char text[16];
    snprintf(text, sizeof text, "Q%d", number);
    return text;
}

/* Deletes the files of a directory, and then itself. */
static void remove_directory(const char *name) {
    DIR *directory = opendir(name);
    struct dirent *entry;
    if (directory == NULL) return;
    while ((entry = readdir(directory)) != NULL) remove(in(name, entry->d_name));
    closedir(directory);
    rmdir(name);
}

/* Without the portfolio.json before last, which is there at some times. */
static int count_files(const char *name) {
    DIR *directory = opendir(name);
    struct dirent *entry;
    int count = 0;
    if (directory == NULL) return 0;
    while ((entry = readdir(directory)) != NULL) count += strcmp(entry->d_name, "portfolio.json.tmp") != 0;
    closedir(directory);
    return count;
}

/* How many shares of the symbol there are. */
static double shares_of(pt_account *owner, const char *name) {
    pt_position_info position;
    return pt_position(owner, name, &position, NULL) == PT_OK ? position.shares : 0;
}

/* Whether the symbol is queued with this price; NAN: with none. */
static int is_queued(pt_account *owner, const char *name, double price) {
    static pt_queue_entry entries[256];
    size_t count = 0, i;
    EXPECT(PT_OK, pt_queue(owner, entries, sizeof entries / sizeof *entries, &count, &error), "the queue is read");
    for (i = 0; i < count; i++) {
        if (strcmp(entries[i].symbol, name) == 0) return entries[i].price == price || (isnan(entries[i].price) && isnan(price));
    }
    return 0;
}

/* What there is before the call: the files in the account's directory, and the shares. */
static int files;
static double abc, def;

static void remember(int number) {
    (void)number;
    seq = current_seq();
    files = count_files(path);
    abc = shares_of(account, "ABC");
    def = shares_of(account, "DEF");
}

/* So many events have been added, and so many files. */
static void check_added(uint64_t events, int new_files) {
    pt_verify_report report;
    CHECK(current_seq() == seq + events, "what was asked has happened, and nothing else");
    CHECK(count_files(path) == files + new_files, "no other file was added or set aside");
    EXPECT(PT_OK, pt_verify(path, &report, &error), "the account is proved");
    CHECK(report.last_seq == seq + events && report.portfolio_current, "and so is portfolio.json");
}

static void check_unchanged(void) { check_added(0, 0); }

static pt_status buy(int number) { return (void)number, pt_buy(account, "ABC", 0.01, 1, NULL, &error); }

static void check_bought(int number) {
    (void)number;
    check_added(1, 0);
    CHECK(is_near(shares_of(account, "ABC"), abc + 0.01), "the shares are there");
}

static pt_status sell(int number) { return (void)number, pt_sell(account, "ABC", 0.000001, 1, NULL, &error); }

static void check_sold(int number) {
    (void)number;
    check_added(1, 0);
    CHECK(is_near(shares_of(account, "ABC"), abc - 0.000001), "the shares are gone");
}

static pt_status queue(int number) {
    return pt_enqueue(account, symbol(number), 80, PT_SIGNAL_BUY, 12.5, "a reason that does not fit in thirty-two bytes", &error);
}

static void check_queued(int number) {
    check_added(1, 0);
    CHECK(is_queued(account, symbol(number), 12.5), "it is queued");
}

static pt_status clear(int number) { return (void)number, pt_clear_queue(account, NULL, NULL, &error); }

static void check_cleared(int number) {
    pt_account_summary summary;
    (void)number;
    check_added(1, 0);
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account is read");
    CHECK(summary.queued_count == 0, "nothing is queued");
}

/* The first failure ends it. */
static pt_status batch(int number) {
    pt_status status = pt_begin(account, 0, &error);
    if (status != PT_OK) return status;
    if ((status = pt_buy(account, "DEF", 0.01, 1, NULL, &error)) == PT_OK) {
        status = pt_enqueue(account, symbol(number), 1, PT_SIGNAL_BUY, NAN, NULL, &error);
    }
    if (status == PT_OK) return pt_commit(account, &error);
    EXPECT_PLAIN(PT_OK, pt_rollback(account), "the batch is rolled back");
    return status;
}

static void check_batch(int number) {
    check_added(2, 0);
    CHECK(is_near(shares_of(account, "DEF"), def + 0.01), "the shares are there");
    CHECK(is_queued(account, symbol(number), NAN), "so is the opportunity");
}

/* Once the new generation is in place, a reset that cannot read it says that it is uncertain: and the account is reset. */
static pt_status reset(int number) {
    pt_account_summary summary;
    pt_status status = ((void)number, pt_reset(account, 5000, NULL, &error));
    if (status != PT_UNCERTAIN) return status;
    failing = 0;
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    account = open_account(path);
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account opens again");
    CHECK(summary.cash == 5000 && summary.position_count == 0, "it is reset");
    return PT_OK;
}

static void check_reset(int number) {
    pt_account_summary summary;
    (void)number;
    EXPECT(PT_OK, pt_reload(account, &error), "portfolio.json is published, if it could not be");
    check_added(2, 1); /* its journal, sealed */
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account is read");
    CHECK(summary.cash == 5000 && summary.position_count == 0 && summary.queued_count == 0, "it is reset");
}

static void write_config(int number) {
    char text[200];
    snprintf(text, sizeof text, "{\"initial_cash\": 1234567.123456, \"commission\": {\"percent\": 0.1},\n \"queue\": {\"max_score_drop\": %d.000001}}", 1 + number % 90);
    write_file(config, text);
    remember(number);
}

static pt_status reload(int number) { return (void)number, pt_reload(account, &error); }

/* Counts the events that are rules with what write_config wrote. */
static int32_t count_rules(void *context, const pt_event *event) {
    char text[60];
    int *counts = context;
    snprintf(text, sizeof text, "\"queue.max_score_drop\":%d.000001,", 1 + counts[0] % 90);
    if (strcmp(event->type, "rules") == 0 && strstr(event->json, text) != NULL) counts[1]++;
    return 0;
}

static void check_reloaded(int number) {
    int counts[2] = {0, 0};
    pt_fill fill;
    counts[0] = number;
    check_added(1, 0);
    EXPECT(PT_OK, pt_history(account, seq + 1, count_rules, counts, &error), "the history is read");
    CHECK(counts[1] == 1, "the new rules are accepted");
    EXPECT(PT_OK, pt_buy(account, "ABC", 1, 1, &fill, &error), "shares are bought");
    CHECK(fill.commission == 0.001, "the rules of config.json are in force");
}

static pt_account *second;

static pt_status open_again(int number) { return (void)number, pt_open(path, NULL, &second, &error); }

static void check_opened(int number) {
    pt_account_summary summary, again;
    (void)number;
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account is read");
    EXPECT(PT_OK, pt_summary(second, &again, &error), "so is what was opened");
    CHECK(again.seq == summary.seq && again.cash == summary.cash && again.position_count == summary.position_count, "it is the same account");
    CHECK(is_near(shares_of(second, "ABC"), abc), "with the same shares");
    check_added(0, 0);
}

static void close_again(void) { EXPECT_PLAIN(PT_OK, pt_close(second), "it closes"); }

static pt_status verify(int number) {
    pt_verify_report report;
    pt_status status = ((void)number, pt_verify(path, &report, &error));
    if (status == PT_OK) {
        CHECK(report.last_seq == seq && report.problems == 0, "it reads to the end");
        CHECK(report.portfolio_current, "portfolio.json is as the journal says");
    }
    return status;
}

static void check_verified(int number) { (void)number, check_added(0, 0); }

/* A new account, in another directory. */

#define NEW_FILES 5 /* journal.jsonl, portfolio.json, .lock; and what every directory has */

static pt_status create(int number) {
    pt_status status = ((void)number, pt_open(new_path, NULL, &second, &error));
    if (status == PT_OK) pt_close(second);
    return status;
}

static void remove_new(void) { remove_directory(new_path); }

/* The journal of a new account is made first: if it is there, it is whole. */
static void check_none_or_whole(void) {
    pt_verify_report report;
    pt_status status = pt_verify(new_path, &report, &error);
    CHECK(status == PT_NO_ACCOUNT || status == PT_OK, error.message);
    remove_new();
}

/* An account that was just made, and closed: it is proved. Opens it. */
static pt_account *open_new(void) {
    EXPECT(PT_OK, pt_verify(new_path, NULL, &error), "the account is proved");
    return open_account(new_path);
}

/* Once it has been opened again, which publishes a portfolio.json that could not be published, it has these files and no others. */
static void close_new(pt_account *made, int file_count) {
    pt_verify_report report;
    EXPECT_PLAIN(PT_OK, pt_close(made), "it closes");
    EXPECT(PT_OK, pt_verify(new_path, &report, &error), "the account is proved");
    CHECK(report.portfolio_current, "and so is portfolio.json");
    CHECK(count_files(new_path) == file_count, "no other file was added or set aside");
}

static void check_created(int number) {
    pt_account_summary summary;
    pt_account *made = ((void)number, open_new());
    EXPECT(PT_OK, pt_summary(made, &summary, &error), "the account is read");
    CHECK(summary.seq == 2 && summary.cash == 10000 && summary.position_count == 0 && summary.queued_count == 0, "it is as a new one is");
    close_new(made, NEW_FILES);
}

static pt_import_report imported;

static pt_status import(int number) { return (void)number, pt_import(new_path, old, NULL, &imported, &error); }

static void check_imported(int number) {
    pt_account_summary summary;
    pt_account *made = ((void)number, open_new());
    CHECK(imported.positions == 1 && imported.queued == 1 && imported.transactions == 1, "it reports all that was there");
    EXPECT(PT_OK, pt_summary(made, &summary, &error), "the account is read");
    CHECK(summary.cash == 123456.123456 && summary.position_count == 1 && summary.queued_count == 1, "all was taken over");
    CHECK(is_near(shares_of(made, "ABC"), 12345.123456), "the shares are there");
    CHECK(is_queued(made, "NVDA", NAN), "so is the opportunity");
    close_new(made, NEW_FILES);
}

/* An account whose fourth line is damaged. */

static long damaged_size;

static void damage(int number) {
    static const char *journal;
    FILE *file;
    int line, c = 0;
    pt_account *made = ((void)number, remove_new(), open_account(new_path));
    for (line = 0; line < 8; line++) EXPECT(PT_OK, pt_buy(made, "ABC", 1, 1, NULL, &error), "shares are bought");
    EXPECT_PLAIN(PT_OK, pt_close(made), "the account closes");
    journal = in(new_path, "journal.jsonl");
    file = fopen(journal, "r+");
    for (line = 1; line < 4 && file != NULL; line += c == '\n') c = fgetc(file);
    if (file == NULL || fseek(file, 40, SEEK_CUR) != 0 || fputc('#', file) == EOF || fseek(file, 0, SEEK_END) != 0) exit(2);
    damaged_size = ftell(file);
    fclose(file);
    files = count_files(new_path);
}

static pt_status recover(int number) {
    pt_recover_report report;
    pt_status status = ((void)number, pt_recover(new_path, NULL, &report, &error));
    if (status == PT_OK) {
        CHECK(report.seq > 0 && report.kept_as[0] != '\0', "it is recovered, and the damaged journal is kept");
        CHECK(report.from_portfolio == 1, "portfolio.json is not passed over");
    }
    return status;
}

static void check_recovered(int number) {
    pt_account *rescued = ((void)number, open_new());
    CHECK(is_near(shares_of(rescued, "ABC"), 8), "nothing is lost that portfolio.json has");
    close_new(rescued, files + 2); /* the damaged journal and portfolio.json */
}

static void check_still_damaged(void) {
    struct stat status;
    EXPECT(PT_CORRUPT, pt_verify(new_path, NULL, &error), "it is as damaged as before");
    CHECK(count_files(new_path) == files, "no file was added or set aside");
    CHECK(stat(in(new_path, "journal.jsonl"), &status) == 0 && status.st_size == damaged_size, "the journal is as it was");
}

static const operation operations[] = {
    {"create", 1, NULL, create, check_none_or_whole, check_created, remove_new},
    {"open", 1, remember, open_again, check_unchanged, check_opened, close_again},
    {"verify", 1, remember, verify, check_unchanged, check_verified, NULL},
    {"buy", 0, remember, buy, check_unchanged, check_bought, NULL},
    {"sell", 0, remember, sell, check_unchanged, check_sold, NULL},
    {"queue", 1, remember, queue, check_unchanged, check_queued, NULL},
    {"batch", 1, remember, batch, check_unchanged, check_batch, NULL},
    {"clear", 0, remember, clear, check_unchanged, check_cleared, NULL},
    {"reload", 1, write_config, reload, check_unchanged, check_reloaded, NULL},
    {"reset", 1, remember, reset, check_unchanged, check_reset, NULL},
    {"import", 1, NULL, import, check_none_or_whole, check_imported, remove_new},
    {"recover", 1, damage, recover, check_still_damaged, check_recovered, remove_new},
};

/* Fails the n-th allocation of an operation, for n = 1, 2, ... until it gets by without it. Returns the last n. */
static long fail_each(const operation *operation) {
    static int number;
    char sentence[100];
    int failed_before;
    long n;
    pt_status status;
    for (n = 1;; n++) {
        if (operation->prepare != NULL) operation->prepare(number);
        snprintf(sentence, sizeof sentence, "%s, allocation %ld fails %s", operation->name, n, for_ever ? "for ever" : "once");
        allocations = 0;
        has_failed = 0;
        failing = n;
        failed_before = failed_checks;
        memset(&error, 0x5A, sizeof error);
        status = operation->call(number);
        failing = 0;
        CHECK(live == 0, sentence);
        if (status != PT_OK) {
            check_status(PT_NO_MEMORY, status, 1, __FILE__, __LINE__, sentence);
            operation->check_nothing_done();
            EXPECT(PT_OK, status = operation->call(number), sentence);
        }
        if (status == PT_OK) operation->check_done(number);
        if (failed_checks > failed_before && failed_before < 20) printf("    when %s\n", sentence);
        if (operation->clean_up != NULL) operation->clean_up();
        number++;
        if (!has_failed) break;
    }
    snprintf(sentence, sizeof sentence, "%s asks jansson for memory %ld times", operation->name, n - 1);
    CHECK((n > 1) == operation->allocates, sentence);
    return n - 1;
}

/* The files of the older system. What has long been queued is not taken over, so it says today. */
static void write_old_files(const char *directory) {
    char text[200], today[20];
    time_t now = time(NULL);
    strftime(today, sizeof today, "%Y-%m-%d", gmtime(&now));
    old = strdup(in(directory, "paper_portfolio.json"));
    write_file(old, "{\"cash\": 123456.123456, \"positions\": {\"ABC\": {\"shares\": 12345.123456, \"cost_basis\": 1.5, "
                    "\"first_purchase_date\": \"2026-11-02T09:30:00.123456\"}}, \"created_at\": \"2026-11-01T10:00:00\"}");
    write_file(in(directory, "transaction_log.json"), "[{\"timestamp\": \"2026-11-02T09:30:00\", \"action\": \"BUY\", \"symbol\": \"ABC\", "
                    "\"shares\": 1, \"price\": 1.5, \"total\": 1.5, \"cash_after\": 123456.123456, \"portfolio_value\": null}]");
    snprintf(text, sizeof text, "{\"queued_opportunities\": [{\"symbol\": \"NVDA\", \"queued_at\": \"%sT00:00:00\", "
                    "\"signal\": \"BUY\", \"score\": 82.5, \"price\": null}]}", today);
    write_file(in(directory, "buy_queue.json"), text);
}

int main(int argc, char **argv) {
    pt_verify_report report;
    long points = 0;
    size_t i;
    if (argc != 2) {
        fprintf(stderr, "usage: no_memory DIRECTORY\n");
        return 2;
    }
    json_set_alloc_funcs(allocate, release);
    find_token_buffer();
    path = strdup(in(argv[1], "account"));
    new_path = strdup(in(argv[1], "new"));
    config = strdup(in(path, "config.json"));
    write_old_files(argv[1]);
    account = open_account(path);
    EXPECT(PT_OK, pt_buy(account, "ABC", 1, 1, NULL, &error), "shares are bought");
    for (for_ever = 0; for_ever <= 1; for_ever++) {
        for (i = 0; i < sizeof operations / sizeof *operations; i++) points += fail_each(&operations[i]);
    }
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    EXPECT(PT_OK, pt_verify(path, &report, &error), "the account is proved");
    printf("RESULT no-memory: points=%ld wrong=%d\n", points, failed_checks);
    return finish();
}

/*
 * growth.c: a program that runs for years does not grow. After a warm-up, opening, trading, failing and closing over and over leaves
 * as much memory and as many file descriptors in use as before.
 *
 *     growth DIRECTORY [COMMITS]        (an empty one; how many commits one handle makes, 3000 by default)
 */
#define _GNU_SOURCE /* mallinfo2 */

#include "check.h"

#include <dirent.h>
#include <malloc.h>

static int descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    if (directory == NULL) {
        perror("/proc/self/fd");
        exit(2);
    }
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

static int32_t analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time;
    out->signal = PT_SIGNAL_BUY;
    out->score = 80;
    out->price = out->shares = 1;
    return PT_OK;
}

static int32_t ignore(void *context, const pt_event *event) {
    (void)context, (void)event;
    return 0;
}

static void use(const char *path, const char *lock_path, const char *no_path) {
    pt_options options = PT_OPTIONS_INIT;
    pt_account *account, *none;
    pt_lock *lock;
    pt_execution executions[4];
    pt_valuation value;
    size_t count;

    options.durability = PT_DURABILITY_PROCESS;
    EXPECT(PT_OK, pt_open(path, &options, &account, &error), "the account opens");
    EXPECT(PT_OK, pt_buy(account, "A", 1, 1, NULL, &error), "shares are bought");
    EXPECT(PT_OK, pt_sell(account, "A", 1, 1, NULL, &error), "shares are sold");
    EXPECT(PT_NO_POSITION, pt_sell(account, "A", 1, 1, NULL, &error), "a sale is refused");
    EXPECT(PT_INVALID_SYMBOL, pt_buy(account, " ", 1, 1, NULL, &error), "a symbol is refused");
    EXPECT(PT_OK, pt_enqueue(account, "Q", 80, PT_SIGNAL_BUY, NAN, "reason", &error), "an opportunity is queued");
    EXPECT(PT_OK, pt_execute_queue(account, analyst, NULL, executions, 4, &count, &error), "the queue is executed");
    EXPECT(PT_OK, pt_write_off(account, "Q", NULL, &error), "a position is written off");
    EXPECT(PT_OK, pt_deposit(account, 1, NULL, &error), "its cost is put back");
    EXPECT(PT_OK, pt_begin(account, 0, &error), "a batch begins");
    EXPECT(PT_OK, pt_deposit(account, 1, NULL, &error), "it deposits");
    EXPECT_PLAIN(PT_OK, pt_rollback(account), "it is rolled back");
    EXPECT(PT_OK, pt_value(account, NULL, 0, &value, &error), "the account has a value");
    EXPECT(PT_OK, pt_history(account, value.seq - 5, ignore, NULL, &error), "the history is read");
    EXPECT(PT_OK, pt_reload(account, &error), "the account reloads");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    EXPECT(PT_NO_ACCOUNT, pt_open(no_path, NULL, &none, &error), "no account is opened");
    EXPECT(PT_OK, pt_lock_open(lock_path, &lock, &error), "a lock opens");
    EXPECT(PT_OK, pt_lock_acquire(lock, 0, &error), "it is taken");
    EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "it closes");
}

/* Returns the most memory that was in use after one of the commits: buffers come and go, so that two moments say little. */
static size_t commit(pt_account *account, long count) {
    size_t most = 0;
    long i;
    for (i = 0; i < count; i++) {
        size_t now;
        if (i % 2 == 0)
            EXPECT(PT_OK, pt_buy(account, "A", 1, 1, NULL, &error), "shares are bought");
        else
            EXPECT(PT_OK, pt_sell(account, "A", 1, 1, NULL, &error), "shares are sold");
        now = mallinfo2().uordblks;
        if (now > most) most = now;
    }
    return most;
}

int main(int argc, char **argv) {
    enum { WARM_UP = 100, ROUNDS = 400 };
    const char *path, *lock_path, *no_path;
    pt_account *account;
    char sentence[200];
    size_t memory, most;
    long commits;
    int files, i;
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: growth DIRECTORY [COMMITS]\n");
        return 2;
    }
    commits = argc == 3 ? strtol(argv[2], NULL, 10) : 3000;
    path = in(argv[1], "account");
    lock_path = in(argv[1], "jobs.lock");
    no_path = in(path, "portfolio.json");
    for (i = 0; i < WARM_UP; i++) use(path, lock_path, no_path);
    memory = mallinfo2().uordblks;
    files = descriptors();
    for (i = 0; i < ROUNDS; i++) use(path, lock_path, no_path);
    snprintf(sentence, sizeof sentence, "%d rounds need no more memory: from %zu to %zu bytes", ROUNDS, memory, (size_t)mallinfo2().uordblks);
    CHECK(mallinfo2().uordblks <= memory + 16 * ROUNDS, sentence); /* a leak of one smallest object a round is seen */
    CHECK(descriptors() == files, "they leave no file open");

    account = open_account(in(argv[1], "commits"));
    memory = commit(account, 1000);
    files = descriptors();
    most = commit(account, commits);
    snprintf(sentence, sizeof sentence, "%ld commits need no more memory: from %zu to %zu bytes", commits, memory, most);
    CHECK(most <= memory + 1024, sentence);
    CHECK(descriptors() == files, "they open no more files");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    if (argc == 3) printf("RESULT growth: commits=%ld failed=%d\n", commits, failed_checks);
    return finish();
}

/* fork PATH: a child gets PT_FORKED for every handle of its parent, cannot release its parent's lock, and can open the account anew. */
#include "host.h"
#include <sys/wait.h>

static pt_account *account;
static pt_lock *lock;
static const char *directory;

static int32_t on_event(void *context, const pt_event *event) {
    (void)context, (void)event;
    return 0;
}

/* Everything the child may try with what is not its own. */
static void misuse(void) {
    pt_error error;
    pt_account_summary summary;
    size_t count;
    EXPECT(PT_FORKED, pt_buy(account, "CHILD", 1, 1, NULL, &error));
    EXPECT(PT_FORKED, pt_deposit(account, 1, NULL, &error));
    EXPECT(PT_FORKED, pt_enqueue(account, "CHILD", 50, PT_SIGNAL_BUY, NAN, NULL, &error));
    EXPECT(PT_FORKED, pt_summary(account, &summary, &error));
    EXPECT(PT_FORKED, pt_queue(account, NULL, 0, &count, &error));
    EXPECT(PT_FORKED, pt_history(account, 1, on_event, NULL, &error));
    EXPECT(PT_FORKED, pt_reload(account, &error));
    EXPECT(PT_FORKED, pt_reset(account, 1, NULL, &error));
    EXPECT(PT_FORKED, pt_begin(account, 0, &error));
    EXPECT(PT_FORKED, pt_commit(account, &error));
    REQUIRE(pt_rollback(account) == PT_FORKED, "rollback");
    EXPECT(PT_FORKED, pt_account_lock(account, 0, &error));
    REQUIRE(pt_account_unlock(account) == PT_FORKED, "unlock");
    EXPECT(PT_FORKED, pt_lock_acquire(lock, 0, &error));
    REQUIRE(pt_lock_release(lock) == PT_FORKED, "release");
    REQUIRE(pt_lock_close(lock) == PT_FORKED, "closing the lock");
    REQUIRE(pt_close(account) == PT_FORKED, "closing");
}

static void child_trades(pt_status expected) {
    pt_error error;
    pt_account *own;
    pt_options options = PT_OPTIONS_INIT;
    options.lock_timeout_ms = 0;
    pt_status status = pt_open(directory, &options, &own, &error);
    REQUIRE(status == expected, "%s: %s", pt_status_name(status), error.message);
    if (status != PT_OK) return;
    EXPECT(PT_OK, pt_buy(own, "CHILD", 1, 1, NULL, &error));
    REQUIRE(pt_close(own) == PT_OK, "closing the child's own");
}

static void in_child(pt_status expected_of_trade) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        misuse();
        child_trades(expected_of_trade);
        _exit(0);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);
}

/* In another process: whether the account's lock can be had. */
static int is_free(void) {
    char path[4096];
    int32_t held = 0;
    pt_error error;
    snprintf(path, sizeof path, "%s/.lock", directory);
    EXPECT(PT_OK, pt_lock_is_held(path, &held, &error));
    return !held;
}

int main(int argc, char **argv) {
    REQUIRE(argc == 3, "usage");
    directory = argv[1];
    pt_error error;
    pt_account_summary summary;
    int32_t held;
    account = opened(directory);
    EXPECT(PT_OK, pt_lock_open(argv[2], &lock, &error));
    EXPECT(PT_OK, pt_buy(account, "PARENT", 1, 1, NULL, &error));

    in_child(PT_OK);
    EXPECT(PT_OK, pt_buy(account, "PARENT", 1, 1, NULL, &error));

    /* While the parent holds both locks. */
    EXPECT(PT_OK, pt_account_lock(account, 0, &error));
    EXPECT(PT_OK, pt_lock_acquire(lock, 0, &error));
    in_child(PT_BUSY);
    REQUIRE(!is_free(), "the child has released the account's lock");
    EXPECT(PT_OK, pt_lock_is_held(argv[2], &held, &error));
    REQUIRE(held, "the child has released the lock");
    EXPECT(PT_OK, pt_buy(account, "PARENT", 1, 1, NULL, &error));
    REQUIRE(pt_account_unlock(account) == PT_OK && is_free(), "unlocking");
    REQUIRE(pt_lock_release(lock) == PT_OK, "releasing");

    /* In the middle of a batch, with a child that outlives it and does nothing: the lock is free all the same afterwards. */
    EXPECT(PT_OK, pt_begin(account, 0, &error));
    EXPECT(PT_OK, pt_buy(account, "PARENT", 1, 1, NULL, &error));
    int gate[2];
    REQUIRE(pipe(gate) == 0, "pipe");
    pid_t idle = fork();
    if (idle == 0) {
        char byte;
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(gate[0]);
    in_child(PT_BUSY);
    EXPECT(PT_OK, pt_commit(account, &error));
    REQUIRE(is_free(), "an idle child keeps the lock");
    in_child(PT_OK);
    close(gate[1]);
    int status;
    REQUIRE(waitpid(idle, &status, 0) == idle && status == 0, "the idle child ended with %d", status);

    EXPECT(PT_OK, pt_summary(account, &summary, &error));
    REQUIRE(summary.cash == 10000 - 6 && summary.seq == 2 + 6, "cash %.2f, event %d", summary.cash, (int)summary.seq);
    REQUIRE(pt_lock_close(lock) == PT_OK && pt_close(account) == PT_OK, "closing");
    return 0;
}

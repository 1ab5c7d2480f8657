/* fork_inside PATH: forks within callbacks, and while other threads are inside the library. What goes on in a child changes nothing through
 * its parent's handle, and does not hang; what goes on in the parent happens once. */
#include "host.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static const char *path;
static pt_account *account;
static pid_t parent, child = -1;

static int in_parent(void) { return getpid() == parent; }

/* A child that hangs is ended by the alarm. */
static pid_t forked(void) {
    fflush(NULL);
    pid_t process = fork();
    REQUIRE(process >= 0, "fork");
    if (process == 0) alarm(20);
    return process;
}

static void await(pid_t process) {
    int status = -1;
    REQUIRE(waitpid(process, &status, 0) == process && status == 0, "the child ended with %d", status);
}

static void trade_as(const char *symbol) {
    pt_error error;
    pt_account *own = opened(path);
    EXPECT(PT_OK, pt_buy(own, symbol, 1, 1, NULL, &error));
    REQUIRE(pt_close(own) == PT_OK, "closing the child's own");
}

static int32_t forking_visitor(void *context, const pt_event *event) {
    (void)event;
    int *seen = context;
    if ((*seen)++ == 0) child = forked();
    return 0;
}

static int32_t forking_analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol;
    child = forked();
    out->time = time;
    out->signal = PT_SIGNAL_STRONG_BUY;
    out->score = 90;
    out->price = 1;
    out->shares = 1;
    return PT_OK;
}

static void fork_in_history(void) {
    pt_error error;
    int seen = 0;
    pt_status status = pt_history(account, 1, forking_visitor, &seen, &error);
    if (!in_parent()) {
        REQUIRE(status == PT_OK || status == PT_FORKED, "%s", error.message);
        EXPECT(PT_FORKED, pt_buy(account, "WRONG", 1, 1, NULL, &error));
        trade_as("HISTORY");
        _exit(0);
    }
    REQUIRE(status == PT_OK && seen > 1, "%s", error.message);
    await(child);
}

/* Parent and child both come back with the analyst's opinion: only one of them may buy. */
static void fork_in_analyst(void) {
    pt_error error;
    pt_execution executions[4];
    size_t count = 0;
    EXPECT(PT_OK, pt_enqueue(account, "QUEUED", 90, PT_SIGNAL_STRONG_BUY, 1, NULL, &error));
    pt_status status = pt_execute_queue(account, forking_analyst, NULL, executions, 4, &count, &error);
    if (!in_parent()) {
        REQUIRE(status == PT_FORKED, "%s: %s", pt_status_name(status), error.message);
        trade_as("ANALYST");
        _exit(0);
    }
    REQUIRE(status == PT_OK && count == 1, "%s", error.message);
    await(child);
}

static atomic_int stop, trades;

static void *trade_all_the_time(void *symbol) {
    pt_error error;
    while (!stop) {
        EXPECT(PT_OK, pt_buy(account, symbol, 0.000001, 1, NULL, &error));
        trades++;
    }
    return NULL;
}

static void fork_beside_threads(int times) {
    pthread_t threads[2];
    pt_error error;
    for (int i = 0; i < 2; i++) REQUIRE(pthread_create(&threads[i], NULL, trade_all_the_time, "THREADS") == 0, "thread");
    for (int i = 0; i < times; i++) {
        pid_t process = forked();
        if (process == 0) {
            EXPECT(PT_FORKED, pt_buy(account, "WRONG", 1, 1, NULL, &error));
            trade_as("BESIDE");
            _exit(0);
        }
        await(process);
    }
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
    REQUIRE(argc == 3, "usage");
    path = argv[1];
    parent = getpid();
    account = opened(path);
    fork_in_history();
    fork_in_analyst();
    fork_beside_threads(atoi(argv[2]));
    REQUIRE(pt_close(account) == PT_OK, "closing");
    printf("%d\n", trades);
    return 0;
}

/* creators PATH PROCESSES ROUNDS: in each round all processes open the account PATH/ROUND at the same moment, which makes it, deposit 1
 * into it and close it. */
#include "host.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static int create(pthread_barrier_t *gate, const char *base, int rounds) {
    pt_error error;
    char path[4096];
    for (int round = 0; round < rounds; round++) {
        snprintf(path, sizeof path, "%s/%d", base, round);
        pthread_barrier_wait(gate);
        pt_account *account = opened(path);
        EXPECT(PT_OK, pt_deposit(account, 1, NULL, &error));
        REQUIRE(pt_close(account) == PT_OK, "closing");
    }
    return 0;
}

int main(int argc, char **argv) {
    REQUIRE(argc == 4, "usage");
    int processes = atoi(argv[2]), rounds = atoi(argv[3]);
    pthread_barrier_t *gate = mmap(NULL, sizeof *gate, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t shared;
    REQUIRE(gate != MAP_FAILED && pthread_barrierattr_init(&shared) == 0, "memory");
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    REQUIRE(pthread_barrier_init(gate, &shared, (unsigned)processes) == 0, "barrier");
    for (int number = 0; number < processes; number++) {
        pid_t child = fork();
        REQUIRE(child >= 0, "fork");
        if (child == 0) _exit(create(gate, argv[1], rounds));
    }
    int failed = 0, status;
    for (int number = 0; number < processes; number++) {
        REQUIRE(wait(&status) > 0, "wait");
        /* The others would wait for it at the barrier for ever. */
        if (status != 0 && !failed) failed = 1, kill(0, SIGTERM);
    }
    return failed;
}

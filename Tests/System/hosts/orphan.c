/* orphan PATH before|after: forks a child that waits until its input ends; before or after that takes the account's lock. Prints the
 * child's pid, and waits to be killed. */
#include "host.h"

static void leave_child(void) {
    fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0, "fork");
    if (child == 0) {
        char byte;
        while (read(STDIN_FILENO, &byte, 1) > 0) {}
        _exit(0);
    }
    printf("%d\n", (int)child);
}

int main(int argc, char **argv) {
    REQUIRE(argc == 3, "usage");
    pt_error error;
    pt_account *account = opened(argv[1]);
    EXPECT(PT_OK, pt_buy(account, "PARENT", 1, 1, NULL, &error));
    int is_before = strcmp(argv[2], "before") == 0;
    if (is_before) leave_child();
    EXPECT(PT_OK, pt_account_lock(account, 10000, &error));
    if (!is_before) leave_child();
    fflush(stdout);
    for (;;) pause();
}

/* SIGINT, politely. */
#include <signal.h>

#include "training/training.h"

static volatile sig_atomic_t interrupted;

static void note(int number) {
	(void)number;
	interrupted = 1;
}

void training_catch_interrupts(void) {
	struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
}

int training_interrupted(void) {
	return interrupted != 0;
}

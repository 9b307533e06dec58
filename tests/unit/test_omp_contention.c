/* When the omp plugin stays on one thread (plugins/cpu_omp/contention.h): spells begin, grow where most of the time between
 * them was waiting, and end; waits that are rare begin none. */
#include "cpu_omp/contention.h"
#include "mt_test.h"

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t time) {
	const struct timespec t = {.tv_sec = time / 1000000000, .tv_nsec = time % 1000000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
	}
}

/* In ticks: a wait that is too much alone (tens of milliseconds), and one of a millisecond or so. */
#define TOO_MUCH (100u * MT__OMP_LONG_WAIT)
#define LITTLE (4u * MT__OMP_LONG_WAIT)

/* The first wait sets the clocks by each other. */
static void set_clocks(void) {
	mt__omp_waited(true, TOO_MUCH);
	MT_CHECK(!mt__omp_is_alone());
	sleep_until(now() + 5000000);
}

/* Milliseconds from before the call to the end of the spell that begins now. */
static double begin_spell(void) {
	int64_t before = now();
	mt__omp_waited(true, TOO_MUCH);
	return 1e-6 * (double)(atomic_load(&mt__omp_alone_until) - before);
}

static void test_spells(void) {
	MT_CHECK(!mt__omp_is_alone());
	set_clocks();
	double first = begin_spell();
	MT_CHECK(mt__omp_is_alone());
	MT_CHECK_MSG(first >= 10, "the first spell takes %.1f ms", first);
	sleep_until(atomic_load(&mt__omp_alone_until));
	MT_CHECK(!mt__omp_is_alone());
	MT_CHECK_INT(atomic_load(&mt__omp_alone_until), 0);
	double second = begin_spell();
	MT_CHECK_MSG(second >= 20, "the second spell takes %.1f ms", second);
	for (int i = 0; i < 20; i++)
		begin_spell();
	double longest = begin_spell();
	MT_CHECK_MSG(longest >= 1280 && longest < 2560, "the longest spell takes %.1f ms", longest);
}

/* A wait that begins a spell, once in a time that is longer by far: two threads are better than one. */
static void test_short_spells(void) {
	for (int i = 0; i < 3; i++) {
		sleep_until(atomic_load(&mt__omp_alone_until) + 400000000);
		double spell = begin_spell();
		MT_CHECK_MSG(spell < 20, "the spell takes %.1f ms", spell);
	}
}

/* A region as it is watched: the calling thread worked and waited so many ticks, nobody began late. */
static int is_alone_after(uint64_t work, uint64_t wait, bool is_late) {
	struct mt__omp_region r;
	atomic_store(&mt__omp_alone_until, 0);
	mt__omp_region_begin(&r);
	r.begin -= work + wait;
	r.started = r.begin;
	r.ended = r.begin + work;
	atomic_store(&r.is_late, is_late);
	mt__omp_region_end(&r);
	return mt__omp_is_alone();
}

static void test_regions(void) {
	MT_CHECK_MSG(!is_alone_after(1000, 1000, true), "a short wait");
	MT_CHECK_MSG(!is_alone_after(1000 * MT__OMP_LONG_WAIT, 100 * MT__OMP_LONG_WAIT, true),
	             "a wait shorter than the work");
	MT_CHECK_MSG(is_alone_after(MT__OMP_LONG_WAIT, TOO_MUCH, true), "a long wait for a late thread");
}

static int is_alone_after_waits(int count, int64_t apart) {
	atomic_store(&mt__omp_alone_until, 0);
	for (int i = 0; i < count; i++) {
		mt__omp_waited(true, LITTLE);
		sleep_until(now() + apart);
	}
	return atomic_load(&mt__omp_alone_until) != 0;
}

static void test_rare_waits(void) {
	MT_CHECK_MSG(!is_alone_after_waits(20, 50000000), "a millisecond in fifty");
	MT_CHECK_MSG(is_alone_after_waits(20, 100000), "a millisecond, twenty times in a few");
}

static const mt_test_case cases[] = {{"spells", test_spells},
                                     {"short spells", test_short_spells},
                                     {"regions", test_regions},
                                     {"rare waits", test_rare_waits},
                                     {0}};
static const mt_test_suite suites[] = {{"contention", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}

#include "race.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "emulated_grid.h"
#include "memory_state.h"
#include "race_report.h"
#include "shadow.h"

namespace mt_emulated {

bool is_watching;
static bool running; /* a block, whose kernel tells its accesses */
static pthread_t host_thread;

/* MT_EMULATOR_UNWRITTEN=memory: reads of shared memory that nobody has written are let pass. */
static bool lets_shared_pass() {
	static const char *const text = getenv("MT_EMULATOR_UNWRITTEN");
	return text && strcmp(text, "memory") == 0;
}

as_warp::as_warp() {
	now.of_warp = OF_WARP;
}

as_warp::~as_warp() {
	now.of_warp = 0;
}

void race_begin_launch() {
	if (!is_watching)
		return;
	shadow_begin_launch();
	host_thread = pthread_self();
}

void race_begin_block(uint32_t block) {
	if (!is_watching)
		return;
	clock_begin(block);
	shadow_begin_block();
	running = true;
}

void race_end_block() {
	running = false;
}

bool runs_block() {
	return running && pthread_equal(pthread_self(), host_thread);
}

void strong_access(const void *p, size_t bytes, bool changes, const void *code) {
	race_access(changes ? access::strong_write : access::strong_read, p, bytes, code);
}

/* ---- of threads ---- */

/* A mark in m that does not come before now; time 0 where each does. */
static mark unordered(const marks &m) {
	const mark none = {};
	if (m.last.time == 0)
		return none;
	if (m.other.time != 0 && m.other.block != now.block)
		return m.other;
	if (m.last.block != now.block)
		return m.last;
	unsigned warp = now.thread / LANES, mine = warp_of(m.last) == warp;
	if (m.last.time <= now.barrier)
		return none;
	if (m.warps & ~(1u << warp))
		return mine ? m.other : m.last;
	if (m.last.time <= now.warp[warp])
		return none;
	for (unsigned lanes = now.of_warp ? m.lanes : m.lanes & ~(1u << now.thread % LANES); lanes != 0;
	     lanes &= lanes - 1) {
		mark one = m.last;
		one.thread = (uint16_t)(warp * LANES + (unsigned)__builtin_ctz(lanes));
		if (!comes_before(one))
			return one;
	}
	return none;
}

static mark mark_of(const access_at &a) {
	return {now.block, now.time, a.code, (uint16_t)(now.thread | now.of_warp)};
}

static void add(marks &m, const access_at &a) {
	unsigned warp = now.thread / LANES;
	uint32_t warp_bit = 1u << warp, lane_bit = now.of_warp ? ~0u : 1u << now.thread % LANES;
	bool same_block = m.last.time != 0 && m.last.block == now.block;
	if (!same_block || m.last.time <= now.barrier) {
		if (m.last.time != 0 && !same_block && (m.other.time == 0 || m.other.block == m.last.block))
			m.other = m.last;
		m.warps = warp_bit;
		m.lanes = lane_bit;
	} else if (warp_of(m.last) == warp) {
		m.lanes = m.last.time <= now.warp[warp] ? lane_bit : m.lanes | lane_bit;
	} else {
		if (m.other.time == 0 || m.other.block == now.block)
			m.other = m.last;
		m.warps |= warp_bit;
		m.lanes = lane_bit;
	}
	m.last = mark_of(a);
}

/* ---- of a word, or of a byte ---- */

static bool writes(access how) {
	return how != access::read && how != access::strong_read;
}

static bool is_strong(access how) {
	return how == access::strong_read || how == access::strong_write;
}

static void check_against(const mark &m, access earlier, const access_at &a) {
	if (m.time != 0)
		report_race(a, earlier, m);
}

static void check_order(const cell &c, const access_at &a) {
	if (c.write.time != 0 && !comes_before(c.write) && a.how != access::land)
		report_race(a, access::write, c.write);
	if (writes(a.how))
		check_against(unordered(c.reads), access::read, a);
	if (c.strong == 0 || is_strong(a.how))
		return;
	const strong_marks &strong = *strong_of(c.strong);
	check_against(unordered(strong.writes), access::strong_write, a);
	if (writes(a.how))
		check_against(unordered(strong.reads), access::strong_read, a);
}

static void keep_order(cell &c, const access_at &a) {
	switch (a.how) {
	case access::read:
		add(c.reads, a);
		break;
	case access::write: /* every read came before it */
	case access::copy:
	case access::land:
		c.write = mark_of(a);
		c.write.time = a.how == access::copy ? IN_FLIGHT : now.time;
		c.reads = {};
		break;
	default:
		if (c.strong == 0)
			c.strong = new_strong();
		add(writes(a.how) ? strong_of(c.strong)->writes : strong_of(c.strong)->reads, a);
	}
}

static bool was_written(const cell &c) {
	return c.write.time != 0 || (c.strong != 0 && strong_of(c.strong)->writes.last.time != 0);
}

static bool is_mine(const mark &m) {
	return m.time == now.time && m.thread == (now.thread | now.of_warp) && m.block == now.block;
}

static void check(cell &c, uint32_t run, const access_at &a) {
	if (c.run != run) {
		c = {};
		c.run = run;
	} else if (a.how == access::read && is_mine(c.reads.last)) {
		return; /* what has come since was checked against it */
	}
	check_order(c, a);
	if (!writes(a.how) && !a.in_memory && !was_written(c) && !lets_shared_pass())
		report_unwritten(a);
	keep_order(c, a);
}

static void check_bytes(cell &c, uint32_t run, const access_at &a, size_t first, size_t bytes) {
	if (c.run != run) {
		c = {};
		c.run = run;
	}
	if (c.bytes == 0)
		c.bytes = new_cells(c);
	cell *each = cells_of(c.bytes);
	for (size_t i = first; i < first + bytes; i++)
		check(each[i], run, a);
}

void race_access(access how, const void *p, size_t bytes, const void *code) {
	if (!running)
		return;
	region *r = region_of(p);
	if (!r)
		return;
	access_at a = {how, r == &regions[MEMORY], p, bytes, code_number(code)};
	if (a.in_memory)
		check_state(a);
	for (uintptr_t at = (uintptr_t)p - r->begin, end = at + bytes, next; at < end; at = next) {
		cell &c = r->cells[at / 4];
		next = (at & ~(uintptr_t)3) + 4;
		if (at % 4 == 0 && next <= end && (c.run != r->run || c.bytes == 0))
			check(c, r->run, a);
		else
			check_bytes(c, r->run, a, at % 4, (next < end ? next : end) - at);
	}
}

} // namespace mt_emulated

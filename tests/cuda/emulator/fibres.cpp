#include "fibres.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#if !defined __x86_64__ || defined MT_EMULATOR_UCONTEXT
#define USE_UCONTEXT
#include <ucontext.h>
#endif

namespace {

constexpr size_t STACK_BYTES = 128 << 10;
constexpr int MOST_FIBRES = 1024;

/* ---- a context that does not run: its stack pointer, with the registers that calls preserve on the stack ---- */

#ifndef USE_UCONTEXT

struct context {
	void *stack_pointer;
};

extern "C" __attribute__((visibility("hidden"))) void mt_emulated_switch(context *from, const context *to);
__asm__(".pushsection .text\n"
        ".globl mt_emulated_switch\n"
        ".hidden mt_emulated_switch\n"
        ".type mt_emulated_switch, @function\n"
        "mt_emulated_switch:\n"
        "	pushq %rbp\n"
        "	pushq %rbx\n"
        "	pushq %r12\n"
        "	pushq %r13\n"
        "	pushq %r14\n"
        "	pushq %r15\n"
        "	movq %rsp, (%rdi)\n"
        "	movq (%rsi), %rsp\n"
        "	popq %r15\n"
        "	popq %r14\n"
        "	popq %r13\n"
        "	popq %r12\n"
        "	popq %rbx\n"
        "	popq %rbp\n"
        "	ret\n"
        ".size mt_emulated_switch, . - mt_emulated_switch\n"
        ".popsection\n");

/* The first switch returns into start: six registers, its address, and no return address of its own. */
void prepare(context *c, char *, char *top, void (*start)()) {
	void **words = (void **)((uintptr_t)top & ~(uintptr_t)15);
	*--words = nullptr;
	*--words = (void *)start;
	for (int i = 0; i < 6; i++)
		*--words = nullptr;
	c->stack_pointer = words;
}

#else

typedef ucontext_t context;

void mt_emulated_switch(context *from, const context *to) {
	swapcontext(from, to);
}

void prepare(context *c, char *stack, char *top, void (*start)()) {
	getcontext(c);
	c->uc_stack.ss_sp = stack;
	c->uc_stack.ss_size = (size_t)(top - stack);
	c->uc_link = nullptr;
	makecontext(c, start, 0);
}

#endif

} // namespace

namespace mt_emulated {

struct fibre {
	context own;
	void (*body)();
	bool resting;
	fibre *next;
};

static fibre all[MOST_FIBRES];
static int made;
static fibre *at_rest;
static fibre *current;
static context outside;

static void run_bodies() {
	for (;;) {
		current->body();
		current->resting = true;
		leave_fibre();
	}
}

/* Stacks begin at different offsets in their pages, so that their hot ends do not share the same lines of the cache. */
static fibre *make_fibre() {
	if (made == MOST_FIBRES)
		return nullptr;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *stack = (char *)mmap(nullptr, page + STACK_BYTES, PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return nullptr;
	mprotect(stack, page, PROT_NONE);
	fibre *f = &all[made];
	prepare(&f->own, stack + page, stack + page + STACK_BYTES - (size_t)(made % 48) * 64, run_bodies);
	f->resting = true;
	made++;
	return f;
}

fibre *take_fibre() {
	fibre *f = at_rest;
	if (f)
		at_rest = f->next;
	return f ? f : make_fibre();
}

bool enter_fibre(fibre *f, void (*body)()) {
	if (f->resting) {
		f->body = body;
		f->resting = false;
	}
	current = f;
	mt_emulated_switch(&outside, &f->own);
	if (!f->resting)
		return false;
	f->next = at_rest;
	at_rest = f;
	return true;
}

void leave_fibre() {
	mt_emulated_switch(&current->own, &outside);
}

} // namespace mt_emulated

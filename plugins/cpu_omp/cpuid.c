/* Which ISA levels can run here: CPUID says what the CPU has, XCR0 which registers the operating system saves. */
#include "omp.h"

#include <stdio.h>
#include <string.h>

static const char *const isa_names[MT__OMP_ISA_COUNT] = {"base", "avx2", "avx512", "avx512_bf16", "amx"};

const char *mt__omp_isa_name(enum mt__omp_isa isa) {
	return isa_names[isa];
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* XCR0's bits for the upper halves of ymm; for the mask registers and zmm; for AMX's tiles and their configuration. */
#define XCR0_AVX 0x6u
#define XCR0_AVX512 0xe6u
#define XCR0_AMX 0x60000u

/* CPUID leaf 7: AVX512_BF16 in eax of subleaf 1; AMX-BF16 and AMX-TILE in edx of subleaf 0. */
#define LEAF7_1_EAX_AVX512_BF16 (1u << 5)
#define LEAF7_EDX_AMX (1u << 22 | 1u << 24)

/* Linux: asks for an extended register state; AMX's tile data is number 18. */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

static uint32_t read_xcr0(void) {
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/* Beyond AVX-512, whose presence is known.  edx: of leaf 7. */
static enum mt__omp_isa best_above_avx512(uint32_t edx) {
	enum mt__omp_isa best = MT__OMP_AVX512;
	uint32_t eax, ebx, ecx, ignored;
	if (!__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &ignored) || !(eax & LEAF7_1_EAX_AVX512_BF16))
		return best;
#ifdef MT_HAVE_AVX512_BF16
	best = MT__OMP_AVX512_BF16;
#endif
#ifdef MT_HAVE_AMX
	if ((edx & LEAF7_EDX_AMX) == LEAF7_EDX_AMX && (read_xcr0() & XCR0_AMX) == XCR0_AMX)
		best = MT__OMP_AMX;
#endif
	(void)edx;
	return best;
}

enum mt__omp_isa mt__omp_best_isa(void) {
	uint32_t eax, ebx, ecx, edx;
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return MT__OMP_BASE;
	uint32_t need1 = bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C;
	if ((ecx & need1) != need1 || (read_xcr0() & XCR0_AVX) != XCR0_AVX)
		return MT__OMP_BASE;
	if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & bit_AVX2))
		return MT__OMP_BASE;
#ifdef MT_HAVE_AVX512
	uint32_t need7 = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
	if ((ebx & need7) == need7 && (read_xcr0() & XCR0_AVX512) == XCR0_AVX512)
		return best_above_avx512(edx);
#endif
#ifdef MT_HAVE_AVX2
	return MT__OMP_AVX2;
#else
	return MT__OMP_BASE;
#endif
}

bool mt__omp_amx_permitted(void) {
	static _Atomic int answer; /* 0: not asked yet */
	if (answer == 0)
		answer = syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 ? 1 : -1;
	return answer > 0;
}

/* Zen 4's family.  Zen 5, which has units of 512 bits, is another; Zen 3, which is this one too, has no AVX-512. */
#define FAMILY_ZEN_4 0x19u

bool mt__omp_is_double_pumped(void) {
	static _Atomic int answer; /* 0: not looked yet; under a hypervisor each look takes microseconds */
	if (answer == 0) {
		uint32_t eax, ebx, ecx, edx;
		bool amd = __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_AMD_ebx;
		answer = amd && __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (eax >> 8 & 0xf) + (eax >> 20 & 0xff) == FAMILY_ZEN_4
		             ? 1
		             : -1;
	}
	return answer > 0;
}

/* The brand string: leaves 0x80000002 to 0x80000004, 16 characters each. */
static void brand_string(char out[49]) {
	uint32_t words[12] = {0};
	for (uint32_t i = 0; i < 3; i++)
		if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]))
			break;
	memcpy(out, words, 48);
	out[48] = 0;
}

#else

enum mt__omp_isa mt__omp_best_isa(void) {
	return MT__OMP_BASE;
}

bool mt__omp_amx_permitted(void) {
	return false;
}

bool mt__omp_is_double_pumped(void) {
	return false;
}

static void brand_string(char out[49]) {
	out[0] = 0;
}

#endif

void mt__omp_cpu_name(char *out, size_t size) {
	char brand[49];
	brand_string(brand);
	const char *from = brand + strspn(brand, " ");
	size_t length = strlen(from);
	while (length && from[length - 1] == ' ')
		length--;
	if (!length)
		from = "CPU", length = 3;
	snprintf(out, size, "%.*s", (int)length, from);
}

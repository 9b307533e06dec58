/* Which ISA levels can run here: CPUID says what the CPU has, XCR0 which registers the operating system saves. */
#include "omp.h"

#include <stdio.h>
#include <string.h>

static const char *const isa_names[MT__OMP_ISA_COUNT] = {"base", "avx2", "avx512"};

const char *mt__omp_isa_name(enum mt__omp_isa isa) {
	return isa_names[isa];
}

#if defined(__x86_64__)
#include <cpuid.h>

/* XCR0's bits for the upper halves of ymm, and for the mask registers and zmm. */
#define XCR0_AVX 0x6u
#define XCR0_AVX512 0xe6u

static uint32_t read_xcr0(void) {
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
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
		return MT__OMP_AVX512;
#endif
#ifdef MT_HAVE_AVX2
	return MT__OMP_AVX2;
#else
	return MT__OMP_BASE;
#endif
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

/* The ten digits as pen strokes: one to three styles each. */
#include <stddef.h>

#include "data/glyphs.h"

enum { D = MT__PEN_DOWN, S = MT__PEN_SMOOTH, C = MT__PEN_CORNER };

typedef struct mt__glyph_point point;

static const point zero_a[] = {{56, 1, D},   {26, 16, S}, {9, 66, S},  {20, 118, S}, {50, 140, S},
                               {80, 118, S}, {92, 68, S}, {78, 18, S}, {50, 0, S}};
static const point zero_b[] = {{40, 4, D},  {16, 44, S}, {14, 100, S}, {40, 138, S}, {70, 126, S},
                               {84, 76, S}, {70, 18, S}, {44, 2, S},   {30, 16, S}};

static const point one_a[] = {{50, 0, D}, {50, 140, S}};
static const point one_b[] = {{26, 34, D}, {54, 0, C}, {52, 140, C}};
static const point one_c[] = {{26, 30, D}, {52, 0, C}, {52, 140, C}, {24, 140, D}, {82, 140, C}};

static const point two_a[] = {{12, 36, D}, {26, 9, S},   {56, 0, S},  {84, 16, S}, {82, 48, S},
                              {58, 84, S}, {30, 116, S}, {8, 139, C}, {94, 137, C}};
static const point two_b[] = {{14, 30, D},  {40, 2, S},   {78, 14, S},  {78, 52, S},  {50, 96, S}, {22, 130, S},
                              {10, 122, S}, {24, 106, S}, {48, 122, S}, {72, 136, S}, {96, 124, S}};

static const point three_a[] = {{14, 20, D}, {44, 0, S},   {80, 14, S},  {78, 46, S},  {40, 66, C},
                                {74, 76, S}, {90, 102, S}, {74, 130, S}, {42, 140, S}, {10, 122, S}};
static const point three_b[] = {{14, 5, D},  {82, 4, C},   {44, 58, C},  {76, 68, S},
                                {90, 98, S}, {70, 132, S}, {36, 140, S}, {8, 122, S}};

static const point four_a[] = {{22, 0, D},  {15, 44, S}, {10, 78, C}, {92, 75, C},
                               {72, 10, D}, {70, 70, S}, {66, 140, S}};
static const point four_b[] = {{70, 140, D}, {70, 0, C}, {6, 96, C}, {96, 96, C}};
static const point four_c[] = {{26, 6, D},  {14, 52, S}, {34, 80, S}, {66, 70, S},
                               {80, 40, S}, {84, 2, C},  {76, 74, S}, {70, 140, S}};

static const point five_a[] = {{84, 4, D},  {28, 6, C},   {20, 60, C},  {52, 52, S},
                               {84, 72, S}, {84, 112, S}, {54, 138, S}, {12, 126, S}};
static const point five_b[] = {{30, 10, D},  {22, 62, C}, {60, 58, S}, {86, 88, S}, {70, 128, S},
                               {36, 140, S}, {8, 124, S}, {28, 10, D}, {60, 8, S},  {92, 0, S}};

static const point six_a[] = {{74, 2, D},   {38, 32, S}, {14, 82, S}, {20, 124, S}, {50, 140, S},
                              {82, 122, S}, {82, 88, S}, {52, 74, S}, {20, 98, S}};
static const point six_b[] = {{54, 0, D},   {28, 50, S}, {12, 100, S}, {28, 136, S}, {62, 136, S},
                              {78, 108, S}, {58, 84, S}, {30, 94, S},  {16, 116, S}};

static const point seven_a[] = {{8, 8, D}, {90, 6, C}, {62, 70, S}, {44, 140, S}};
static const point seven_b[] = {{8, 8, D}, {90, 6, C}, {60, 70, S}, {44, 140, S}, {30, 74, D}, {82, 70, S}};
static const point seven_c[] = {{10, 30, D}, {14, 6, C}, {90, 8, C}, {60, 72, S}, {50, 140, S}};

static const point eight_a[] = {{80, 16, D}, {50, 0, S},   {22, 16, S},  {28, 44, S},  {54, 66, S},
                                {80, 94, S}, {82, 124, S}, {50, 140, S}, {18, 124, S}, {22, 96, S},
                                {50, 68, S}, {74, 42, S},  {78, 14, S}};
static const point eight_b[] = {{50, 64, D},  {24, 46, S}, {26, 12, S}, {52, 0, S},   {78, 16, S},
                                {76, 46, S},  {50, 64, S}, {16, 88, S}, {14, 122, S}, {48, 140, S},
                                {84, 124, S}, {84, 88, S}, {50, 64, S}};

static const point nine_a[] = {{82, 20, D}, {50, 2, S},  {18, 24, S}, {22, 62, S}, {54, 70, S},
                               {80, 44, S}, {84, 14, C}, {82, 80, S}, {70, 140, S}};
static const point nine_b[] = {{80, 40, D}, {60, 66, S}, {26, 62, S},  {18, 28, S},  {44, 0, S},
                               {76, 12, S}, {82, 50, S}, {76, 100, S}, {52, 134, S}, {16, 128, S}};

#define MT__STYLE(name)                                                                                                \
	{ name, sizeof name / sizeof *name }

static const struct mt__glyph styles[10][3] = {
	{MT__STYLE(zero_a), MT__STYLE(zero_b)},
	{MT__STYLE(one_a), MT__STYLE(one_b), MT__STYLE(one_c)},
	{MT__STYLE(two_a), MT__STYLE(two_b)},
	{MT__STYLE(three_a), MT__STYLE(three_b)},
	{MT__STYLE(four_a), MT__STYLE(four_b), MT__STYLE(four_c)},
	{MT__STYLE(five_a), MT__STYLE(five_b)},
	{MT__STYLE(six_a), MT__STYLE(six_b)},
	{MT__STYLE(seven_a), MT__STYLE(seven_b), MT__STYLE(seven_c)},
	{MT__STYLE(eight_a), MT__STYLE(eight_b)},
	{MT__STYLE(nine_a), MT__STYLE(nine_b)},
};

int mt__glyph_styles(int digit) {
	int n = 0;
	while (n < 3 && styles[digit][n].points != NULL)
		n++;
	return n;
}

struct mt__glyph mt__glyph_style(int digit, int style) {
	return styles[digit][style];
}

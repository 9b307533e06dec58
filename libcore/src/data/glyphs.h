/* The ten digits as pen strokes. */
#ifndef MT_DATA_GLYPHS_H
#define MT_DATA_GLYPHS_H

#include <stdint.h>

enum mt__pen { MT__PEN_DOWN, MT__PEN_SMOOTH, MT__PEN_CORNER };

/* A point that the pen passes, in a box 100 wide and 140 high, y down: where a stroke begins, a smooth point of it, or
 * a corner. */
struct mt__glyph_point {
	uint8_t x, y, pen; /* pen: enum mt__pen */
};

#define MT__GLYPH_POINTS 24 /* the most points of one style */

struct mt__glyph {
	const struct mt__glyph_point *points;
	int n;
};

/* Number of styles of a digit, 0 to 9; and one of them. */
int mt__glyph_styles(int digit);
struct mt__glyph mt__glyph_style(int digit, int style);

#endif

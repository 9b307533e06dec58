/* Texts of the table: widths on a terminal, times and rates with three digits that count. */
#ifndef APPS_BENCH_TEXT_H
#define APPS_BENCH_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Columns that UTF-8 text takes on a terminal: combining marks 0, East Asian wide characters and emoji 2. */
int text_width(const char *text);

/* text, then spaces up to width columns; text_right: the spaces first. */
void text_left(FILE *out, const char *text, int width);
void text_right(FILE *out, const char *text, int width);

/* As much of text as fits into width columns, with an ellipsis where it was cut. */
void text_cut(const char *text, int width, char *out, size_t size);

/* "45.1 µs", "1.20 ms", "12.0 s". */
void text_time(double seconds, char *out, size_t size);

/* "11.6 GF/s", "823 MB/s", "241 ex/s" for the units F, B and ex. */
void text_rate(double rate, const char *unit, char *out, size_t size);

/* "27.3", "0.85", "812": three digits that count, from 100 on whole. */
void text_three(double value, char *out, size_t size);

#endif

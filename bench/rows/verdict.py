"""Bars and their verdicts, and how they are shown.  Nothing here runs anything."""
import dataclasses
import math
import re
import statistics


class Cannot(Exception):
    """A row or a bar cannot be measured here; the text says why."""


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


@dataclasses.dataclass
class Bar:
    """One demand on a row: value at least, or at most, limit.  why: in place of a verdict where nothing can be said:
    "no peer", or "cannot: ..."."""

    text: str
    limit: float
    value: float = None
    form: str = "{:.2f}"
    at_most: bool = False
    note: str = ""
    why: str = ""

    @property
    def verdict(self):
        if self.why:
            return self.why
        if self.value is None or not math.isfinite(self.value):
            return "cannot: nothing was measured"
        reached = self.value <= self.limit if self.at_most else self.value >= self.limit
        return "pass" if reached else "short"

    @property
    def measured(self):
        """With a digit more where it is short and would look like its limit."""
        if self.value is None:
            return "-"
        text = self.form.format(self.value)
        if self.verdict == "short" and text == self.form.format(self.limit):
            text = re.sub(r"\.(\d)f", lambda m: f".{int(m[1]) + 1}f", self.form).format(self.value)
        return text

    @property
    def demand(self):
        return ("<= " if self.at_most else ">= ") + self.form.format(self.limit)


def unmeasured(bars, why):
    """The same bars, none of them measured."""
    return [dataclasses.replace(b, value=None, why=why) for b in bars]


# ---- many cases, one bar ----


def worst(values, at_most=False):
    """The name and value of the case that is furthest from its bar; values: {name: value}."""
    name = (max if at_most else min)(values, key=values.get)
    return name, values[name]


def mean_bar(text, limit, values, missing="no peer"):
    """The geometric mean of ratios; {name: ratio}."""
    if not values:
        return Bar(text, limit, form="{:.2f} x", why=missing)
    name, least = worst(values)
    return Bar(text, limit, geometric_mean(values.values()), "{:.2f} x",
               note=f"{len(values)} cases, lowest {least:.2f} at {name}")


def least_bar(text, limit, values, missing="no peer", form="{:.2f} x"):
    """The lowest of them counts; the note says where it is and how the others are."""
    if not values:
        return Bar(text, limit, form=form, why=missing)
    name, least = worst(values)
    below = sum(v < limit for v in values.values())
    note = f"lowest at {name}"
    if len(values) > 1:
        note += f", geometric mean {form.format(geometric_mean(values.values()))}"
    if below > 1:
        note += f"; {below} of {len(values)} below"
    return Bar(text, limit, least, form, note=note)


def share_bar(text, limit, values):
    return least_bar(text, limit, {k: 100 * v for k, v in values.items()}, "cannot: no share was measured", "{:.0f}%")


# ---- tables ----


def distance_text(nanoseconds):
    """Behind a row's title: how far the cores were apart, before each turn of two threads.  Nothing where none was."""
    if not nanoseconds:
        return ""
    return (f"; cores {statistics.median(nanoseconds):.0f} ns apart"
            f" ({min(nanoseconds):.0f} to {max(nanoseconds):.0f})")


def text_table(rows):
    """rows: [(title, [Bar])]."""
    lines = []
    for title, bars in rows:
        lines.append(title)
        for bar in bars:
            line = f"  {bar.text:<58} {bar.measured:>10} {bar.demand:>11}  {bar.verdict}"
            lines.append(line + (f"  ({bar.note})" if bar.note else ""))
    counts = {}
    for _, bars in rows:
        for bar in bars:
            verdict = bar.verdict.split(":")[0]
            counts[verdict] = counts.get(verdict, 0) + 1
    lines.append(", ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    return "\n".join(lines)


def markdown_table(rows):
    lines = ["| work | bar | demand | measured | verdict | note |", "| --- | --- | --- | --- | --- | --- |"]
    for title, bars in rows:
        for i, bar in enumerate(bars):
            cells = [title if i == 0 else "", bar.text, bar.demand, bar.measured, bar.verdict, bar.note]
            lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def as_json(rows):
    return [{"title": title, "bars": [{"text": b.text, "limit": b.limit, "at_most": b.at_most, "value": b.value,
                                       "verdict": b.verdict, "note": b.note} for b in bars]} for title, bars in rows]

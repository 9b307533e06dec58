"""What the peers in Python share: the list of cases, their inputs, the clock, and the report (apps/bench/report.h).

A peer is a table of ops.  Each entry takes a Case and an Inputs, and returns a function that does the work once and
returns its result; where it cannot, it raises Unavailable with the reason."""
import argparse
import functools
import math
import os
import re
import sys
import time

import numpy as np

from report import new_report, write_report

MOST_CALLS = 1000000


class Unavailable(Exception):
    """The peer has no such op, dtype or size."""


class Case:
    """One line of mt-bench --list: "ops/matmul/f32/m=64,k=64,n=64"."""

    def __init__(self, text):
        parts = text.split("/", 3)
        if len(parts) != 4 or not all(parts):
            raise ValueError(f"'{text}' is no case: SUITE/OP/DTYPE/SIZE")
        self.id = text
        self.suite, self.op, self.dtype, self.size = parts
        self.numbers = {k: int(v) for k, v in re.findall(r"(?:^|,)([a-z]+)=(\d+)", self.size)}
        self.extents = [int(n) for n in re.findall(r"\d+", self.size)]

    def __getitem__(self, name):
        """An extent: case["m"]."""
        if name not in self.numbers:
            raise Unavailable(f"size '{self.size}' has no {name}")
        return self.numbers[name]

    def get(self, name, default):
        return self.numbers.get(name, default)

    def sides(self, count):
        """The numbers of a size like "512x1000"."""
        if len(self.extents) != count:
            raise Unavailable(f"size '{self.size}' has not {count} extents")
        return self.extents


def read_cases(path):
    """The program ends with a message where they cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return [Case(line.strip()) for line in file if line.strip()]
    except (OSError, ValueError) as why:
        sys.exit(f"{os.path.basename(sys.argv[0])}: --cases {path}: {why}")


@functools.lru_cache(maxsize=1)
def _mixed(n, tensor):
    """Numbers in [-1, 1) that every peer makes alike, in C too: the finaliser of MurmurHash3 over positions.  The last
    array is kept, as making a large one takes longer than timing with it: nobody may write into it."""
    h = np.arange(n, dtype=np.uint32) + np.uint32((tensor * 0x9E3779B9) & 0xFFFFFFFF)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h.astype(np.float64) * 2.0**-31 - 1


class Inputs:
    """A case's inputs, numbered 0, 1, … in the order in which they are asked for."""

    def __init__(self):
        self.tensors = 0

    def uniform(self, *shape):
        """f32 or, where the dtype needs it, f64 is made of these: numbers in [-1, 1)."""
        n = math.prod(shape)
        values = _mixed(n, self.tensors).reshape(shape)
        self.tensors += 1
        return values

    def integers(self, low, high, *shape):
        return np.floor((self.uniform(*shape) + 1) / 2 * (high - low)).astype(np.int64) + low


def value_of(out):
    """One number for a result: its mean under weights of their own, which no permutation of it has, too."""
    flat = np.asarray(out, dtype=np.float64).reshape(-1)
    return float(np.mean(flat * _mixed(flat.size, 1000)))


def quantile(values, q):
    values = sorted(values)
    at = q * (len(values) - 1)
    low = min(int(at), len(values) - 1)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


def measure(run, synchronize, options):
    """As mt-bench does: so many turns, each the mean of as many calls as fill its part of min_time."""

    def seconds(calls):
        begin = time.perf_counter()
        for _ in range(calls):
            run()
        synchronize()
        return (time.perf_counter() - begin) / calls

    first = once = seconds(1)
    if first > options.max_time:
        return {"status": "ok", "median": first, "p10": first, "p90": first, "runs": 1, "calls": 1}
    if first < 0.1:
        once = min(first, seconds(2))
    calls = min(max(1, math.ceil(options.min_time / options.repeat / once)), MOST_CALLS)
    turns = max(1, min(options.repeat, int(options.max_time / (once * calls))))
    times = []
    for _ in range(turns):
        if calls > 1:
            seconds(1)
        times.append(seconds(calls))
    return {"status": "ok", "median": quantile(times, 0.5), "p10": quantile(times, 0.1), "p90": quantile(times, 0.9),
            "runs": turns, "calls": calls}


def run_case(case, table, inputs, peer, options):
    """The result; None where the peer is not asked for such an op at all."""
    prepare = table.get(f"{case.suite}/{case.op}", table.get(case.op))
    if prepare is None:
        return None
    try:
        run = prepare(case, inputs)
        result = measure(run, peer.synchronize, options)
        if options.values and case.suite != "train":
            result["value"] = value_of(peer.to_numpy(run()))
        return result
    except Unavailable as why:
        return {"status": "unavailable", "reason": str(why)}
    except (RuntimeError, MemoryError, ValueError, TypeError, NotImplementedError) as why:
        return {"status": "failed", "reason": f"{type(why).__name__}: {str(why).splitlines()[0] if str(why) else ''}"}


def parse_options(name):
    parser = argparse.ArgumentParser(prog=f"bench/peers/{name}")
    parser.add_argument("--cases", required=True, metavar="FILE", help="what mt-bench --list prints")
    parser.add_argument("--json", required=True, metavar="FILE", help="the report to write")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--min-time", type=float, default=0.05, metavar="S")
    parser.add_argument("--max-time", type=float, default=2, metavar="S")
    parser.add_argument("--repeat", type=int, default=7, metavar="N")
    parser.add_argument("--values", action="store_true", help="a number for each result, to compare peers by")
    return parser


def main(peer, options):
    """peer: name, title, device, table, inputs(), synchronize(), to_numpy(result)."""
    document = new_report(" ".join(sys.argv),
                          [{"name": peer.name, "device": peer.device, "reason": None, "peer": True}])
    for case in read_cases(options.cases):
        result = run_case(case, peer.table, peer.inputs(), peer, options)
        document["cases"].append({"id": case.id, "suite": case.suite, "op": case.op, "dtype": case.dtype,
                                  "size": case.size, "results": {peer.name: result} if result else {}})
    write_report(options.json, document)

"""bench/limits: the table of what the omp backend is to reach, with what it does reach on this machine."""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import case_rows
import program_rows
from lab import Lab, peers
from verdict import Bar, Cannot, as_json, distance_text, markdown_table, text_table

ROWS = {
    "gemm": ("f32 GEMM, squares of 32 to 2048, all four transposes", case_rows.gemm),
    "layers": ("f32 GEMM, 16 skinny and batched shapes of layers", case_rows.layers),
    "bf16": ("bf16 GEMM, 512, 1024, 2048", case_rows.bf16),
    "maps": ("map and zip", case_rows.maps),
    "reductions": ("reductions over each axis, softmax, layer norm", case_rows.reductions),
    "conv": ("convolution and both gradients, 12 shapes", case_rows.conv),
    "lenet": ("LeNet training step", case_rows.lenet),
    "mlp": ("784-500-10 MLP with AdamW, batch 500, epochs on MNIST", case_rows.mlp),
    "points": ("points network, hidden 100, batch 10", case_rows.points),
    "mnist": ("MNIST to 99% (train_mnist --model fast)", program_rows.mnist),
    "dispatch": ("dispatch", program_rows.dispatch),
    "memory": ("peak memory of LeNet training, batch 128", program_rows.memory),
}


def parse_options():
    parser = argparse.ArgumentParser(
        prog="bench/limits", description="What the omp backend reaches of the hardware and of the best libraries.",
        epilog="A benchmark, not a test: the exit status is 0 where it could measure, whatever the verdicts.  About a "
               "quarter of an hour on two cores; --quick takes a few minutes: fewer sizes, one round.")
    parser.add_argument("--row", action="append", default=[], choices=list(ROWS), metavar="NAME",
                        help="only this row; may be given again (--list names them)")
    parser.add_argument("--list", action="store_true", help="list the rows and measure nothing")
    parser.add_argument("--quick", action="store_true", help="fewer sizes, one round, shorter timings")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns that all programs take (default 3; --quick 1)")
    parser.add_argument("--json", metavar="FILE", help="write the rows, and every case's times, as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write the table in Markdown")
    parser.add_argument("--build", metavar="DIR", default=os.environ.get("MT_BUILD_DIR", str(peers.SOURCE / "build")),
                        help="the build folder (default: MT_BUILD_DIR, or build)")
    options = parser.parse_args()
    if options.rounds is None:
        options.rounds = 1 if options.quick else 3
    if options.rounds < 1:
        parser.error(f"--rounds: expected a number from 1, got {options.rounds}")
    return options


def measure(name, lab):
    """The row's title and bars; one that says why where it cannot be measured."""
    begin, sampled = time.monotonic(), len(lab.distances)
    try:
        bars = ROWS[name][1](lab)
    except (Cannot, peers.Failure) as why:
        bars = [Bar("all of it", 0, why=f"cannot: {why}")]
    print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return ROWS[name][0] + distance_text(lab.distances[sampled:]), bars


def main():
    options = parse_options()
    if options.list:
        for name, (title, _) in ROWS.items():
            print(f"{name:<12} {title}")
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="mt-limits.") as folder:
            lab = Lab(options, pathlib.Path(folder))
            names = options.row or ROWS
            rows = [measure(name, lab) for name in ROWS if name in names]
    except (Cannot, peers.Failure) as why:
        print(f"bench/limits: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(text_table(rows))
    if options.json:
        document = {"rows": as_json(rows), "distances_ns": lab.distances,
                    "samples": [s.document() for s in lab.samples]}
        pathlib.Path(options.json).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if options.markdown:
        pathlib.Path(options.markdown).write_text(markdown_table(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

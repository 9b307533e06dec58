"""What the rows measure with: mt-bench and its peers in turns (bench/peers/run.py), and other programs."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))

import run as peers  # noqa: E402

from samples import OURS, Samples  # noqa: E402
from verdict import Cannot  # noqa: E402

STAGED = [f".libs/mt/mt_{name}.so" for name in ("naive", "omp")]  # the plugins as programs here find them
TITLES = {"openblas": "OpenBLAS", "onednn": "oneDNN", "mkl": "MKL", "torch": "PyTorch"}


class Lab:
    def __init__(self, options, folder):
        self.build, self.rounds, self.quick = pathlib.Path(options.build), options.rounds, options.quick
        self.cores = len(os.sched_getaffinity(0))
        self.threads = min(2, self.cores)
        self.folder, self.commands, self.samples = folder, {}, []
        self.distances = []  # nanoseconds of a cache line between two cores, sampled before each turn
        self.peers_options = options
        self.make("mt-bench", *STAGED)
        self.bench = str(self.build / "mt-bench")
        self.distance = self.target("bench/distance") if self.threads > 1 else None

    # ---- programs ----

    def make(self, *targets):
        """Brings them up to date: what is timed is what the sources say."""
        outside = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        done = peers.run(["make", "-s", "-C", str(self.build), *targets], outside, "make")
        if done.returncode != 0:
            raise Cannot(f"{targets[0]} cannot be built: {peers.last_line(done.stderr)}")

    def target(self, name):
        """A program of the build folder."""
        self.make(name)
        return str(self.build / name)

    def sample_distance(self, threads):
        """How far the cores are apart now: on a shared host that changes, and the work of two threads with it."""
        if self.distance and threads > 1:
            done = peers.run([self.distance], None, self.distance)
            if done.returncode == 0:
                self.distances.append(float(done.stdout.split()[0]))

    def output(self, command, threads, fine=(0,)):
        """What the command prints; its exit status must be one of `fine`."""
        self.sample_distance(threads)
        try:
            done = peers.run(command, peers.environment(threads), command[0])
        except peers.Failure as why:
            raise Cannot(str(why)) from why
        if done.returncode not in fine:
            raise Cannot(f"{pathlib.Path(command[0]).name}: {peers.last_line(done.stderr) or done.returncode}")
        return done.stdout

    # ---- peers ----

    def peer(self, name):
        """The peer's command; None where it cannot be had, told once."""
        if name not in self.commands:
            try:
                self.commands[name] = peers.find_peer(name, self.peers_options)
            except peers.Failure as why:
                print(f"{TITLES[name]} is left out: {why}", file=sys.stderr)
                self.commands[name] = None
        return self.commands[name]

    def names(self, wanted):
        return ", ".join(TITLES[n] for n in wanted if self.peer(n)) or "no peer"

    # ---- rounds ----

    def take(self, words, threads, wanted, max_time=1):
        """mt-bench with these words, and the peers that there are, in turns."""
        listed = peers.run([self.bench, "--list", *words], None, self.bench)
        if listed.returncode != 0:
            raise Cannot(peers.last_line(listed.stderr))
        cases = self.folder / "cases"
        cases.write_text(listed.stdout, encoding="utf-8")
        timing = ["--min-time", "0.02" if self.quick else "0.05", "--max-time", str(max_time), "--repeat", "5"]
        ours = peers.Runner(OURS, [self.bench, *words, "--compare", OURS, *timing], self.folder)
        asked = ["--cases", str(cases), "--threads", str(threads), *timing]
        theirs = [peers.Runner(n, [*self.peer(n), *asked], self.folder) for n in wanted if self.peer(n)]
        samples = Samples(threads)
        self.samples.append(samples)
        checked = ours.command
        for number in range(1, self.rounds + 1):
            # Results are compared with the reference's once.
            ours.command = checked + (["--unchecked"] if number > 1 else [])
            for runner in [ours, *theirs] if number % 2 else [*reversed(theirs), ours]:
                before = len(runner.reports)
                self.sample_distance(threads)
                runner.take_turn(number, peers.environment(threads))
                if len(runner.reports) > before:
                    samples.add(runner.name, number, runner.reports[-1])
        samples.problems += [f"{r.name}: {r.problem}" for r in [ours, *theirs] if r.problem]
        for problem in samples.problems:
            print(f"bench/limits: {problem}", file=sys.stderr)
        if ours.problem and not ours.reports:
            raise Cannot(ours.problem)
        return samples

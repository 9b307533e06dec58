"""scripts/peers: mt-bench and its peers in turns, round by round, each a process of its own; then one report."""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from report import merge_reports, write_report

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
PYTHON_PEERS = {"numpy": ["numpy_peer.py"], "torch": ["torch_peer.py"],
                "torch_cuda": ["torch_peer.py", "--device", "cuda"]}
C_PEERS = ("openblas", "onednn", "mkl")
PEERS = ("numpy", "torch", "torch_cuda", *C_PEERS)


class Failure(Exception):
    """Told on stderr; the exit status is 1."""


def parse_options():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(
        prog="scripts/peers", description="Times mt-bench and its peers in turns, and lays them side by side.",
        epilog="What follows -- goes to each run of mt-bench: -- --compare omp")
    parser.add_argument("--peers", metavar="LIST", help=f"of {', '.join(PEERS)} (default: all that can be had)")
    parser.add_argument("--suite", metavar="NAME", help="as mt-bench's")
    parser.add_argument("--op", action="append", default=[], metavar="GLOB", help="as mt-bench's")
    parser.add_argument("--size", action="append", default=[], metavar="GLOB", help="as mt-bench's")
    parser.add_argument("--dtype", metavar="LIST", help="as mt-bench's")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns that all take (default 3)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="of everybody (default: as many as there are cores)")
    parser.add_argument("--min-time", type=float, default=0.05, metavar="S", help="as mt-bench's, a round")
    parser.add_argument("--max-time", type=float, default=2, metavar="S", help="as mt-bench's, a round")
    parser.add_argument("--repeat", type=int, default=7, metavar="N", help="as mt-bench's, a round")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON")
    parser.add_argument("--csv", metavar="FILE", help="write the report as CSV")
    parser.add_argument("--html", metavar="FILE", help="write the report as a page")
    parser.add_argument("--values", action="store_true", help="a number for each result of a peer, in the JSON report")
    parser.add_argument("--build", metavar="DIR", default=os.environ.get("MT_BUILD_DIR", str(SOURCE / "build")),
                        help="the build folder (default: MT_BUILD_DIR, or build)")
    options = parser.parse_args(sys.argv[1:split])
    for name in ("rounds", "threads", "repeat"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: expected a number from 1, got {getattr(options, name)}")
    if not 0 < options.min_time <= options.max_time:
        parser.error(f"--min-time {options.min_time:g} and --max-time {options.max_time:g}: expected 0 < min <= max")
    unknown = [p for p in (options.peers or "").split(",") if p and p not in PEERS]
    if unknown:
        parser.error(f"--peers: no peer '{unknown[0]}'; there are {', '.join(PEERS)}")
    return options, sys.argv[split + 1:]


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def environment(threads):
    """The same count for everybody, whatever runtime it has.  (MT_* stays as it is.)"""
    counts = {name: str(threads) for name in
              ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
    return {**os.environ, **counts}


def run(command, env, what):
    """The finished process; Failure where it cannot begin or a signal ended it."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    except OSError as why:
        raise Failure(f"{what}: {why}") from why
    if done.returncode < 0:
        raise Failure(f"{what}: ended by signal {-done.returncode}")
    return done


# ---- what there is ----


def peers_python(options):
    """The Python that has NumPy and PyTorch: MT_PEERS_PYTHON, or the virtual environment of the build folder, which is
    made where it is missing."""
    if os.environ.get("MT_PEERS_PYTHON"):
        return os.environ["MT_PEERS_PYTHON"]
    python = pathlib.Path(options.build) / "peers-venv/bin/python"
    if not python.exists():
        done = run([str(SOURCE / "scripts/peers-venv"), str(python.parent.parent)], None, "scripts/peers-venv")
        if done.returncode != 0:
            raise Failure(f"scripts/peers-venv: {last_line(done.stderr)}")
    return str(python)


def module_reason(python, name):
    """Why the peer cannot be had from this Python; "" where it can."""
    test = {"numpy": "import numpy", "torch": "import numpy, torch",
            "torch_cuda": "import numpy, torch; assert torch.cuda.is_available(), 'PyTorch sees no CUDA device'"}[name]
    done = run([python, "-c", test], None, python)
    return last_line(done.stderr) if done.returncode != 0 else ""


def find_mkl(options):
    """MKL's library, which pip puts beside a Python's own; None: wherever the dynamic linker finds it."""
    if os.environ.get("MT_PEER_MKL"):
        return os.environ["MT_PEER_MKL"]
    lib = pathlib.Path(peers_python(options)).parent.parent / "lib"
    found = sorted(lib.glob("libmkl_rt.so*"))
    return str(found[-1]) if found else None


def find_peer(name, options):
    """The command that runs the peer; Failure with the reason where it cannot be had."""
    if name in PYTHON_PEERS:
        python = peers_python(options)
        why = module_reason(python, name)
        if why:
            raise Failure(why)
        return [python, str(HERE / PYTHON_PEERS[name][0]), *PYTHON_PEERS[name][1:]]
    target = f"bench/peers/{name}"
    outside = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}  # a make around us
    done = run(["make", "-s", "-C", options.build, target], outside, "make")
    if done.returncode != 0:
        raise Failure(f"configure did not find it: {last_line(done.stderr)}")
    program = str(pathlib.Path(options.build) / target)
    return mkl_command(program, options) if name == "mkl" else [program]


def mkl_command(program, options):
    library = find_mkl(options)
    command = ["env", f"MT_PEER_MKL={library}", program] if library else [program]
    done = run([*command, "--help"], None, program)
    if done.returncode != 0:
        raise Failure(last_line(done.stderr))
    return command


def find_peers(options):
    """Commands by name.  What was asked for by name must be there; else what is missing is told and left out."""
    commands = {}
    for name in (options.peers.split(",") if options.peers else PEERS):
        try:
            commands[name] = find_peer(name, options)
        except Failure as why:
            if options.peers:
                raise Failure(f"--peers: {name} cannot be had: {why}") from why
            print(f"{name} is left out: {why}", file=sys.stderr)
    return commands


# ---- the rounds ----


def selection(options):
    words = []
    for name in ("suite", "dtype"):
        if getattr(options, name):
            words += [f"--{name}", getattr(options, name)]
    for name in ("op", "size"):
        for glob in getattr(options, name):
            words += [f"--{name}", glob]
    return words


def measuring(options):
    return ["--min-time", str(options.min_time), "--max-time", str(options.max_time), "--repeat", str(options.repeat)]


class Runner:
    """One of those who take turns: a command that ends with --json FILE, and its reports so far."""

    def __init__(self, name, command, folder):
        self.name, self.command, self.folder, self.reports, self.problem = name, command, folder, [], None

    def take_turn(self, number, env):
        if self.problem is not None:
            return
        path = self.folder / f"{self.name}-{number}.json"
        done = run([*self.command, "--json", str(path)], env, self.name)
        if not path.exists():
            self.problem = f"round {number}: {last_line(done.stderr) or f'exit status {done.returncode}'}"
            return
        with open(path, encoding="utf-8") as file:
            self.reports.append(json.load(file))
        path.unlink()

    def merged(self):
        """The path of all rounds' report."""
        path = self.folder / f"{self.name}.json"
        write_report(path, merge_reports(self.reports))
        return str(path)


def take_rounds(options, runners):
    """Every other round runs backwards: nobody always follows the same one."""
    env = environment(options.threads)
    for number in range(1, options.rounds + 1):
        for runner in runners if number % 2 else reversed(runners):
            print(f"round {number} of {options.rounds}: {runner.name}", file=sys.stderr)
            runner.take_turn(number, env)
            if runner.problem is not None and not runner.reports:
                raise Failure(f"{runner.name}: {runner.problem}")


def list_cases(options, bench, folder):
    done = run([bench, "--list", *selection(options)], None, bench)
    if done.returncode != 0:
        raise Failure(done.stderr.strip() or f"{bench} --list: exit status {done.returncode}")
    path = folder / "cases"
    path.write_text(done.stdout, encoding="utf-8")
    return str(path)


def show(options, bench, ours, peers):
    """mt-bench's own table and files, of the merged reports.  Its exit status."""
    words = [bench, "--show", ours]
    for path in peers:
        words += ["--peer", path]
    for name in ("json", "csv", "html"):
        if getattr(options, name):
            words += [f"--{name}", getattr(options, name)]
    sys.stdout.flush()
    status = subprocess.run(words, check=False).returncode
    if status < 0:
        raise Failure(f"{bench} --show: ended by signal {-status}")
    return status


def compare(options, bench_words, folder):
    bench = str(pathlib.Path(options.build) / "mt-bench")
    if not os.access(bench, os.X_OK):
        raise Failure(f"{bench} is missing: make -C {shlex.quote(options.build)} mt-bench")
    cases = list_cases(options, bench, folder)
    runners = [Runner("mt-bench", [bench, *selection(options), *measuring(options), *bench_words], folder)]
    for name, command in find_peers(options).items():
        words = [*command, "--cases", cases, "--threads", str(options.threads), *measuring(options)]
        runners.append(Runner(name, words + ["--values"] * options.values, folder))
    take_rounds(options, runners)
    status = show(options, bench, runners[0].merged(), [r.merged() for r in runners[1:]])
    for runner in runners:
        if runner.problem is not None:
            print(f"scripts/peers: {runner.name}: {runner.problem}", file=sys.stderr)
            status = 1
    return status


def main():
    options, bench_words = parse_options()
    try:
        with tempfile.TemporaryDirectory(prefix="mt-peers.") as folder:
            return compare(options, bench_words, pathlib.Path(folder))
    except Failure as why:
        print(f"scripts/peers: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

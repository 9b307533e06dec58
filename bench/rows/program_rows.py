"""The rows that other programs tell: train_mnist, bench/dispatch, bench/memory.  Their parsers take text alone."""
import re
import statistics

from verdict import Bar, Cannot


def parse_training(text):
    """Accuracy in percent and seconds of training, of the last line of train_mnist."""
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    accuracy, seconds = re.search(r"accuracy ([\d.]+)%", last), re.search(r"seconds ([\d.]+)", last)
    if not accuracy or not seconds:
        raise Cannot(f"train_mnist ends with '{last}'")
    return float(accuracy[1]), float(seconds[1])


def mnist(lab):
    program, runs = lab.program("train_mnist"), []
    for seed in range(1, (3 if lab.quick else 10) + 1):
        text = lab.output([program, "--model", "fast", "--to", "99", "--backend", "omp", "--quiet", "--seed", str(seed)],
                          lab.threads)
        runs.append(parse_training(text))
    accuracies, seconds = zip(*runs)
    return [Bar(f"mean accuracy of {len(runs)} seeds", 99.0, statistics.fmean(accuracies), "{:.2f}%",
                note=f"{min(accuracies):.2f} to {max(accuracies):.2f}"),
            Bar("median seconds of training", 0.60, statistics.median(seconds), "{:.2f} s", at_most=True,
                note=f"{min(seconds):.2f} to {max(seconds):.2f}")]


def parse_dispatch(text):
    """{what: instructions an add}: lines of bench/dispatch end with numbers, the first of them is the whole."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"(\S.*?)((?:\s+[\d.]+)+)$", line.rstrip())
        if match:
            found[match[1].strip()] = float(match[2].split()[0])
    return found


def dispatch(lab):
    counts = parse_dispatch(lab.output([lab.target("bench/dispatch")], 1))
    bars = []
    for text, limit, name in (("no gradient", 350, "a scope with one add"),
                              ("with gradient", 500, "a scope with one add, a requires a gradient")):
        value = counts.get(name)
        bars.append(Bar(f"instructions of a 0-d add with its scope, {text}", limit, value, "{:.0f}", at_most=True,
                        why="" if value is not None else f"cannot: bench/dispatch has no line '{name}'"))
    return bars


def parse_memory(text):
    """(peak over what is needed, growth in bytes): "ratio 1.12" and "growth 0" among bench/memory's lines."""
    ratio, growth = re.search(r"\bratio:?\s+([\d.]+)", text), re.search(r"\bgrowth:?\s+(-?\d+)", text)
    if not ratio or not growth:
        raise Cannot("bench/memory prints no ratio and growth")
    return float(ratio[1]), float(growth[1])


def memory(lab):
    ratio, growth = parse_memory(lab.output([lab.target("bench/memory")], lab.threads))
    return [Bar("peak, over parameters + optimiser state + activations + data", 1.25, ratio, at_most=True),
            Bar("growth over 20,000 steps, bytes", 0, growth, "{:.0f}", at_most=True)]

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
    """A seed that ends below 99% (exit status 1) counts with what it reached."""
    program, runs = lab.target("train_mnist"), []
    for seed in range(1, (3 if lab.quick else 10) + 1):
        words = ["--model", "fast", "--to", "99", "--backend", "omp", "--quiet", "--seed", str(seed)]
        text = lab.output([program, *words], lab.threads, fine=(0, 1))
        runs.append(parse_training(text))
    accuracies, seconds = zip(*runs)
    return [Bar(f"mean accuracy of {len(runs)} seeds", 99.0, statistics.fmean(accuracies), "{:.2f}%",
                note=f"{min(accuracies):.2f} to {max(accuracies):.2f}"),
            Bar("median seconds of training", 0.60, statistics.median(seconds), "{:.2f} s", at_most=True,
                note=f"{min(seconds):.2f} to {max(seconds):.2f}")]


def parse_dispatch(text):
    """{what: instructions an add: [add and scope's end, of them in the kernel, in libmt; the whole round]}, of
    bench/dispatch's lines that end with numbers."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"(\S.*?)((?:\s{2,}[\d.]+)+)$", line.rstrip())
        if match:
            found[match[1]] = [float(n) for n in match[2].split()]
    return found


def dispatch(lab):
    counts = parse_dispatch(lab.output([lab.target("bench/dispatch")], 1))
    bars = []
    for text, limit, name in (("no gradient", 350, "a scope with one add"),
                              ("with gradient", 500, "a scope with one add, a requires a gradient")):
        numbers = counts.get(name, [])
        bars.append(Bar(f"instructions of a 0-d add and its scope's end, {text}", limit, numbers[0] if numbers else None,
                        "{:.0f}", at_most=True, why="" if numbers else f"cannot: bench/dispatch has no line '{name}'",
                        note=f"{numbers[1]:.0f} of them in the kernel; {numbers[3]:.0f} with the scope's beginning and "
                             "the caller's loop" if len(numbers) > 3 else ""))
    return bars


def parse_memory(text):
    """({what: (share of what is needed, of what is kept)}, growth in MB) of bench/memory: the growth of the resident set
    from the first tenth of the steps to the last."""
    lines = re.finditer(r"^(\S.*?)\s+[\d.]+ MB\s+([\d.]+) of what is needed,\s+([\d.]+) of", text, re.M)
    shares = {m[1].strip(): (float(m[2]), float(m[3])) for m in lines}
    sizes = [(int(m[1]), float(m[2])) for m in re.finditer(r"^step (\d+) .*RSS ([+-]?[\d.]+) MB", text, re.M)]
    if not shares or not sizes:
        raise Cannot("bench/memory prints no shares and sizes")
    settled = [size for step, size in sizes if step >= sizes[-1][0] / 10]
    return shares, settled[-1] - settled[0]


def memory(lab):
    """What the device took counts, cached buffers and scratch too; the resident set, which code pages are part of, is
    told beside it."""
    steps = 2000 if lab.quick else 20000
    text = lab.output([lab.target("bench/memory"), "--steps", str(steps)], lab.threads)
    shares, growth = parse_memory(text)
    counted = {k: v for k, v in shares.items() if not k.startswith("RSS")}
    if not counted:
        raise Cannot("bench/memory prints no memory of the device")
    name, (most, kept) = max(counted.items(), key=lambda kv: kv[1])
    others = ", ".join(f"{k} {v[0]:.2f}" for k, v in shares.items() if k != name)
    return [Bar("peak, over parameters, optimiser state, activations, data", 1.25, most, at_most=True,
                note=f"{name}, over what the network as written saves; {others}; {name} {kept:.2f} of what mt keeps"),
            Bar(f"growth over {steps:,} steps, MB", 0.1, growth, at_most=True)]

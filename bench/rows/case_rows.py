"""The rows that mt-bench's cases tell: each runs them, with the peers in turns, and returns its bars."""
from verdict import Bar, Cannot, geometric_mean, least_bar, mean_bar, share_bar

BLAS = ("openblas", "onednn", "mkl")
SIDES = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)
QUICK_SIDES = (64, 256, 1024)


def side_of(case):
    """limits/matmul/f32/square,m=64,k=64,n=64"""
    return int(case.rsplit("=", 1)[1])


def joined(parts):
    return {k: v for part in parts for k, v in part.items()}


def square_words(sides):
    return [word for side in sides for word in ("--size", f"square,m={side},*")]


def gemm(lab):
    sides = QUICK_SIDES if lab.quick else SIDES
    words = ["--suite", "limits", "--op", "matmul*", "--dtype", "f32"]
    one = lab.take(words + square_words(sides), 1, BLAS)
    two = lab.take(words + square_words([s for s in sides if s >= 128]), 2, BLAS) if lab.cores > 1 else None
    runs = [one, two] if two else [one]

    def is_small_turned(case):
        return case.split("/")[1] in ("matmul_nt", "matmul_tt") and side_of(case) <= 96

    plain = joined(r.ratios(BLAS, lambda c: not is_small_turned(c)) for r in runs)
    bars = [mean_bar("geometric mean, against OpenBLAS", 1.0, joined(r.ratios(["openblas"]) for r in runs)),
            mean_bar(f"geometric mean, against the best of {lab.names(BLAS)}", 0.95,
                     joined(r.ratios(BLAS) for r in runs)),
            least_bar("no size below, against the best", 0.90, plain),
            least_bar("B transposed, at most 96", 0.85, one.ratios(BLAS, is_small_turned)),
            share_bar("1 thread, of peak, 512 to 1024", 88, one.shares(lambda c: 512 <= side_of(c) <= 1024))]
    if 2048 in sides:
        bars.append(share_bar("1 thread, of peak, 2048", 85, one.shares(lambda c: side_of(c) == 2048)))
    if two:
        bars.append(share_bar("2 threads, of peak, from 512 on", 83, two.shares(lambda c: side_of(c) >= 512)))
    else:
        bars.append(Bar("2 threads, of peak, from 512 on", 83, form="{:.0f}%", why="cannot: one core here"))
    return bars


def layers(lab):
    words = ["--suite", "limits", "--op", "matmul*", "--dtype", "f32"]
    for name in ("lenet16", "lenet128", "mlp", "lstm", "transformer", "attention"):
        words += ["--size", f"{name},*"]
    runs = [lab.take(words, threads, BLAS) for threads in ((2,) if lab.quick else (1, 2)) if threads <= lab.cores]
    bars = [mean_bar(f"geometric mean, against the best of {lab.names(BLAS)}", 1.15,
                     joined(r.ratios(BLAS) for r in runs))]
    return bars


def has_amx():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return any("amx_bf16" in line for line in file if line.startswith("flags"))
    except OSError:
        return False


def bf16(lab):
    """The ratios are measured in any case; without AMX they are no verdict."""
    words = ["--suite", "limits", "--op", "matmul", "--dtype", "f32,bf16"]
    run = lab.take(words + square_words((512, 1024, 2048)), lab.threads, ["onednn"])
    of = {side: f"limits/matmul/bf16/square,m={side},k={side},n={side}" for side in (512, 1024, 2048)}
    own = {f"{side}": run.seconds(c.replace("/bf16/", "/f32/")) / run.seconds(c) for side, c in of.items()
           if run.seconds(c) and run.seconds(c.replace("/bf16/", "/f32/"))}
    ratios = {side: run.ratio(c, "onednn") for side, c in of.items()}
    bars = [least_bar("against our own f32", 6, own, "cannot: it failed"),
            least_bar("against oneDNN, 512", 0.9, {"512": ratios[512]} if ratios[512] else {}),
            least_bar("against oneDNN, from 1024 on", 1.1, {f"{s}": ratios[s] for s in (1024, 2048) if ratios[s]})]
    if not has_amx():
        for bar in bars:
            bar.why = bar.why or "cannot: no AMX here"
    return bars


TRANSCENDENTALS = ("exp", "log", "tanh", "sigmoid", "erf", "gelu", "sin", "cos", "pow")
MAPS, ZIPS = ("relu", *TRANSCENDENTALS[:-1]), ("add", "mul", "pow")


def ops_words(ops):
    return [word for op in ops for word in ("--op", op)]


def op_of(case):
    return case.split("/")[1]


def maps(lab):
    in_memory = ("relu", "exp", "tanh", "add", "mul") if lab.quick else dict.fromkeys(MAPS + ZIPS)
    large = lab.take(["--suite", "limits", *ops_words(in_memory), "--size", "8192x8192"], lab.threads, [])
    small = lab.take(["--suite", "limits", *ops_words(TRANSCENDENTALS), "--size", "256x256"], 1, ["torch"])
    return [share_bar("map, 256 MiB, of non-temporal copies", 95, large.shares(lambda c: op_of(c) in MAPS)),
            share_bar("zip, 256 MiB, of non-temporal copies", 95, large.shares(lambda c: op_of(c) in ZIPS)),
            least_bar("transcendentals in L2, 1 thread, against PyTorch", 1.5, small.ratios(["torch"]))]


def reductions(lab):
    words = ["--suite", "limits", "--op", "sum_*", "--op", "max_*", "--op", "softmax", "--op", "layer_norm"]
    run = lab.take(words, lab.threads, ["torch"])

    def is_row(case):
        return op_of(case) in ("softmax", "layer_norm")

    return [share_bar("sum and max over each axis, 128 MiB, of reading", 90, run.shares(lambda c: not is_row(c))),
            share_bar("softmax, layer norm, 128 MiB, of copying", 90, run.shares(is_row)),
            least_bar("reductions, against PyTorch", 1.3, run.ratios(["torch"], lambda c: not is_row(c))),
            least_bar("softmax, layer norm, against PyTorch", 1.3, run.ratios(["torch"], is_row))]


def conv(lab):
    sizes = [w for n in ("lenet2", "resnet3x3b", "resnet1x1a", "depthwise1", "text3") for w in ("--size", f"{n},*")]
    run = lab.take(["--suite", "limits", "--op", "conv*", *(sizes if lab.quick else [])], lab.threads, ["torch"])
    bars = []
    for op, text in (("conv", "forward"), ("conv_input_gradient", "input gradient"),
                     ("conv_weight_gradient", "weight gradient")):
        ratios = run.ratios(["torch"], lambda c, op=op: op_of(c) == op)
        bars.append(f"{text} {geometric_mean(ratios.values()):.2f}" if ratios else f"{text} -")
    mean = mean_bar("geometric mean, against PyTorch", 1.2, run.ratios(["torch"]))
    mean.note += f"; {', '.join(bars)}" if mean.note else ""
    return [mean, least_bar("none below, against PyTorch", 0.85, run.ratios(["torch"]))]


def only(values, what):
    """The one value there is."""
    if not values:
        raise Cannot(f"{what} was not measured")
    return next(iter(values.values()))


def lenet(lab):
    run = lab.take(["--suite", "train", "--op", "lenet", "--size", "batch=16", "--size", "batch=128"], lab.threads,
                   ["torch"])
    bars = []
    for batch, limit in ((128, 0.5), (16, 0.35)):
        case = f"train/lenet/f32/batch={batch}"
        share, seconds = run.share(case), run.seconds(case)
        note = f"{batch / seconds:,.0f} images/s" if seconds else ""
        bars.append(Bar(f"batch {batch}, of the floor (2.26 MFLOP an image at peak)", limit, share, note=note))
    for batch in (128, 16):
        ratio = run.ratio(f"train/lenet/f32/batch={batch}", "torch")
        bars.append(Bar(f"batch {batch}, against PyTorch", 4, ratio, "{:.1f} x", why="" if ratio else "no peer"))
    return bars


def mlp(lab):
    run = lab.take(["--suite", "limits", "--op", "mlp_epoch"], lab.threads, [], max_time=8)
    case = only({c: c for c in run.cases()}, "the epoch")
    seconds, share = run.seconds(case), run.share(case)
    rate = 60000 / seconds
    # What is done is two passes of the first layer, whose images need no gradient, and three of the second.
    three = 3 * (784 * 500 + 500 * 10) / (2 * 784 * 500 + 3 * 500 * 10)
    return [Bar("of peak, whole epochs, the loader's work included", 0.62, share,
                note=f"{three * share:.2f} with three passes counted" if share else ""),
            Bar("images/s, against 4 x ggml's 48,000", 4 * 48000, rate, "{:,.0f}",
                note=f"peak itself is {rate / share:,.0f} images/s here" if share else "")]


def points(lab):
    run = lab.take(["--suite", "train", "--op", "points", "--size", "batch=10,hidden=100"], lab.threads, ["torch"])
    ratio = run.ratio("train/points/f32/batch=10,hidden=100", "torch")
    seconds = run.seconds("train/points/f32/batch=10,hidden=100")
    return [Bar("one step, against PyTorch", 12, ratio, "{:.1f} x", why="" if ratio else "no peer",
                note=f"{1e6 * seconds:.1f} us a step" if seconds else "")]

"""The ops: how a random case of each is drawn, and what PyTorch computes for it.

Each entry of OPS is a function of a Draw that returns a Case.  The attributes are those that ops.inc reads."""
import math

import torch
import torch.nn.functional as F

from draw import DTYPES


class Case:
    """loose: how much wider than one kernel's the tolerance is; exact_dtype: values are compared with PyTorch's in the
    dtype itself (ops with jumps), else with PyTorch's in f64; grad: whether gradients are compared."""

    def __init__(self, inputs, fn, attrs=None, loose=1.0, exact_dtype=False, grad=True, check_dtype=True):
        self.inputs, self.fn, self.attrs = inputs, fn, attrs or {}
        self.loose, self.exact_dtype, self.grad, self.check_dtype = loose, exact_dtype, grad, check_dtype


OPS = {}


def op(name):
    def add(fn):
        OPS[name] = fn
        return fn
    return add


# ---- map -------------------------------------------------------------------------------------------------------------

def unary(name, fn, low=-2.0, high=2.0, kind="float", special=True, exact=False, ties=False):
    def draw(d):
        dtype = d.dtype(kind)
        odd = special and d.chance(0.15)
        x = d.tensor(d.shape(), dtype, low, high, special=odd, ties=ties and d.chance(0.5))
        return Case([x], fn, grad=not odd, exact_dtype=exact)
    OPS[name] = draw


for name in ("exp expm1 sin cos tanh sigmoid erf sinh cosh asinh atan exp2").split():
    unary(name, getattr(torch, name), -3, 3)
unary("square", torch.square, kind="number")
for name in "log log2 log10 sqrt rsqrt".split():
    unary(name, getattr(torch, name), 0.1, 4)
unary("neg", torch.neg, kind="number")
unary("abs", torch.abs, kind="number", ties=True)
unary("sign", torch.sign, kind="number", special=False, ties=True)
unary("log1p", torch.log1p, -0.8, 4)
unary("reciprocal", torch.reciprocal, 0.3, 3)
unary("tan", torch.tan, -1.2, 1.2)
for name in "asin acos atanh".split():
    unary(name, getattr(torch, name), -0.9, 0.9)
unary("acosh", torch.acosh, 1.1, 4)
for name in "floor ceil trunc round".split():
    unary(name, getattr(torch, name), -4, 4, exact=True, ties=True)
unary("relu", torch.relu, kind="number", ties=True)
unary("gelu", F.gelu, special=False)
unary("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), special=False)
unary("silu", F.silu, special=False)
unary("softplus", F.softplus, -8, 8, special=False)
unary("mish", F.mish, special=False)
unary("selu", F.selu, special=False)
unary("hardsigmoid", lambda x: (x + 3).clamp(0, 6) / 6, -5, 5, special=False)  # F.hardsigmoid rounds 1/6 to f32 in f64
unary("hardswish", F.hardswish, -5, 5, special=False)
unary("log_sigmoid", F.logsigmoid, -8, 8, special=False)
for name in "isnan isinf isfinite".split():
    unary(name, getattr(torch, name))
unary("logical_not", torch.logical_not, kind="all", ties=True)


@op("leaky_relu")
def _(d):
    p = d.real(0.01, 0.5)
    return Case([d.tensor(d.shape(), d.dtype(), ties=d.chance(0.5))], lambda x: F.leaky_relu(x, p), {"slope": p})


@op("elu")
def _(d):
    p = d.real(0.3, 2)
    return Case([d.tensor(d.shape(), d.dtype())], lambda x: F.elu(x, p), {"alpha": p})


@op("clamp")
def _(d):
    low, high = -0.5 * d.int(0, 3), 0.5 * d.int(0, 3)
    ties = d.chance(0.5)  # at a limit itself PyTorch 2.15 gives no gradient, mt and older releases hand it on
    return Case([d.tensor(d.shape(), d.dtype(), ties=ties)], lambda x: x.clamp(low, high),
                {"low": low, "high": high}, grad=not ties)


@op("hardtanh")
def _(d):
    low, high = d.real(-2, -0.1), d.real(0.1, 2)
    return Case([d.tensor(d.shape(), d.dtype())], lambda x: F.hardtanh(x, low, high), {"low": low, "high": high})


@op("prelu")
def _(d):
    shape, dtype = d.shape(2, 4, 1), d.pick(["f32", "f64"])
    w = [shape[1]] if d.chance(0.6) else [1]
    return Case([d.tensor(shape, dtype), d.tensor(w, dtype)], lambda x, w: F.prelu(x, w), loose=2)


# ---- zip -------------------------------------------------------------------------------------------------------------

def binary(name, fn, low=-2.0, high=2.0, kind="float", exact=False, ties=False, special=False, mixed=True, blow=None,
           grad=True):
    def draw(d):
        a, b = d.broadcast_pair()
        t = d.dtype(kind)
        u = d.dtype(kind) if mixed and d.chance(0.2) else t
        tie, odd = ties and d.chance(0.5), special and d.chance(0.15)
        x = d.tensor(a, t, low, high, ties=tie, special=odd)
        y = d.tensor(b, u, blow if blow is not None else low, high, ties=tie, special=odd)
        return Case([x, y], fn, exact_dtype=exact, grad=grad and not odd, loose=2 if t != u else 1)
    OPS[name] = draw


binary("add", torch.add, kind="all", special=True)
binary("sub", torch.sub, kind="number", special=True)
binary("mul", torch.mul, kind="all", special=True)
binary("div", torch.div, 0.5, 3, kind="number")
binary("pow", torch.pow, 0.3, 2)
binary("maximum", torch.maximum, kind="all", ties=True, special=True)
binary("minimum", torch.minimum, kind="all", ties=True, special=True)
binary("hypot", torch.hypot, 0.2, 3, mixed=False)
binary("copysign", torch.copysign, 0.2, 3, mixed=False, blow=-3)
binary("atan2", torch.atan2, 0.2, 3, blow=-3, mixed=False)
for name in "lt le gt ge eq ne".split():
    binary(name, getattr(torch, name), kind="all", ties=True, special=True, exact=True)
for name in "logical_and logical_or logical_xor".split():
    binary(name, getattr(torch, name), kind="all", ties=True)


def division(name, fn, grad=True):
    """Floats away from the jumps; integers without a zero divisor."""
    def draw(d):
        a, b = d.broadcast_pair()
        t = d.pick(["f64", "f64", "f32", "i32", "i64", "u8"])
        if t in ("f64", "f32"):
            return Case([d.tensor(a, t, 1.05, 1.95), d.tensor(b, t, 0.55, 0.9)], fn, loose=4, grad=grad)
        return Case([d.tensor(a, t, -20, 20), d.tensor(b, t, 1, 7)], fn)
    OPS[name] = draw


division("remainder", torch.remainder)
division("floor_divide", torch.floor_divide, grad=False)  # PyTorch has no gradient of it
division("fmod", torch.fmod)


def with_scalar(name, fn, low=-2.0, high=2.0, number=lambda d: d.int(-3, 3) if d.chance(0.4) else d.real(-2, 2)):
    def draw(d):
        dtype, v = d.dtype("number"), number(d)
        if dtype == "u8" and v < 0:
            v = -v
        return Case([d.tensor(d.shape(), dtype, low, high)], lambda x: fn(x, v), {"value": v})
    OPS[name] = draw


with_scalar("add_scalar", lambda x, v: x + v)
with_scalar("sub_scalar", lambda x, v: x - v)
with_scalar("rsub_scalar", lambda x, v: v - x)
with_scalar("mul_scalar", lambda x, v: x * v)
with_scalar("div_scalar", lambda x, v: x / v, number=lambda d: d.int(1, 4) if d.chance(0.4) else d.real(0.5, 3))
with_scalar("rdiv_scalar", lambda x, v: v / x, 1, 3)
with_scalar("pow_scalar", lambda x, v: x ** v, 0.3, 2, lambda d: d.int(0, 3) if d.chance(0.5) else d.real(0.5, 3))


@op("scalar_pow")
def _(d):
    v = d.real(0.3, 2)
    return Case([d.tensor(d.shape(), d.dtype())], lambda x: v ** x, {"value": v})


@op("where")
def _(d):
    a, b = d.broadcast_pair()
    t = d.dtype("all")
    return Case([d.tensor(b, "bool"), d.tensor(a, t), d.tensor(b, t)], lambda c, x, y: torch.where(c, x, y))


@op("masked_fill")
def _(d):
    shape, dtype = d.shape(), d.dtype("number")
    mask = [1 if d.chance(0.3) else n for n in shape][d.int(0, len(shape)):]
    v = d.int(0, 3)
    return Case([d.tensor(shape, dtype), d.tensor(mask, "bool")], lambda x, m: x.masked_fill(m, v), {"value": v})


@op("isclose")
def _(d):
    a, b = d.broadcast_pair()
    t, odd, equal_nan = d.dtype("number"), d.chance(0.3), d.chance(0.5)
    rtol, atol = d.pick([0.0, 1e-5, 0.25]), d.pick([0.0, 1e-8, 0.5])
    return Case([d.tensor(a, t, ties=True, special=odd), d.tensor(b, t, ties=True, special=odd)],
                lambda x, y: torch.isclose(x, y, rtol, atol, equal_nan),
                {"rtol": rtol, "atol": atol, "equal_nan": equal_nan}, exact_dtype=True)


@op("cast")
def _(d):
    t, u = d.dtype("all"), d.pick(list(DTYPES))
    low = 0 if u == "u8" else -3
    return Case([d.tensor(d.shape(), t, low, 3)], lambda x: x.to(DTYPES[u]), {"dtype": u}, exact_dtype=True)


@op("clone")
def _(d):
    return Case([d.tensor(d.shape(), d.dtype("all"))], lambda x: x.clone())


def in_place(name, fn, low=-2.0):
    def draw(d):
        shape, t = d.shape(), d.dtype()
        b = [1 if d.chance(0.3) else n for n in shape][d.int(0, len(shape)):]
        return Case([d.tensor(shape, t, low), d.tensor(b, t, low)], fn)
    OPS[name] = draw


in_place("add_", lambda x, y: x + y)
in_place("sub_", lambda x, y: x - y)
in_place("mul_", lambda x, y: x * y)
in_place("div_", lambda x, y: x / y, 0.5)
in_place("copy_", lambda x, y: x * 0 + y)


# ---- reduce ----------------------------------------------------------------------------------------------------------

def reduction(name, fn, low=-2.0, high=2.0, kind="float", least=0, ties=False, exact=False, loose=2.0, attrs=None):
    def draw(d):
        t, shape = d.dtype(kind), d.shape(0, 4, least)
        dims, keep = d.axes(shape), d.chance(0.5)
        extra = attrs(d) if attrs else {}
        x = d.tensor(shape, t, low, high, ties=ties and d.chance(0.5))
        a = {"keepdim": keep, **extra}
        if dims is not None:
            a["dim"] = dims
        full = dims if dims is not None else list(range(len(shape)))
        return Case([x], lambda x: fn(x, full, keep, **extra), a, exact_dtype=exact, loose=loose)
    OPS[name] = draw


def each_dim(fn):
    """A reduction that takes one dim, over several."""
    def run(x, dims, keep):
        if not dims and x.dim() == 0:
            return fn(x.reshape(1), 0, False)
        for dim in sorted(dims, reverse=True):
            x = fn(x, dim, True)
        if not keep:
            for dim in sorted(dims, reverse=True):
                x = x.squeeze(dim)
        return x
    return run


reduction("sum", lambda x, dims, keep: x.sum(dims, keepdim=keep), kind="all")
reduction("mean", lambda x, dims, keep: x.mean(dims, keepdim=keep), least=1)
reduction("prod", each_dim(lambda x, dim, keep: x.prod(dim, keepdim=keep)), -1.5, 1.5, kind="all", ties=True, loose=4)
reduction("amax", lambda x, dims, keep: x.amax(dims, keepdim=keep), kind="number", least=1, ties=True)
reduction("amin", lambda x, dims, keep: x.amin(dims, keepdim=keep), kind="number", least=1, ties=True)
reduction("any", each_dim(lambda x, dim, keep: x.bool().any(dim, keepdim=keep)), kind="all", ties=True)
reduction("all", each_dim(lambda x, dim, keep: x.bool().all(dim, keepdim=keep)), kind="all", ties=True)
reduction("logsumexp", lambda x, dims, keep: torch.logsumexp(x, dims, keepdim=keep) if x.dim() else x.clone(), least=1,
          loose=4)
reduction("norm", lambda x, dims, keep, p: torch.linalg.vector_norm(x, float(p), dims or None, keepdim=keep), 0.2, 2, least=1,
          loose=8, attrs=lambda d: {"p": d.pick([1.0, 2.0, 3.0, 0.5, "inf", "-inf", 0.0])})


def spread(name, fn, loose):
    def draw(d):
        shape = d.shape(1, 4, 2)
        dims, keep, correction = d.axes(shape), d.chance(0.5), d.pick([0, 1, 1, 1.5])
        a = {"keepdim": keep, "correction": correction}
        if dims is not None:
            a["dim"] = dims
        return Case([d.tensor(shape, d.dtype(), views=False)],
                    lambda x: fn(x, dim=dims, correction=correction, keepdim=keep), a, loose=loose)
    OPS[name] = draw


spread("var", torch.var, 8)
spread("std", torch.std, 256)  # near-equal values are drawn too: 1 / (2 std) is large there


def along(name, fn, kind="number", ties=True, exact=False, loose=1.0, least=1, low=-2.0, high=2.0):
    """Ops with one axis and a shape of at least one dim."""
    def draw(d):
        shape = d.shape(1, 4, least)
        axis = d.axis(shape)
        attrs, run = fn(d, shape, axis)
        x = d.tensor(shape, d.dtype(kind), low, high, ties=ties and d.chance(0.5))
        return Case([x], run, {"axis": axis, **attrs}, exact_dtype=exact, loose=loose)
    OPS[name] = draw


def arg(fn):
    def make(d, shape, axis):
        keep = d.chance(0.5)
        return {"keepdim": keep}, lambda x: fn(x, axis, keep)
    return make


def first_of(x, axis, keep, largest):
    """PyTorch does not say which of equals: the first, through a stable sort."""
    order = x.sort(dim=axis, descending=largest, stable=True)
    values, where = order.values.narrow(axis, 0, 1), order.indices.narrow(axis, 0, 1)
    return (values, where) if keep else (values.squeeze(axis), where.squeeze(axis))


along("argmax", arg(lambda x, axis, keep: first_of(x, axis, keep, True)[1]))
along("argmin", arg(lambda x, axis, keep: first_of(x, axis, keep, False)[1]))
along("max_dim", arg(lambda x, axis, keep: first_of(x, axis, keep, True)))
along("min_dim", arg(lambda x, axis, keep: first_of(x, axis, keep, False)))
along("cumsum", lambda d, s, axis: ({}, lambda x: x.cumsum(axis)), kind="all", loose=4, least=0)
along("cumprod", lambda d, s, axis: ({}, lambda x: x.cumprod(axis)), loose=8, least=0, low=-1.5, high=1.5)


def sorting(which):
    def make(d, shape, axis):
        down = d.chance(0.5)
        def run(x):
            s = x.sort(dim=axis, descending=down, stable=True)
            return (s.values, s.indices) if which == 2 else s.indices
        return {"descending": down}, run
    return make


along("sort", sorting(2), least=0)
along("argsort", sorting(1), least=0)


@op("topk")
def _(d):
    shape = d.shape(1, 4, 1)
    axis, largest = d.axis(shape), d.chance(0.5)
    k = d.int(0, shape[axis])
    def run(x):
        s = x.sort(dim=axis, descending=largest, stable=True)
        return s.values.narrow(axis, 0, k), s.indices.narrow(axis, 0, k)
    return Case([d.tensor(shape, d.dtype("number"), ties=d.chance(0.5))], run, {"axis": axis, "largest": largest, "k": k})


along("softmax", lambda d, s, axis: ({}, lambda x: torch.softmax(x, axis)), kind="float", loose=2, least=0, low=-6, high=6)
along("log_softmax", lambda d, s, axis: ({}, lambda x: torch.log_softmax(x, axis)), kind="float", loose=2, least=0, low=-6,
      high=6)


# ---- products --------------------------------------------------------------------------------------------------------

@op("matmul")
def _(d):
    m, k, n = d.extent(), d.extent(), d.extent()
    batch = d.shape(0, 2, 1)
    kind = d.int(0, 5)
    a, b = {0: ([k], [k]), 1: ([k], [k, n]), 2: ([m, k], [k]), 3: ([m, k], [k, n]), 4: (batch + [m, k], [k, n]),
            5: (batch + [m, k], [1 if d.chance(0.3) else e for e in batch] + [k, n])}[kind]
    t = d.dtype("number")
    return Case([d.tensor(a, t), d.tensor(b, t)], torch.matmul, loose=4)


EQUATIONS = ["ij,jk->ik", "ij,jk", "bij,bjk->bik", "ij->ji", "ii->i", "ii->", "ii", "ij->", "ij,ij->ij", "ij,ij->", "i,j->ij",
             "bhid,bhjd->bhij", "...ij,...jk->...ik", "...i->...", "ijk,k->ji", "ab,cd->dbca", "iij,j->i", "ij,k->k",
             "bi,bi->b", "...,...->...", "ijk->kij", "ab,bc->ca", "iji->j", "ba", "aBc,cB->a"]


@op("einsum")
def _(d):
    equation = d.pick(EQUATIONS)
    extent = {letter: d.pick([1, 2, 3, 4]) for letter in set(equation) if letter.isalpha()}
    dots = d.shape(0, 2, 1)
    shapes = []
    for term in equation.split("->")[0].split(","):
        shape = []
        for part in term.replace("...", "."):
            shape += dots if part == "." else [extent[part]]
        shapes.append(shape)
    t = d.pick(["f64", "f64", "f32"])
    return Case([d.tensor(s, t) for s in shapes], lambda *x: torch.einsum(equation, *x), {"equation": equation}, loose=4)


@op("linear")
def _(d):
    i, o, t = d.pick([1, 2, 5, 9]), d.pick([1, 3, 4, 8]), d.dtype()
    inputs = [d.tensor(d.shape(0, 3) + [i], t), d.tensor([o, i], t)]
    if d.chance(0.7):
        inputs.append(d.tensor([o], t))
    return Case(inputs, F.linear, loose=4)


# ---- convolution and pooling -----------------------------------------------------------------------------------------

def convolution(n):
    fn = (F.conv1d, F.conv2d, F.conv3d)[n - 1]

    def draw(d):
        groups = d.pick([1, 1, 1, 2, 3])
        ci, co = groups * d.int(1, 3), groups * d.int(1, 3)
        kernel = [d.int(1, 3) for _ in range(n)]
        stride, dilation = [d.int(1, 3) for _ in range(n)], [d.int(1, 2) for _ in range(n)]
        padding = [d.int(0, 2) for _ in range(n)]
        mode = d.pick([0, 0, 0, 1, 2, 3])
        size = [max(1, (k - 1) * l + 1 - 2 * p) + d.int(0, 4) for k, l, p in zip(kernel, dilation, padding)]
        t = d.dtype()
        inputs = [d.tensor([d.int(0, 3) if d.chance(0.2) else d.int(1, 3), ci, *size], t),
                  d.tensor([co, ci // groups, *kernel], t)]
        if d.chance(0.6):
            inputs.append(d.tensor([co], t))
        if mode:
            padding = [0] * n

        def run(x, w, b=None):
            if mode:
                pads = []
                for s, k, l, e in reversed(list(zip(stride, kernel, dilation, size))):
                    total = max((math.ceil(e / s) - 1) * s + l * (k - 1) + 1 - e, 0)
                    if mode == 3:
                        total = l * (k - 1)
                    low = {1: total // 2, 2: 0, 3: l * (k - 1)}[mode]
                    pads += [low, max(total - low, 0)]
                x = F.pad(x, pads)
            return fn(x, w, b, stride, padding, dilation, groups)
        return Case(inputs, run, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
                                  "padding_mode": mode}, loose=8)
    OPS[f"conv{n}d"] = draw


def transposed(n):
    fn = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]

    def draw(d):
        groups = d.pick([1, 1, 2])
        ci, co = groups * d.int(1, 3), groups * d.int(1, 3)
        kernel = [d.int(1, 3) for _ in range(n)]
        stride, dilation = [d.int(1, 3) for _ in range(n)], [d.int(1, 2) for _ in range(n)]
        extra = [d.int(0, max(s, l) - 1) for s, l in zip(stride, dilation)]
        size = [d.int(1, 4) for _ in range(n)]
        padding = [d.int(0, min(2, ((e - 1) * s + l * (k - 1) + o) // 2))
                   for e, s, l, k, o in zip(size, stride, dilation, kernel, extra)]
        t = d.dtype()
        inputs = [d.tensor([d.int(1, 3), ci, *size], t), d.tensor([ci, co // groups, *kernel], t)]
        if d.chance(0.6):
            inputs.append(d.tensor([co], t))
        return Case(inputs, lambda x, w, b=None: fn(x, w, b, stride, padding, extra, groups, dilation),
                    {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_padding": extra},
                    loose=8)
    OPS[f"conv_transpose{n}d"] = draw


def pooling(n, kind):
    fn = getattr(F, f"{kind}_pool{n}d")

    def draw(d):
        kernel, stride = [d.int(1, 3) for _ in range(n)], [d.int(1, 3) for _ in range(n)]
        padding = [d.int(0, k // 2) for k in kernel]
        dilation = [d.int(1, 2) if kind == "max" else 1 for _ in range(n)]
        size = [(k - 1) * l + 1 + d.int(0, 5) for k, l in zip(kernel, dilation)]
        ceil, exclude = d.chance(0.4), d.chance(0.5)
        t = d.pick(["f64", "f64", "f32"])
        x = d.tensor([d.int(1, 3), d.int(1, 3), *size], t, ties=kind == "max" and d.chance(0.3))
        attrs = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}
        if kind == "max":
            attrs["dilation"] = dilation
            return Case([x], lambda x: fn(x, kernel, stride, padding, dilation, ceil), attrs)
        attrs["exclude_padding"] = exclude
        return Case([x], lambda x: fn(x, kernel, stride, padding, ceil, not exclude), attrs, loose=4)
    OPS[f"{kind}_pool{n}d"] = draw


for n in (1, 2, 3):
    convolution(n)
    transposed(n)
    pooling(n, "max")
    pooling(n, "avg")


@op("adaptive_avg_pool")
def _(d):
    n = d.int(1, 3)
    size = [d.int(1, 4) for _ in range(n)]
    x = d.tensor([d.int(1, 3), d.int(1, 3)] + [d.int(1, 7) for _ in range(n)], d.pick(["f64", "f64", "f32"]))
    fn = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[n - 1]
    return Case([x], lambda x: fn(x, size[0] if n == 1 else size), {"size": size}, loose=4)


# ---- normalisation, attention ----------------------------------------------------------------------------------------

def affine(d, shape, t):
    return d.tensor(shape, t, 0.5, 2), d.tensor(shape, t)


@op("layer_norm")
def _(d):
    shape, t = d.shape(1, 4, 2), d.dtype()
    n = d.int(1, len(shape))
    inputs = [d.tensor(shape, t, views=False)]
    if d.chance(0.7):
        inputs += affine(d, shape[-n:], t)
    return Case(inputs, lambda x, w=None, b=None: F.layer_norm(x, shape[-n:], w, b, 1e-3), {"n": n, "eps": 1e-3}, loose=32)


@op("rms_norm")
def _(d):
    shape, t = d.shape(1, 4, 1), d.dtype()
    n = d.int(1, len(shape))
    inputs = [d.tensor(shape, t)]
    if d.chance(0.7):
        inputs.append(d.tensor(shape[-n:], t))
    return Case(inputs, lambda x, w=None: F.rms_norm(x, shape[-n:], w, 1e-3), {"n": n, "eps": 1e-3}, loose=16)


@op("group_norm")
def _(d):
    groups, t = d.int(1, 3), d.dtype()
    channels = groups * d.int(1, 3)
    shape = [d.int(1, 3), channels, *d.shape(0, 2, 2)]
    if channels // groups * math.prod(shape[2:]) < 2:
        shape.append(3)
    inputs = [d.tensor(shape, t, views=False)]
    if d.chance(0.7):
        inputs += affine(d, [channels], t)
    return Case(inputs, lambda x, w=None, b=None: F.group_norm(x, groups, w, b, 1e-3), {"groups": groups, "eps": 1e-3},
                loose=32)


@op("batch_norm")
def _(d):
    t, channels, training = d.pick(["f64", "f64", "f32"]), d.int(1, 4), d.chance(0.6)
    x = d.tensor([d.int(3, 6), channels, *d.shape(0, 2, 1)], t, views=False)
    w, b = affine(d, [channels], t)
    mean, var = d.tensor([channels], t, grad=False, views=False), d.tensor([channels], t, 0.5, 2, grad=False, views=False)
    momentum = d.real(0.05, 0.5)

    def run(x, w, b, mean, var):
        # PyTorch 2.15 reads beyond a weight of stride 0
        return F.batch_norm(x, mean.detach().clone(), var.detach().clone(), w.contiguous(), b.contiguous(), training, momentum, 1e-3)
    return Case([x, w, b, mean, var], run, {"training": training, "momentum": momentum, "eps": 1e-3}, loose=32)


@op("attention")
def _(d):
    batch, q, k, e, v, t = d.shape(0, 2, 1), d.int(1, 5), d.int(1, 5), d.int(1, 4), d.int(1, 4), d.pick(["f64", "f32"])
    kind = d.int(0, 3)
    inputs = [d.tensor(batch + [q, e], t), d.tensor(batch + [k, e], t), d.tensor(batch + [k, v], t)]
    if kind == 1:
        inputs.append(d.tensor([q, k], t, grad=False))
    if kind == 2:
        mask = torch.from_numpy(d.np.random((q, k)) < 0.7)
        mask[:, 0] = True
        inputs.append(d.given(mask))
    # PyTorch 2.15 reads beyond a q of stride 0
    return Case(inputs, lambda q, k, v, m=None: F.scaled_dot_product_attention(q.contiguous(), k.contiguous(), v.contiguous(), m,
                                                                              is_causal=kind == 3),
                {"causal": kind == 3}, loose=16)


# ---- losses ----------------------------------------------------------------------------------------------------------

REDUCTIONS = ["mean", "sum", "none"]


def pair_loss(name, fn, low=-2.0, high=2.0, param=None, second=None):
    def draw(d):
        shape, t, r = d.shape(0, 3, 1), d.dtype(), d.int(0, 2)
        attrs, more = {"reduction": r}, {}
        if param:
            attrs[param] = more[param] = d.pick([0.5, 1.0, 2.0])
        b = d.tensor(shape, t, *(second or (low, high)), grad=second is None)
        return Case([d.tensor(shape, t, low, high), b], lambda a, b: fn(a, b, reduction=REDUCTIONS[r], **more), attrs, loose=4)
    OPS[name] = draw


pair_loss("mse_loss", F.mse_loss)
pair_loss("l1_loss", F.l1_loss)
pair_loss("smooth_l1_loss", F.smooth_l1_loss, param="beta")
pair_loss("huber_loss", F.huber_loss, param="delta")
pair_loss("bce_loss", F.binary_cross_entropy, 0.05, 0.95, second=(0.0, 1.0))
pair_loss("kl_div", F.kl_div, -3, -0.1, second=(0.0, 1.0))


@op("bce_with_logits_loss")
def _(d):
    shape, t, r = d.shape(1, 3, 1), d.dtype(), d.int(0, 2)
    inputs = [d.tensor(shape, t, -6, 6), d.tensor(shape, t, 0, 1, grad=False)]
    kind = d.int(0, 2)
    if kind:
        inputs.append(d.tensor(shape[-1:], t, 0.5, 2, grad=False))
    if kind == 2:
        inputs.append(d.tensor(shape[-1:], t, 0.5, 2, grad=False))
    return Case(inputs, lambda x, y, w=None, p=None: F.binary_cross_entropy_with_logits(x, y, w, reduction=REDUCTIONS[r],
                                                                                       pos_weight=p), {"reduction": r}, loose=4)


def class_loss(name, smooth):
    def draw(d):
        t, classes, r = d.pick(["f64", "f64", "f32"]), d.int(1, 6), d.int(0, 2)
        batch = [d.int(1, 5)] if d.chance(0.8) else []
        more = d.shape(0, 2, 1) if batch and d.chance(0.4) else []
        x = d.tensor(batch + [classes] + more, t)
        target = d.index(batch + more, classes)
        inputs, attrs, args = [x, target], {"reduction": r}, {"reduction": REDUCTIONS[r]}
        if d.chance(0.5):
            inputs.append(d.tensor([classes], t, 0.5, 2, grad=False))
        if d.chance(0.4) and classes > 1:
            attrs["ignore_index"] = args["ignore_index"] = d.int(0, classes - 1)
            if target.leaf.dim():
                target.leaf.view(-1)[0] = (attrs["ignore_index"] + 1) % classes  # 0/0 is not compared
            else:
                target.leaf.fill_((attrs["ignore_index"] + 1) % classes)
        if smooth and d.chance(0.5):
            attrs["label_smoothing"] = args["label_smoothing"] = d.real(0.05, 0.5)
        fn = F.cross_entropy if smooth else F.nll_loss
        return Case(inputs, lambda x, y, w=None: fn(x.contiguous(), y.long(), w, **args), attrs, loose=8)
    OPS[name] = draw


class_loss("cross_entropy", True)
class_loss("nll_loss", False)


# ---- indices and rearranging -----------------------------------------------------------------------------------------

@op("gather")
def _(d):
    shape = d.shape(1, 3, 1)
    dim = d.axis(shape)
    where = list(shape)
    where[dim] = d.int(1, 4)
    return Case([d.tensor(shape, d.dtype("all")), d.index(where, shape[dim])], lambda x, i: x.gather(dim, i.long()),
                {"dim": dim})


@op("index_select")
def _(d):
    shape = d.shape(1, 3, 1)
    dim = d.axis(shape)
    return Case([d.tensor(shape, d.dtype("all")), d.index([d.int(0, 5)], shape[dim])],
                lambda x, i: x.index_select(dim, i.long()), {"dim": dim})


@op("scatter_add")
def _(d):
    shape, t = d.shape(1, 3, 1), d.dtype("number")
    dim = d.axis(shape)
    where = list(shape)
    where[dim] = d.int(1, 5)
    return Case([d.tensor(shape, t), d.index(where, shape[dim]), d.tensor(where, t)],
                lambda x, i, s: x.scatter_add(dim, i.long(), s), {"dim": dim}, loose=2)


@op("one_hot")
def _(d):
    classes = d.int(1, 6)
    return Case([d.index(d.shape(0, 3, 1), classes)], lambda i: F.one_hot(i.long(), classes), {"classes": classes})


@op("embedding")
def _(d):
    rows, padding = d.int(1, 6), -1
    if d.chance(0.4):
        padding = d.int(0, rows - 1)
    return Case([d.tensor([rows, d.int(1, 4)], d.dtype()), d.index(d.shape(0, 3), rows)],
                lambda t, i: F.embedding(i.long(), t, padding if padding >= 0 else None), {"padding_idx": padding})


def triangle(name, fn):
    def draw(d):
        k = d.int(-3, 3)
        return Case([d.tensor(d.shape(2, 4), d.dtype("all"))], lambda x: fn(x, k), {"diagonal": k})
    OPS[name] = draw


triangle("tril", torch.tril)
triangle("triu", torch.triu)


@op("diagonal")
def _(d):
    shape = d.shape(2, 4, 1)
    a, b = [int(i) for i in d.np.permutation(len(shape))[:2]]
    offset = d.int(-2, 2)
    return Case([d.tensor(shape, d.dtype("all"))], lambda x: torch.diagonal(x, offset, a, b),
                {"offset": offset, "dim0": a, "dim1": b})


@op("pad")
def _(d):
    mode = d.int(0, 3)
    if mode == 0:
        shape = d.shape(1, 4)
        n = d.int(1, len(shape))
        pads = []
        for e in reversed(shape[-n:]):
            low = d.int(-min(e, 1), 3)
            pads += [low, d.int(-max(min(e + low - 1, 1), 0) if low < 0 else -min(e, 1), 3)]
    else:
        n = d.int(1, 2)
        shape = [d.int(1, 3), d.int(1, 3)] + [d.int(2, 5) for _ in range(n)]
        pads = [d.int(0, e - (mode == 1)) for e in reversed(shape[2:]) for _ in range(2)]
    name = ["constant", "reflect", "replicate", "circular"][mode]
    t = d.dtype("number") if mode == 0 else d.pick(["f64", "f32"])
    v = d.int(0, 2) if mode == 0 else 0
    return Case([d.tensor(shape, t)], lambda x: F.pad(x, pads, name, v if mode == 0 else None),
                {"pads": pads, "mode": mode, "value": v})


@op("roll")
def _(d):
    shape = d.shape(1, 4)
    shift, dim = d.int(-9, 9), d.axis(shape)
    return Case([d.tensor(shape, d.dtype("all"))], lambda x: x.roll(shift, dim), {"shift": shift, "dim": dim})


@op("repeat")
def _(d):
    shape = d.shape(0, 3)
    times = [d.int(0, 3) if d.chance(0.2) else d.int(1, 3) for _ in range(len(shape) + d.int(0, 1))]
    return Case([d.tensor(shape, d.dtype("all"))], lambda x: x.repeat(times), {"times": times})


@op("permute")
def _(d):
    shape = d.shape(0, 4)
    dims = [int(i) for i in d.np.permutation(len(shape))]
    return Case([d.tensor(shape, d.dtype("all"))], lambda x: x.permute(dims), {"dims": dims})


@op("reshape")
def _(d):
    shape = d.shape(0, 4, 1)
    flat = [f for n in shape for f in ((2, n // 2) if n % 2 == 0 else (n,))]
    to = [flat[i] for i in d.np.permutation(len(flat))][:8]
    if math.prod(to) != math.prod(shape):
        to = [math.prod(shape)]
    asked = list(to)
    if asked and d.chance(0.5):
        asked[d.int(0, len(asked) - 1)] = -1
    return Case([d.tensor(shape, d.dtype("all"))], lambda x: x.reshape(asked), {"shape": asked})


@op("flatten")
def _(d):
    shape = d.shape(1, 4)
    a = d.int(0, len(shape) - 1)
    b = d.int(a, len(shape) - 1)
    return Case([d.tensor(shape, d.dtype())], lambda x: x.flatten(a, b), {"start": a, "end": b - len(shape)})


@op("squeeze_all")
def _(d):
    return Case([d.tensor(d.shape(), d.dtype())], lambda x: x.squeeze())


@op("unsqueeze")
def _(d):
    shape = d.shape()
    dim = d.int(-len(shape) - 1, len(shape))
    return Case([d.tensor(shape, d.dtype())], lambda x: x.unsqueeze(dim), {"dim": dim})


@op("expand")
def _(d):
    shape = d.shape(0, 3)
    to = [d.extent() if n == 1 else (-1 if d.chance(0.3) else n) for n in shape]
    to = [d.int(1, 3) for _ in range(d.int(0, 1))] + to
    return Case([d.tensor(shape, d.dtype())], lambda x: x.expand(to), {"shape": to})


@op("slice")
def _(d):
    shape = d.shape(1, 4)
    dim = d.axis(shape)
    start, stop, step = d.int(-8, 8), d.int(-8, 8), d.pick([1, 2, 3, -1, -2])

    def run(x):
        return x.index_select(dim, torch.tensor(list(range(shape[dim]))[start:stop:step], dtype=torch.int64))
    return Case([d.tensor(shape, d.dtype("all"))], run, {"dim": dim, "start": start, "stop": stop, "step": step})


@op("narrow")
def _(d):
    shape = d.shape(1, 4)
    dim = d.axis(shape)
    start = d.int(0, shape[dim])
    length = d.int(0, shape[dim] - start)
    return Case([d.tensor(shape, d.dtype())], lambda x: x.narrow(dim, start, length),
                {"dim": dim, "start": start, "length": length})


@op("index")
def _(d):
    shape = d.shape(1, 4, 1)
    dim = d.axis(shape)
    i = d.int(-shape[dim], shape[dim] - 1)
    return Case([d.tensor(shape, d.dtype())], lambda x: x.select(dim, i), {"dim": dim, "index": i})


@op("flip")
def _(d):
    shape = d.shape(1, 4)
    dim = d.axis(shape)
    return Case([d.tensor(shape, d.dtype("all"))], lambda x: x.flip(dim), {"dim": dim})


@op("cat")
def _(d):
    shape, t = d.shape(1, 4), d.dtype("all")
    dim = d.axis(shape)
    parts = []
    for _ in range(d.int(1, 4)):
        s = list(shape)
        s[dim] = d.int(0, 3)
        parts.append(d.tensor(s, t))
    return Case(parts, lambda *x: torch.cat(x, dim), {"dim": dim})


@op("stack")
def _(d):
    shape, t = d.shape(0, 3), d.dtype("all")
    dim = d.int(-len(shape) - 1, len(shape))
    return Case([d.tensor(shape, t) for _ in range(d.int(1, 3))], lambda *x: torch.stack(x, dim), {"dim": dim})

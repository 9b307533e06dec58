"""Random tensors for the oracle: shapes, dtypes, values, and the views through which an op sees them."""
import math

import numpy as np
import torch

DTYPES = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16,
          "i32": torch.int32, "i64": torch.int64, "u8": torch.uint8, "bool": torch.bool}
FLOATS = ("f32", "f64", "f16", "bf16")
NAMES = {value: key for key, value in DTYPES.items()}


class Input:
    """A leaf (a torch tensor) and the views that lead from it to what the op gets."""

    def __init__(self, leaf, views, grad):
        self.leaf, self.views, self.grad = leaf, views, grad

    def through(self, leaf):
        x = leaf
        for kind, *args in self.views:
            if kind == "permute":
                x = x.permute(args)
            elif kind == "flip":
                x = x.flip(args[0])
            elif kind == "expand":
                x = x.expand(args)
            else:
                dim, start, stop, step = args
                where = list(range(x.shape[dim]))[start:stop:step]
                x = x.index_select(dim, torch.tensor(where, dtype=torch.int64))
        return x


class Draw:
    """The random numbers of one case."""

    def __init__(self, seed):
        self.np = np.random.Generator(np.random.PCG64(seed))

    def int(self, low, high):
        return int(self.np.integers(low, high + 1))

    def real(self, low, high):
        return float(self.np.uniform(low, high))

    def chance(self, p):
        return self.np.random() < p

    def pick(self, items):
        return items[self.int(0, len(items) - 1)]

    def extent(self):
        return self.pick([1, 2, 3, 4, 5, 7]) if self.chance(0.9) else self.pick([0, 17, 33])

    def shape(self, low=0, high=4, least=0):
        return [max(self.extent(), least) for _ in range(self.int(low, high))]

    def axis(self, shape):
        d = self.int(0, len(shape) - 1)
        return d - len(shape) if self.chance(0.3) else d

    def axes(self, shape):
        """None (all), or some axes."""
        if not shape or self.chance(0.3):
            return None
        return [int(d) for d in self.np.permutation(len(shape))[:self.int(1, len(shape))]]

    def dtype(self, kind="float"):
        """kind: float, number (with integers), all (with bool)."""
        if kind != "float" and self.chance(0.3):
            return self.pick(["i32", "i64", "u8", "bool"] if kind == "all" else ["i32", "i64", "u8"])
        return self.pick(["f64"] * 9 + ["f32"] * 8 + ["f16", "bf16"])

    def values(self, shape, dtype, low, high, ties, special):
        if dtype == "bool":
            return self.np.integers(0, 2, shape).astype(np.float64)
        if dtype not in FLOATS:
            low, high = math.ceil(low), math.floor(high)
            return self.np.integers(max(low, 0) if dtype == "u8" else low, max(high, 1) + 1, shape).astype(np.float64)
        v = self.np.uniform(low, high, shape)
        if ties:
            v = np.clip(np.round(v * 2) / 2, low, high)
        if special:
            extra = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -1.5]
            v = np.where(self.np.random(shape) < 0.3, self.np.choice(extra, shape), v)
        return v

    def base(self, shape):
        """A shape and the views that lead from it to shape."""
        views = []
        for _ in range(self.int(1, 3) if self.chance(0.6) else 0):
            if not shape:
                break
            kind, d = self.pick(["permute", "slice", "flip", "expand"]), self.int(0, len(shape) - 1)
            if kind == "permute":
                dims = [int(i) for i in self.np.permutation(len(shape))]
                base = [0] * len(shape)
                for to, source in enumerate(dims):
                    base[source] = shape[to]
                views.insert(0, ["permute", *dims])
                shape = base
            elif kind == "flip":
                views.insert(0, ["flip", d])
            elif kind == "expand" and shape[d] > 1:
                views.insert(0, ["expand", *shape])
                shape = shape[:d] + [1] + shape[d + 1:]
            elif kind == "slice" and shape[d] > 0:
                n, step, before = shape[d], self.int(1, 3), self.int(0, 2)
                span = (n - 1) * step
                extent = before + span + 1 + self.int(0, 2)
                if self.chance(0.5):
                    views.insert(0, ["slice", d, before, before + span + 1, step])
                else:
                    stop = before - 1 if before > 0 else -extent - 1
                    views.insert(0, ["slice", d, before + span, stop, -step])
                shape = shape[:d] + [extent] + shape[d + 1:]
        return shape, views

    def tensor(self, shape, dtype, low=-2.0, high=2.0, grad=True, ties=False, special=False, views=True):
        base, views = self.base(list(shape)) if views else (list(shape), [])
        leaf = torch.from_numpy(np.asarray(self.values(base, dtype, low, high, ties, special))).to(DTYPES[dtype])
        return Input(leaf, views, grad and dtype in FLOATS)

    def index(self, shape, extent, negative=False):
        low = -extent if negative and self.chance(0.5) else 0
        v = self.np.integers(low, extent, shape)
        return Input(torch.from_numpy(np.asarray(v)).to(DTYPES[self.pick(["i64", "i32"])]), [], False)

    def given(self, tensor):
        return Input(tensor, [], False)

    def broadcast_pair(self):
        """Two shapes that broadcast."""
        out = self.shape(0, 4)
        a, b = list(out), list(out)
        for d in range(len(out)):
            which = self.int(0, 5)
            if which == 0:
                a[d] = 1
            elif which == 1:
                b[d] = 1
        if self.chance(0.3):
            a = a[self.int(0, len(a)):]
        elif self.chance(0.3):
            b = b[self.int(0, len(b)):]
        return a, b

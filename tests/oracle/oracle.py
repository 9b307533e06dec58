"""Compares mt with PyTorch, values and gradients, over random cases of every op."""
import argparse
import base64
import fnmatch
import json
import math
import os
import subprocess
import sys
import time
import warnings
import zlib

import numpy as np
import torch

import layers  # noqa: F401  (registers its ops)
from draw import DTYPES, FLOATS, NAMES, Draw
from ops import OPS

# Relative to max(1, the largest magnitude of the reference), times the case's looseness.
TOLERANCE = {"f64": 1e-11, "f32": 3e-6, "f16": 3e-3, "bf16": 2e-2}


class Server:
    """mt-oracle as a process that answers one case after another."""

    def __init__(self, program, device):
        self.command = [program, device]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, request):
        if self.process is None or self.process.poll() is not None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            return {"error": f"mt-oracle ended with status {self.process.wait()}"}
        return json.loads(line)


# ---- tensors on the wire ---------------------------------------------------------------------------------------------

def raw(t):
    """The bytes of a tensor, row-major (NumPy has no bfloat16)."""
    t = t.detach().contiguous()
    return t.view(torch.int16).numpy().tobytes() if t.dtype == torch.bfloat16 else t.numpy().tobytes()


def encode(t):
    return {"dtype": NAMES[t.dtype], "shape": list(t.shape), "data": base64.b64encode(raw(t)).decode()}


def decode(o):
    dtype = DTYPES[o["dtype"]]
    data = bytearray(base64.b64decode(o["data"]))
    if not data:
        return torch.empty(o["shape"], dtype=dtype)
    return torch.frombuffer(data, dtype=dtype).reshape(o["shape"])


# ---- the reference ---------------------------------------------------------------------------------------------------

def outputs_of(case, leaves):
    out = case.fn(*[i.through(leaf) for i, leaf in zip(case.inputs, leaves)])
    return list(out) if isinstance(out, (tuple, list)) else [out]


def widened(t):
    return t.double() if t.dtype.is_floating_point else t


def reference(case, draw):
    """Outputs and gradients in f64 (or the dtype itself), the outputs' own dtypes, and the upstream gradients."""
    leaves = [(i.leaf if case.exact_dtype else widened(i.leaf)).detach().clone().requires_grad_(i.grad and case.grad)
              for i in case.inputs]
    out = outputs_of(case, leaves)
    own = None
    if case.check_dtype:
        try:
            with torch.no_grad():
                own = [o.dtype for o in outputs_of(case, [i.leaf for i in case.inputs])]
        except RuntimeError:
            pass  # not implemented for this dtype
    upstream = []
    for k, o in enumerate(out):
        u = None
        if o.requires_grad and o.dtype.is_floating_point:
            dtype = own[k] if own else o.dtype
            u = torch.from_numpy(np.asarray(draw.np.uniform(-1, 1, list(o.shape)))).to(dtype)
        upstream.append(u)
    total = sum((o * u.to(o.dtype)).sum() for o, u in zip(out, upstream) if u is not None)
    if isinstance(total, torch.Tensor):
        total.backward()
    gradients = [leaf.grad if leaf.requires_grad else None for leaf in leaves]
    return [o.detach() for o in out], gradients, own, upstream


# ---- comparing -------------------------------------------------------------------------------------------------------

def coarsest(tensors):
    """The float dtype among them with the widest tolerance: what a mixed op computes in."""
    return max((NAMES[t.dtype] for t in tensors if t.dtype.is_floating_point), key=TOLERANCE.get, default="f64")


def difference(got, want, loose, computed):
    """None where got is near enough to want, else a line about the worst element."""
    if list(got.shape) != list(want.shape):
        return f"shape {list(got.shape)}, PyTorch {list(want.shape)}"
    name = NAMES[got.dtype]
    if name not in FLOATS:
        bad = got.to(torch.float64) != want.to(torch.float64) if want.dtype.is_floating_point else got != want.to(got.dtype)
        if not bad.any():
            return None
        at = tuple(int(i) for i in bad.nonzero()[0])
        return f"{int(bad.sum())} of {bad.numel()} differ; at {list(at)}: {got[at].item()}, PyTorch {want[at].item()}"
    g, w = got.double(), want.to(got.dtype).double()
    finite = torch.isfinite(w)
    scale = max(1.0, float(w[finite].abs().max())) if finite.any() else 1.0
    allowed = max(TOLERANCE[name], TOLERANCE[computed]) * loose * scale
    error = (g - want.double().where(finite, w)).abs()
    ok = torch.where(finite, error <= allowed, (g == w) | (g.isnan() & w.isnan()))
    if ok.all():
        return None
    worst = torch.where(ok, torch.zeros_like(error), torch.where(error.isnan(), torch.full_like(error, math.inf), error))
    at = tuple(int(i) for i in np.unravel_index(int(worst.argmax()), worst.shape)) if worst.dim() else ()
    return (f"{int((~ok).sum())} of {ok.numel()} differ; at {list(at)}: {g[at].item():.17g}, PyTorch {want[at].item():.17g}, "
            f"allowed {allowed:.3g}")


def compare(case, answer, expected):
    """What differs, in lines."""
    out, gradients, own, _ = expected
    if "error" in answer:
        return [answer["error"]]
    found = []
    got = [decode(o) if o else None for o in answer["outputs"]]
    computed = coarsest([i.leaf for i in case.inputs] + [o for o in got if o is not None])
    for k, want in enumerate(out):
        if k >= len(got) or got[k] is None:
            found.append(f"output {k} is missing")
            continue
        if own and got[k].dtype != own[k]:
            found.append(f"output {k} is {NAMES[got[k].dtype]}, PyTorch's {NAMES.get(own[k], own[k])}")
        text = difference(got[k], want, case.loose, computed)
        found += [f"output {k}: {text}"] if text else []
    for i, want in enumerate(gradients):
        if want is None:
            continue
        have = answer["gradients"][i]
        if have is None:
            if float(want.abs().sum()) != 0:
                found.append(f"gradient {i} is missing")
            continue
        text = difference(decode(have), want, case.loose * 4, computed)
        found += [f"gradient {i}: {text}"] if text else []
    return found


def describe(case):
    inputs = ", ".join(f"{NAMES[i.leaf.dtype]}{list(i.leaf.shape)}" + "".join(f".{v[0]}{v[1:]}" for v in i.views)
                       for i in case.inputs)
    return f"{inputs}  {json.dumps(case.attrs)}"


# ---- a run -----------------------------------------------------------------------------------------------------------

def run_case(server, name, seed):
    """Name and seed decide everything: the same pair draws the same case."""
    draw = Draw([seed, zlib.crc32(name.encode())])
    case = OPS[name](draw)
    try:
        expected = reference(case, draw)
    except Exception as e:  # a case that PyTorch refuses was drawn wrong
        return case, [f"PyTorch: {e}".strip().split("\n")[0]]
    request = {"op": name, "attrs": case.attrs, "upstream": [encode(u) if u is not None else None for u in expected[3]],
               "inputs": [{**encode(i.leaf), "grad": i.grad and case.grad, "views": i.views} for i in case.inputs]}
    return case, compare(case, server.ask(request), expected)


def check_lists(program):
    """Every op of the program has a row here and the other way round: nothing is left out silently."""
    there = set(subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split())
    for name in sorted(there ^ set(OPS)):
        print(f"oracle: {name} is {'not drawn' if name in there else 'not known to mt-oracle'}", file=sys.stderr)
    return there == set(OPS)


def arguments():
    p = argparse.ArgumentParser(prog="scripts/oracle", description=__doc__)
    p.add_argument("--program", default="./mt-oracle", help=argparse.SUPPRESS)
    p.add_argument("--device", default="omp", help="mt's device, as MT_BACKEND takes it (default: omp)")
    p.add_argument("--cases", type=int, default=2000, help="how many, shared evenly among the ops (default: 2000)")
    p.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    p.add_argument("--op", default="*", help="only ops that match this pattern")
    p.add_argument("--show", type=int, default=20, help="differences to print (default: 20)")
    p.add_argument("--list", action="store_true", help="print the ops and end")
    return p.parse_args()


def main():
    a = arguments()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    names = [n for n in sorted(OPS) if fnmatch.fnmatch(n, a.op)]
    if a.list:
        print("\n".join(names))
        return 0
    if not names:
        print(f"oracle: no op matches {a.op}", file=sys.stderr)
        return 2
    if not check_lists(a.program):
        return 1
    server = Server(a.program, a.device)
    failed, ran, compared, start = {}, 0, 0, time.time()
    while ran < a.cases:
        seed = a.seed + ran // len(names)
        name = names[ran % len(names)]
        case, found = run_case(server, name, seed)
        ran += 1
        compared += any(i.grad for i in case.inputs) and case.grad
        if found:
            failed[name] = failed.get(name, 0) + 1
            if sum(failed.values()) <= a.show:
                print(f"{name} --seed {seed}: {describe(case)}\n    " + "\n    ".join(found), flush=True)
    bad = sum(failed.values())
    print(f"{len(names)} ops on {a.device}, {ran} cases ({compared} with gradients), seeds {a.seed} to {seed}, "
          f"PyTorch {torch.__version__.split('+')[0]}, {time.time() - start:.0f} s: {ran - bad} agree, {bad} differ")
    for name, count in sorted(failed.items()):
        print(f"  {name}: {count} differ; scripts/oracle --op {name} --device {a.device}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

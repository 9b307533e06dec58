"""Files between mt and NumPy, safetensors, PyTorch: file_peers.py PROGRAM FOLDER BACKEND…, TAP on stdout.

PROGRAM is tests/cli/file_peer. What it reads it writes again in another format, so that values are compared bit by bit
here."""
import os
import subprocess
import sys
import zipfile
from collections import OrderedDict

import numpy as np

try:
    import safetensors.numpy
except ImportError:
    safetensors = None
try:
    import torch
except ImportError:
    torch = None

program, folder, *backends = sys.argv[1:]
count = failed = 0


def path(name):
    return os.path.join(folder, name)


def run(*arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"status {done.returncode}: {done.stderr.strip()}")


def refused(*arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode == 1, f"status {done.returncode}, expected an error"
    return done.stderr


def case(name, needed=()):
    """Runs the function below it as one test, unless one of the needed (name, module) is missing."""

    def decorate(function):
        global count, failed
        count += 1
        missing = [what for what, module in needed if module is None]
        if missing:
            print(f"ok {count} - {name} # SKIP no {', '.join(missing)} in {sys.executable}")
            return function
        try:
            function()
            print(f"ok {count} - {name}")
        except Exception as error:
            failed += 1
            print(f"not ok {count} - {name}")
            print("\n".join("# " + line for line in f"{type(error).__name__}: {error}".splitlines()))
        return function

    return decorate


SAFETENSORS = [("safetensors", safetensors)]
TORCH = [("torch", torch), ("safetensors", safetensors)]


def same(got, expected):
    assert got.dtype == expected.dtype, f"dtype {got.dtype}, expected {expected.dtype}"
    assert got.shape == expected.shape, f"shape {got.shape}, expected {expected.shape}"
    assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(expected).tobytes(), f"{got}\nexpected\n{expected}"


def same_all(got, expected):
    assert sorted(got) == sorted(expected), f"names {sorted(got)}, expected {sorted(expected)}"
    for name in expected:
        try:
            same(got[name], expected[name])
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


# --- written by mt ---------------------------------------------------------------------------------------------------


def pattern(shape, dtype):
    i = np.arange(int(np.prod(shape)))
    values = i % 2 if dtype == "?" else i * 7 % 120 - (0 if dtype == "u1" else 60)
    return values.astype(dtype).reshape(shape)


DTYPES = {"f32": "f4", "f64": "f8", "f16": "f2", "i32": "i4", "i64": "i8", "u8": "u1", "bool": "?"}
made = {name: pattern((2, 3, 4), dtype) for name, dtype in DTYPES.items()}
made["fortran"] = pattern((3, 5), "f4").T
made["scalar"] = pattern((), "f8")
made["empty"] = pattern((0, 3), "i8")
made["rank8"] = pattern((1, 2, 1, 2, 1, 2, 1, 2), "u1")


@case("file_peer make")
def _():
    run("make", folder)


for name in made:

    @case(f"numpy opens mt's {name}.npy")
    def _():
        got = np.load(path(name + ".npy"), allow_pickle=False)
        same(got, made[name])
        assert got.flags.f_contiguous == made[name].flags.f_contiguous
        if got.size > 0:
            mapped = np.load(path(name + ".npy"), mmap_mode="r")
            same(np.array(mapped), made[name])
            assert mapped.ctypes.data % 64 == 0, "the data is not aligned"


for archive in "made.npz", "deflated.npz":

    @case(f"numpy opens mt's {archive}")
    def _():
        with np.load(path(archive), allow_pickle=False) as z:
            assert z.files == list(made), f"names in another order: {z.files}"
            same_all({name: z[name] for name in z.files}, made)
        with zipfile.ZipFile(path(archive)) as z:
            assert z.testzip() is None
            assert {i.compress_type for i in z.infolist()} == {0 if archive == "made.npz" else 8}


@case("safetensors opens mt's file", SAFETENSORS)
def _():
    with safetensors.safe_open(path("made.safetensors"), "numpy") as f:
        assert sorted(f.keys()) == sorted([*made, "bf16"])
        same_all({name: f.get_tensor(name) for name in f.keys() if name != "bf16"}, made)


@case("PyTorch opens mt's bf16", TORCH)
def _():
    import safetensors.torch

    got = safetensors.torch.load_file(path("made.safetensors"))["bf16"]
    assert got.dtype == torch.bfloat16
    same(got.float().numpy(), pattern((4,), "f4"))


# --- written by NumPy ------------------------------------------------------------------------------------------------

rng = np.random.default_rng(1)


def special(dtype, shape):
    """Any bits: also NaNs, infinities, the smallest and largest integers."""
    if dtype == "?":
        return rng.integers(0, 2, shape).astype(bool)
    size = np.dtype(dtype).itemsize
    return np.frombuffer(rng.bytes(int(np.prod(shape)) * size), dtype=dtype).reshape(shape)


def read_npy(array, version=None):
    with open(path("in.npy"), "wb") as f:
        np.lib.format.write_array(f, array, version=version)
    run("convert", path("in.npy"), path("out.npz"))
    with np.load(path("out.npz")) as z:
        return z["array"]


for name, dtype in DTYPES.items():

    @case(f"mt opens numpy's .npy of {name}")
    def _():
        for shape in (), (0,), (5,), (3, 4), (2, 0, 3), (2, 3, 4), (1, 2, 1, 2, 1, 2, 1, 2):
            array = special(dtype, shape)
            fortran = np.asfortranarray(array)  # of rank 1 where array is of rank 0
            same(read_npy(array), array)
            same(read_npy(fortran), fortran)
            for version in (1, 0), (2, 0), (3, 0):
                same(read_npy(array, version), array)
            if dtype not in ("?", "u1"):
                swapped = array.astype(array.dtype.newbyteorder(">"))
                same(read_npy(swapped), array)
                same(read_npy(np.asfortranarray(swapped)), fortran)


for name, save in ("savez", np.savez), ("savez_compressed", np.savez_compressed):

    @case(f"mt opens numpy.{name}'s archive")
    def _():
        arrays = {n: special(d, (7, 11)) for n, d in DTYPES.items()}
        arrays["fortran"] = np.asfortranarray(special("f4", (3, 4, 5)))
        arrays["zeros"] = np.zeros((300, 300), "f4")
        arrays["empty"] = np.zeros((0, 2), "i8")
        arrays["a/b é 中.npy"] = special("f8", ())
        save(path("in.npz"), **arrays)
        run("convert", path("in.npz"), path("out.npz"))
        with np.load(path("out.npz")) as z:
            assert z.files == list(arrays)
            same_all({n: z[n] for n in z.files}, arrays)


@case("mt refuses what numpy has besides")
def _():
    others = [np.zeros(2, d) for d in ("i1", "i2", "u2", "u4", "u8", "c8", "c16", "g", "S3", "U2", "M8[s]", "m8[s]", "V2")]
    others += [np.zeros(2, [("a", "f4"), ("b", "i4")]), np.zeros((1,) * 9, "f4")]
    for array in others:
        np.save(path("in.npy"), array)
        message = refused("convert", path("in.npy"), path("out.npz"))
        assert "in.npy: expected " in message, f"{array.dtype}: {message}"
    np.save(path("in.npy"), np.array([None, {}], object), allow_pickle=True)
    assert "Python objects" in refused("convert", path("in.npy"), path("out.npz"))


# --- safetensors and PyTorch -----------------------------------------------------------------------------------------


@case("mt opens safetensors' file", SAFETENSORS)
def _():
    arrays = {n: special(d, (3, 5)) for n, d in DTYPES.items()}
    arrays["scalar"] = special("f4", ())
    arrays["empty"] = np.zeros((0, 2), "i8")
    arrays["a.b\n\"é中"] = special("u1", (3,))
    safetensors.numpy.save_file(arrays, path("in.safetensors"), metadata={"format": "np", "note": "é"})
    run("convert", path("in.safetensors"), path("out.safetensors"))
    same_all(safetensors.numpy.load_file(path("out.safetensors")), arrays)
    run("convert", path("in.safetensors"), path("out.npz"))
    with np.load(path("out.npz")) as z:
        same_all({n: z[n] for n in z.files}, arrays)


def make_lenet():
    nn = torch.nn
    torch.manual_seed(7)
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 6, 5, padding=2), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 16, 5), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
        fc1=nn.Linear(400, 120), relu3=nn.ReLU(), fc2=nn.Linear(120, 84), relu4=nn.ReLU(), fc3=nn.Linear(84, 10)))


for backend in backends:

    @case(f"PyTorch's LeNet gives the same logits in mt ({backend})", TORCH)
    def _():
        import safetensors.torch

        for dtype in torch.float32, torch.bfloat16, torch.float16:
            net = make_lenet()
            x = torch.rand(16, 1, 28, 28)
            state = {n: t.to(dtype) for n, t in net.state_dict().items()}
            net.load_state_dict({n: t.float() for n, t in state.items()})
            safetensors.torch.save_file(state, path("lenet.safetensors"), metadata={"format": "pt"})
            np.save(path("x.npy"), x.numpy())
            run("lenet", backend, path("lenet.safetensors"), path("x.npy"), path("y.npy"), path("back.safetensors"))
            with torch.no_grad():
                expected = net(x).numpy()
            error = np.abs(np.load(path("y.npy")) - expected).max()
            assert error <= 1e-5, f"logits of {dtype} weights differ by {error}"
            assert np.abs(expected).max() > 0.01, "logits too small to tell"
            back = safetensors.torch.load_file(path("back.safetensors"))
            same_all({n: t.numpy() for n, t in back.items()}, {n: t.numpy() for n, t in net.state_dict().items()})
            net.load_state_dict(back, strict=True)


print(f"1..{count}")
sys.exit(1 if failed and not os.environ.get("MT_TEST_HARNESS") else 0)

"""dlpack_peer.py LIBMT DEVICE: libmt's DLPack against NumPy and PyTorch, both ways; prints TAP.

libmt is called through ctypes, and managed tensors travel in capsules as the protocol has them: what docs/dlpack.md shows."""

import ctypes
import gc
import sys
import weakref

import numpy as np
import torch

lib = ctypes.CDLL(sys.argv[1])
pointer = ctypes.c_void_p
F32, F64, F16, BF16, I32, I64, U8, BOOL = range(1, 9)


class Scalar(ctypes.Structure):
    _fields_ = [("tag", ctypes.c_int32), ("reserved", ctypes.c_int32), ("f", ctypes.c_double)]


for name, result, arguments in [
    ("mt_device_open", pointer, [ctypes.c_char_p]),
    ("mt_device_use", ctypes.c_int32, [pointer]),
    ("mt_device_memory", ctypes.c_int32, [pointer, pointer, pointer]),
    ("mt_error_take", ctypes.c_char_p, [pointer]),
    ("mt_scope_begin", pointer, []),
    ("mt_scope_end", None, [pointer]),
    ("mt_retain", pointer, [pointer]),
    ("mt_release", None, [pointer]),
    ("mt_empty", pointer, [ctypes.c_int, pointer, ctypes.c_int32]),
    ("mt_fill_", pointer, [pointer, Scalar]),
    ("mt_transpose", pointer, [pointer, ctypes.c_int, ctypes.c_int]),
    ("mt_flip", pointer, [pointer, ctypes.c_int]),
    ("mt_contiguous", pointer, [pointer]),
    ("mt_cast", pointer, [pointer, ctypes.c_int32]),
    ("mt_requires_grad_", pointer, [pointer, ctypes.c_int]),
    ("mt_tensor_rank", ctypes.c_int, [pointer]),
    ("mt_tensor_shape", ctypes.POINTER(ctypes.c_int64), [pointer]),
    ("mt_tensor_dtype", ctypes.c_int32, [pointer]),
    ("mt_to_host", ctypes.c_int32, [pointer, pointer, ctypes.c_size_t]),
    ("mt_from_host", ctypes.c_int32, [pointer, pointer, ctypes.c_size_t]),
    ("mt_to_dlpack", pointer, [pointer]),
    ("mt_to_dlpack_versioned", pointer, [pointer]),
    ("mt_from_dlpack", pointer, [pointer]),
    ("mt_from_dlpack_versioned", pointer, [pointer]),
]:
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


# ---- capsules ----


def python_call(name, result, *arguments):
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


capsule_new = python_call("PyCapsule_New", ctypes.py_object, pointer, ctypes.c_char_p, pointer)
capsule_pointer = python_call("PyCapsule_GetPointer", pointer, ctypes.py_object, ctypes.c_char_p)
capsule_is = python_call("PyCapsule_IsValid", ctypes.c_int, ctypes.py_object, ctypes.c_char_p)
capsule_rename = python_call("PyCapsule_SetName", ctypes.c_int, ctypes.py_object, ctypes.c_char_p)
# In a capsule's destructor the capsule is no object any more: its address is all that may be passed.
dying_is = python_call("PyCapsule_IsValid", ctypes.c_int, pointer, ctypes.c_char_p)
dying_pointer = python_call("PyCapsule_GetPointer", pointer, pointer, ctypes.c_char_p)

PLAIN, VERSIONED = b"dltensor", b"dltensor_versioned"
USED = {PLAIN: b"used_dltensor", VERSIONED: b"used_dltensor_versioned"}
# Where the deleter stands in DLManagedTensor (behind the 48 bytes of the DLTensor and manager_ctx) and in
# DLManagedTensorVersioned (behind version and manager_ctx).
DELETER_AT = {PLAIN: 56, VERSIONED: 16}


@ctypes.PYFUNCTYPE(None, pointer)
def forget(capsule):
    """What nobody took is given back."""
    for kind in (PLAIN, VERSIONED):
        if dying_is(capsule, kind):
            managed = dying_pointer(capsule, kind)
            deleter = pointer.from_address(managed + DELETER_AT[kind]).value
            ctypes.PYFUNCTYPE(None, pointer)(deleter)(managed)


class Failed(Exception):
    pass


def checked(value):
    if value is None:
        raise Failed(lib.mt_error_take(None).decode())
    return value


class Tensor:
    """A reference of its own to an mt tensor; made inside a scope."""

    def __init__(self, handle):
        self.handle = None  # mt_release passes it over
        self.handle = lib.mt_retain(checked(handle))

    def __del__(self):
        lib.mt_release(self.handle)

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        if max_version is not None and max_version[0] >= 1:
            return capsule_new(checked(lib.mt_to_dlpack_versioned(self.handle)), VERSIONED, forget)
        return capsule_new(checked(lib.mt_to_dlpack(self.handle)), PLAIN, forget)

    def __dlpack_device__(self):
        return (1, 0)

    def values(self):
        """The elements as an array of NumPy's, copied; bf16 as f32."""
        with Scope():
            handle = self.handle
            if lib.mt_tensor_dtype(handle) == BF16:
                handle = checked(lib.mt_cast(handle, F32))
            rank, shape = lib.mt_tensor_rank(handle), lib.mt_tensor_shape(handle)
            dtype = {F32: "f4", F64: "f8", F16: "f2", I32: "i4", I64: "i8", U8: "u1", BOOL: "?"}
            out = np.empty([shape[d] for d in range(rank)], dtype[lib.mt_tensor_dtype(handle)])
            assert lib.mt_to_host(handle, out.ctypes.data, out.nbytes) == 0, lib.mt_error_take(None)
            return out

    def fill(self, value):
        checked(lib.mt_fill_(self.handle, Scalar(2, 0, value)))


class Scope:
    def __enter__(self):
        self.scope = lib.mt_scope_begin()

    def __exit__(self, *unused):
        lib.mt_scope_end(self.scope)


def from_capsule(capsule):
    kind = VERSIONED if capsule_is(capsule, VERSIONED) else PLAIN
    take = lib.mt_from_dlpack_versioned if kind == VERSIONED else lib.mt_from_dlpack
    with Scope():
        tensor = Tensor(take(capsule_pointer(capsule, kind)))  # on failure the capsule keeps what it has
    capsule_rename(capsule, USED[kind])
    return tensor


def empty(dtype, *shape):
    with Scope():
        return Tensor(lib.mt_empty(len(shape), (ctypes.c_int64 * len(shape))(*shape), dtype))


def counting(*shape):
    tensor, data = empty(F32, *shape), np.arange(np.prod(shape), dtype="f4")
    assert lib.mt_from_host(tensor.handle, data.ctypes.data, data.nbytes) == 0
    return tensor


def in_use():
    gc.collect()
    bytes_ = ctypes.c_uint64()
    assert lib.mt_device_memory(device, ctypes.addressof(bytes_), None) == 0
    return bytes_.value


# ---- TAP ----

count = 0


def check(what, ok, detail=""):
    global count
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {sys.argv[2]}: {what}")
    if not ok and str(detail):
        print("# " + str(detail).replace("\n", "\n# "))


def refuses(what, part, function, *arguments):
    try:
        function(*arguments)
        check(what, False, "it was taken")
    except Failed as error:
        check(what, part in str(error), error)


VERSIONS = [("unversioned", None), ("1.0", (1, 0))]


# ---- in ----


def numpy_in():
    for dtype in ["f4", "f8", "f2", "i4", "i8", "u1", "?"]:
        a = np.array([[0, 1, 1], [1, 0, 1]], dtype)
        for name, version in VERSIONS:
            t = from_capsule(a.__dlpack__(max_version=version))
            check(f"from NumPy, {dtype}, {name}: the same elements", (t.values() == a).all() and t.values().dtype == a.dtype)
    a = np.arange(12, dtype="f4").reshape(3, 4)
    t = from_capsule(a.__dlpack__())
    a[2, 3] = -5
    check("from NumPy: what NumPy writes, mt sees", t.values()[2, 3] == -5)
    t.fill(7)
    check("from NumPy: what mt writes, NumPy sees", (a == 7).all(), a)
    for what, view in [("transposed", a.T), ("stepped", a[::2, 1::2]), ("backwards", a[::-1, ::-1]), ("0-d", a[1, 1, ...]),
                       ("broadcast", np.broadcast_to(a[0].copy(), (5, 4))), ("empty", a[1:1])]:
        # NumPy lends what is read-only in the versioned form alone
        t = from_capsule(view.__dlpack__(max_version=(1, 0)))
        check(f"from NumPy: {what}", np.array_equal(t.values(), view), t.values())


def numpy_in_lives():
    a = np.arange(1000, dtype="f8")
    gone = weakref.ref(a)
    t = from_capsule(a.__dlpack__())
    del a
    gc.collect()
    check("from NumPy: the array lives as long as the tensor", gone() is not None and t.values().sum() == 499500)
    del t
    gc.collect()
    check("from NumPy: and no longer", gone() is None)


def numpy_read_only():
    a = np.arange(3, dtype="f4")
    a.flags.writeable = False
    t = from_capsule(a.__dlpack__(max_version=(1, 0)))
    refuses("read-only from NumPy: in-place ops are refused", "lent for reading alone", t.fill, 1)
    check("read-only from NumPy: it stays", list(a) == [0, 1, 2])
    check("read-only from NumPy: and is, back in NumPy", not np.from_dlpack(t).flags.writeable)


def refused_in():
    for what, shape, dtype, part in [("complex", [2], "c8", "complex of 64 bits"), ("int16", [2], "i2", "int of 16 bits"),
                                     ("9 dims", [1] * 9, "f4", "9 dims, at most 8")]:
        a = np.zeros(shape, dtype)
        gone = weakref.ref(a)
        refuses(f"from NumPy: {what} is refused", part, from_capsule, a.__dlpack__())
        del a
        gc.collect()
        check(f"from NumPy: {what}: the capsule frees what was refused", gone() is None)


def torch_in():
    kinds = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.int64, torch.uint8, torch.bool]
    for dtype in kinds:
        a = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype)
        for name, version in VERSIONS:
            t = from_capsule(a.__dlpack__(max_version=version))
            check(f"from PyTorch, {dtype}, {name}: the same elements",
                  (t.values() == a.to(torch.float64).numpy()).all() and lib.mt_tensor_dtype(t.handle) == 1 + kinds.index(dtype))
    a = torch.arange(6.0).reshape(2, 3)
    t = from_capsule(torch.utils.dlpack.to_dlpack(a.t()))
    a[0, 1] = -1
    check("from PyTorch: transposed, what PyTorch writes, mt sees", t.values().tolist() == [[0, 3], [-1, 4], [2, 5]])
    t.fill(9)
    check("from PyTorch: what mt writes, PyTorch sees", bool((a == 9).all()), a)
    at = a.data_ptr()
    del a
    gc.collect()
    others = [torch.zeros(6) for _ in range(100)]
    check("from PyTorch: the memory lives as long as the tensor",
          (t.values() == 9).all() and all(o.data_ptr() != at for o in others))


# ---- out ----


def numpy_out():
    for dtype in (F32, F64, F16, I32, I64, U8, BOOL):
        t = empty(dtype, 2, 3)
        t.fill(1)
        a = np.from_dlpack(t)
        check(f"to NumPy: {a.dtype}", a.shape == (2, 3) and (a == 1).all() and a.dtype == t.values().dtype)
    t = counting(3, 4)
    a = np.from_dlpack(t)
    a[1, 1] = 50
    check("to NumPy: what NumPy writes, mt sees", t.values()[1, 1] == 50)
    with Scope():
        view = Tensor(lib.mt_flip(lib.mt_transpose(t.handle, 0, 1), 0))
    b = np.from_dlpack(view)
    check("to NumPy: a view of negative strides", np.array_equal(b, a.T[::-1]) and np.shares_memory(a, b))
    check("to NumPy: an empty tensor", np.from_dlpack(empty(F32, 0, 3)).shape == (0, 3))


def torch_out():
    t = counting(3, 4)
    a, b = torch.from_dlpack(t), torch.utils.dlpack.from_dlpack(t.__dlpack__())
    a[0, 0] = -3
    b[2, 3] = 33
    check("to PyTorch, both forms: what PyTorch writes, mt sees", t.values()[0, 0] == -3 and t.values()[2, 3] == 33)
    t.fill(2)
    check("to PyTorch: what mt writes, PyTorch sees", bool((a == 2).all() and (b == 2).all()))
    with Scope():
        view = Tensor(lib.mt_transpose(t.handle, 0, 1))
    check("to PyTorch: strides", torch.from_dlpack(view).stride() == (1, 4))
    half = empty(BF16, 3)
    half.fill(1.5)
    c = torch.from_dlpack(half)
    check("to PyTorch: bf16", c.dtype == torch.bfloat16 and c.tolist() == [1.5] * 3)


def out_lives():
    before = in_use()
    for what, take in [("NumPy", np.from_dlpack), ("PyTorch", torch.from_dlpack)]:
        t = counting(100, 100)
        a = take(t)
        del t
        check(f"to {what}: the memory outlives the tensor", in_use() > before and float(a.sum()) == 49995000)
        del a
        check(f"to {what}: and goes with the array", in_use() == before)
        t = counting(100, 100)
        a = take(t)
        del a
        check(f"to {what}: the tensor outlives the array", t.values().sum() == 49995000)
        del t
        check(f"to {what}: and is the last", in_use() == before)
    t = counting(100, 100)
    for _, version in VERSIONS:
        t.__dlpack__(max_version=version)
    del t
    check("a capsule that nobody takes gives its memory back", in_use() == before)


def out_refused():
    t = empty(F32, 2)
    lib.mt_requires_grad_(t.handle, 1)
    for what, take in [("NumPy", np.from_dlpack), ("PyTorch", torch.from_dlpack)]:
        refuses(f"to {what}: what requires a gradient is refused", "mt_detach it first", take, t)


def through_all():
    a = torch.arange(4.0)
    t = from_capsule(a.__dlpack__())
    b = np.from_dlpack(t)
    u = from_capsule(b.__dlpack__(max_version=(1, 0)))
    c = torch.from_dlpack(u)
    c[0] = 8
    check("PyTorch to mt to NumPy to mt to PyTorch is one memory", a[0] == 8 and b[0] == 8 and a.data_ptr() == c.data_ptr())
    del t, u, b
    gc.collect()
    check("and stays so", c.tolist() == [8, 1, 2, 3] and a.tolist() == c.tolist())


device = checked(lib.mt_device_open(sys.argv[2].encode()))
assert lib.mt_device_use(device) == 0
for test in (numpy_in, numpy_in_lives, numpy_read_only, refused_in, torch_in, numpy_out, torch_out, out_lives, out_refused,
             through_all):
    test()
print(f"1..{count}")

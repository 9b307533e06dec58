"""NumPy as a peer of mt-bench: python3 bench/peers/numpy_peer.py --cases FILE --json FILE"""
import numpy as np

import peer
from peer import Unavailable

DTYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16}


def dtype_of(case, *known):
    if case.dtype not in DTYPES:
        raise Unavailable(f"NumPy has no {case.dtype}")
    if known and case.dtype not in known:
        raise Unavailable(f"NumPy is not asked for {case.dtype} here: it has only plain loops for it")
    return DTYPES[case.dtype]


def array(case, inputs, *shape):
    return inputs.uniform(*shape).astype(dtype_of(case))


# ---- products: BLAS takes f32 and f64 ----


def product(turned_a=False, turned_b=False):
    def prepare(case, inputs):
        dtype_of(case, "f32", "f64")
        m, k, n = case["m"], case["k"], case["n"]
        front = [case["b"]] if "b" in case.numbers else []
        a = array(case, inputs, *front, *((k, m) if turned_a else (m, k)))
        b = array(case, inputs, *front, *((n, k) if turned_b else (k, n)))
        a, b = a.T if turned_a else a, b.T if turned_b else b
        return lambda: a @ b

    return prepare


def seed_product(case, inputs):
    dtype_of(case, "f32", "f64")
    shape = case["batch"], case["n"], case["n"]
    a, b = array(case, inputs, *shape), array(case, inputs, *shape)
    return lambda: a @ b


def linear_relu(case, inputs):
    x, w, b = (array(case, inputs, *shape) for shape in
               ((case["m"], case["k"]), (case["n"], case["k"]), (case["n"],)))
    return lambda: np.maximum(x @ w.T + b, 0)


# ---- one element at a time, and reductions: rows x columns ----


def on_matrices(count, work):
    def prepare(case, inputs):
        shape = case.sides(2)
        matrices = [array(case, inputs, *shape) for _ in range(count)]
        return lambda: work(*matrices)

    return prepare


def add_row(case, inputs):
    rows, columns = case.sides(2)
    x, row = array(case, inputs, rows, columns), array(case, inputs, columns)
    return lambda: x + row


def add_column(case, inputs):
    rows, columns = case.sides(2)
    x, column = array(case, inputs, rows, columns), array(case, inputs, rows, 1)
    return lambda: x + column


def random(draw):
    def prepare(case, _):
        generator, shape, dtype = np.random.default_rng(1), case.sides(2), dtype_of(case, "f32", "f64")
        return lambda: draw(generator, shape, dtype)

    return prepare


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    return e


def log_softmax(x):
    y = x - x.max(axis=1, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=1, keepdims=True))
    return y


def layer_norm(case, inputs):
    rows, columns = case.sides(2)
    x, w, b = array(case, inputs, rows, columns), array(case, inputs, columns), array(case, inputs, columns)

    def run():
        y = x - x.mean(axis=1, keepdims=True)
        y /= np.sqrt((y * y).mean(axis=1, keepdims=True) + 1e-5)
        y *= w
        y += b
        return y

    return run


def embedding(case, inputs):
    count, rows, columns = case.sides(3)
    table = array(case, inputs, rows, columns)
    index = inputs.integers(0, rows, count)
    return lambda: table[index]


TABLE = {
    "matmul": product(), "matmul_skinny": product(), "matmul_batched": product(), "matmul_nt": product(turned_b=True),
    "matmul_tn": product(turned_a=True), "seed/matmul": seed_product, "linear_relu": linear_relu,
    "copy": on_matrices(1, lambda x: x.copy()),
    "transpose": on_matrices(1, lambda x: np.ascontiguousarray(x.T)),
    "cast_f16": on_matrices(1, lambda x: x.astype(np.float16)),
    "scale": on_matrices(1, lambda x: x * x.dtype.type(0.5)),
    "relu": on_matrices(1, lambda x: np.maximum(x, 0)),
    "exp": on_matrices(1, np.exp),
    "tanh": on_matrices(1, np.tanh),
    "add": on_matrices(2, np.add),
    "mul": on_matrices(2, np.multiply),
    "add_row": add_row, "add_column": add_column,
    "add_transposed": on_matrices(2, lambda x, y: x + y.T),
    "where": on_matrices(2, lambda x, y: np.where(x, x, y)),
    "rand": random(lambda g, shape, dtype: g.random(shape, dtype)),
    "randn": random(lambda g, shape, dtype: g.standard_normal(shape, dtype)),
    "sum": on_matrices(1, lambda x: x.sum()),
    "sum_rows": on_matrices(1, lambda x: x.sum(axis=1)),
    "sum_columns": on_matrices(1, lambda x: x.sum(axis=0)),
    "max_rows": on_matrices(1, lambda x: x.max(axis=1)),
    "argmax_rows": on_matrices(1, lambda x: x.argmax(axis=1)),
    "cumsum_rows": on_matrices(1, lambda x: x.cumsum(axis=1)),
    "sort_rows": on_matrices(1, lambda x: np.sort(x, axis=1, kind="stable")),
    "softmax": on_matrices(1, softmax), "log_softmax": on_matrices(1, log_softmax), "layer_norm": layer_norm,
    "embedding": embedding,
}


class NumpyPeer:
    name, title, table = "numpy", "NumPy", TABLE
    device = f"NumPy {np.__version__}"

    @staticmethod
    def inputs():
        return peer.Inputs()

    @staticmethod
    def synchronize():
        pass

    @staticmethod
    def to_numpy(result):
        return result


if __name__ == "__main__":
    # Its BLAS takes its threads from the environment, which bench/peers/run.py sets.
    peer.main(NumpyPeer, peer.parse_options("numpy_peer.py").parse_args())

"""The ops suite in PyTorch."""
import torch
import torch.nn.functional as F

from peer import Inputs, Unavailable

DTYPES = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}


class TorchInputs(Inputs):
    """The peers' numbers as tensors on the device."""

    def __init__(self, device):
        super().__init__()
        self.device = device

    def tensor(self, case, *shape):
        if case.dtype not in DTYPES:
            raise Unavailable(f"PyTorch is not asked for {case.dtype}")
        return torch.from_numpy(self.uniform(*shape)).to(self.device, DTYPES[case.dtype])

    def labels(self, high, *shape):
        return torch.from_numpy(self.integers(0, high, *shape)).to(self.device)


def gradient(out, x, upstream):
    """out's gradient with respect to x alone; the graph stays, as in mt-bench."""
    return lambda: torch.autograd.grad(out, x, upstream, retain_graph=True)[0]


# ---- products ----


def product(turned_a=False, turned_b=False):
    def prepare(case, inputs):
        m, k, n = case["m"], case["k"], case["n"]
        front = [case["b"]] if "b" in case.numbers else []
        a = inputs.tensor(case, *front, *((k, m) if turned_a else (m, k)))
        b = inputs.tensor(case, *front, *((n, k) if turned_b else (k, n)))
        a, b = a.transpose(-1, -2) if turned_a else a, b.transpose(-1, -2) if turned_b else b
        return lambda: a @ b

    return prepare


def seed_product(case, inputs):
    shape = case["batch"], case["n"], case["n"]
    a, b = inputs.tensor(case, *shape), inputs.tensor(case, *shape)
    return lambda: a @ b


def linear_relu(case, inputs):
    x, w, b = (inputs.tensor(case, *shape) for shape in
               ((case["m"], case["k"]), (case["n"], case["k"]), (case["n"],)))
    return lambda: F.relu(F.linear(x, w, b))


# ---- one element at a time, reductions, rows ----


def on_matrices(count, work):
    def prepare(case, inputs):
        shape = case.sides(2)
        matrices = [inputs.tensor(case, *shape) for _ in range(count)]
        return lambda: work(*matrices)

    return prepare


def on_positive(count, work):
    """Numbers in [0, 1), as the suite limits has them."""

    def prepare(case, inputs):
        shape = case.sides(2)
        matrices = [(inputs.tensor(case, *shape) + 1) / 2 for _ in range(count)]
        return lambda: work(*matrices)

    return prepare


def on_cube(work):
    def prepare(case, inputs):
        x = inputs.tensor(case, *case.sides(3))
        return lambda: work(x)

    return prepare


def gradient_on_matrix(work):
    def prepare(case, inputs):
        shape = case.sides(2)
        x = inputs.tensor(case, *shape).requires_grad_()
        return gradient(work(x), x, inputs.tensor(case, *shape))

    return prepare


def add_row(case, inputs):
    rows, columns = case.sides(2)
    x, row = inputs.tensor(case, rows, columns), inputs.tensor(case, columns)
    return lambda: x + row


def add_column(case, inputs):
    rows, columns = case.sides(2)
    x, column = inputs.tensor(case, rows, columns), inputs.tensor(case, rows, 1)
    return lambda: x + column


def random(draw):
    def prepare(case, inputs):
        shape, dtype = case.sides(2), DTYPES[case.dtype]
        return lambda: draw(*shape, dtype=dtype, device=inputs.device)

    return prepare


def embedding(case, inputs):
    count, rows, columns = case.sides(3)
    table, index = inputs.tensor(case, rows, columns), inputs.labels(rows, count)
    return lambda: F.embedding(index, table)


def embedding_gradient(case, inputs):
    count, rows, columns = case.sides(3)
    table, index = inputs.tensor(case, rows, columns).requires_grad_(), inputs.labels(rows, count)
    return gradient(F.embedding(index, table), table, inputs.tensor(case, count, columns))


# ---- losses, normalisation ----


def cross_entropy(case, inputs):
    rows, classes = case.sides(2)
    x, y = inputs.tensor(case, rows, classes), inputs.labels(classes, rows)
    return lambda: F.cross_entropy(x, y)


def cross_entropy_gradient(case, inputs):
    rows, classes = case.sides(2)
    x, y = inputs.tensor(case, rows, classes).requires_grad_(), inputs.labels(classes, rows)
    loss = F.cross_entropy(x, y)
    return gradient(loss, x, torch.ones_like(loss))


def layer_norm_inputs(case, inputs):
    rows, columns = case.sides(2)
    return inputs.tensor(case, rows, columns), inputs.tensor(case, columns), inputs.tensor(case, columns)


def layer_norm(case, inputs):
    x, w, b = layer_norm_inputs(case, inputs)
    return lambda: F.layer_norm(x, w.shape, w, b)


def layer_norm_gradient(case, inputs):
    x, w, b = layer_norm_inputs(case, inputs)
    x.requires_grad_()
    return gradient(F.layer_norm(x, w.shape, w, b), x, inputs.tensor(case, *x.shape))


def batch_norm_inputs(case, inputs):
    n, c, s = case["n"], case["c"], case["s"]
    return inputs.tensor(case, n, c, s, s), inputs.tensor(case, c), inputs.tensor(case, c)


def batch_norm(case, inputs):
    x, w, b = batch_norm_inputs(case, inputs)
    return lambda: F.batch_norm(x, None, None, w, b, training=True)


def batch_norm_gradient(case, inputs):
    x, w, b = batch_norm_inputs(case, inputs)
    x.requires_grad_()
    return gradient(F.batch_norm(x, None, None, w, b, training=True), x, inputs.tensor(case, *x.shape))


# ---- convolution and pooling ----


class Convolution:
    """A case's convolution: l in its size says one spatial dim, s two."""

    def __init__(self, case, inputs):
        flat = "l" in case.numbers
        n, ci, co, k, g = case["n"], case["ci"], case["co"], case["k"], case.get("g", 1)
        side = case["l" if flat else "s"]
        self.case, self.inputs = case, inputs
        self.function = F.conv1d if flat else F.conv2d
        self.options = {"stride": case.get("st", 1), "padding": case.get("p", 0), "groups": g}
        self.x = inputs.tensor(case, n, ci, *([side] * (1 if flat else 2)))
        self.w = inputs.tensor(case, co, ci // g, *([k] * (1 if flat else 2)))

    def forward(self):
        bias = self.inputs.tensor(self.case, self.case["co"])
        return lambda: self.function(self.x, self.w, bias, **self.options)

    def gradient_of(self, leaf):
        self.x.requires_grad_()
        self.w.requires_grad_()
        y = self.function(self.x, self.w, None, **self.options)
        return gradient(y, leaf, self.inputs.tensor(self.case, *y.shape))


def conv(case, inputs):
    return Convolution(case, inputs).forward()


def conv_input_gradient(case, inputs):
    c = Convolution(case, inputs)
    return c.gradient_of(c.x)


def conv_weight_gradient(case, inputs):
    c = Convolution(case, inputs)
    return c.gradient_of(c.w)


def pool(function, with_gradient):
    def prepare(case, inputs):
        x = inputs.tensor(case, case["n"], case["c"], case["s"], case["s"])
        k, stride, padding = case["k"], case.get("st", case["k"]), case.get("p", 0)
        if not with_gradient:
            return lambda: function(x, k, stride, padding)
        y = function(x.requires_grad_(), k, stride, padding)
        return gradient(y, x, inputs.tensor(case, *y.shape))

    return prepare


# ---- attention ----


def attention(case, inputs):
    q, k, v = (inputs.tensor(case, case["n"], case["h"], case["l"], case["e"]) for _ in range(3))
    return lambda: F.scaled_dot_product_attention(q, k, v)


def encoder(case, inputs):
    width = case["h"] * case["e"]
    layer = torch.nn.TransformerEncoderLayer(width, case["h"], 4 * width, dropout=0, activation="gelu",
                                             batch_first=True, device=inputs.device)
    return layer, inputs.tensor(case, case["n"], case["l"], width)


def transformer_layer(case, inputs):
    layer, x = encoder(case, inputs)
    layer.eval()

    def run():
        with torch.no_grad():
            return layer(x)

    return run


def transformer_step(case, inputs):
    layer, x = encoder(case, inputs)
    upstream = inputs.tensor(case, *x.shape)
    x.requires_grad_()

    def run():
        x.grad = None
        layer.zero_grad()
        layer(x).backward(upstream)
        return x.grad

    return run


# ---- optimisers ----

NETWORKS = {"lenet": (6174, 10), "resnet18": (2922378, 4)}


def optimizer_step(make):
    def prepare(case, inputs):
        if case.size not in NETWORKS:
            raise Unavailable(f"PyTorch does not know the network {case.size}")
        n, count = NETWORKS[case.size]
        parameters = [torch.nn.Parameter(inputs.tensor(case, n)) for _ in range(count)]
        for p in parameters:
            p.grad = torch.randn_like(p)
        optimizer = make(parameters)

        def run():
            optimizer.step()
            return parameters[0].detach()

        return run

    return prepare


TABLE = {
    "matmul": product(), "matmul_skinny": product(), "matmul_batched": product(), "matmul_nt": product(turned_b=True),
    "matmul_tn": product(turned_a=True), "matmul_tt": product(turned_a=True, turned_b=True),
    "seed/matmul": seed_product, "linear_relu": linear_relu,
    "copy": on_matrices(1, torch.clone),
    "transpose": on_matrices(1, lambda x: x.t().contiguous()),
    "cast_f16": on_matrices(1, lambda x: x.half()),
    "scale": on_matrices(1, lambda x: x * 0.5),
    "relu": on_matrices(1, F.relu),
    "exp": on_matrices(1, torch.exp),
    "tanh": on_matrices(1, torch.tanh),
    "gelu": on_matrices(1, F.gelu),
    "add": on_matrices(2, torch.add),
    "mul": on_matrices(2, torch.mul),
    "add_row": add_row, "add_column": add_column,
    "add_transposed": on_matrices(2, lambda x, y: x + y.t()),
    "where": on_matrices(2, lambda x, y: torch.where(x != 0, x, y)),
    "relu_gradient": gradient_on_matrix(F.relu),
    "rand": random(torch.rand), "randn": random(torch.randn),
    "limits/relu": on_positive(1, F.relu),
    "limits/add": on_positive(2, torch.add), "limits/mul": on_positive(2, torch.mul),
    "limits/exp": on_positive(1, torch.exp), "limits/log": on_positive(1, torch.log),
    "limits/tanh": on_positive(1, torch.tanh), "limits/sigmoid": on_positive(1, torch.sigmoid),
    "limits/erf": on_positive(1, torch.erf), "limits/gelu": on_positive(1, F.gelu),
    "limits/sin": on_positive(1, torch.sin), "limits/cos": on_positive(1, torch.cos),
    "limits/pow": on_positive(2, torch.pow),
    "sum_axis0": on_cube(lambda x: x.sum(0)), "sum_axis1": on_cube(lambda x: x.sum(1)),
    "sum_axis2": on_cube(lambda x: x.sum(2)), "sum_all": on_cube(torch.sum), "max_axis0": on_cube(lambda x: x.amax(0)),
    "max_axis1": on_cube(lambda x: x.amax(1)), "max_axis2": on_cube(lambda x: x.amax(2)),
    "sum": on_matrices(1, torch.sum),
    "sum_rows": on_matrices(1, lambda x: x.sum(1)),
    "sum_columns": on_matrices(1, lambda x: x.sum(0)),
    "max_rows": on_matrices(1, lambda x: x.amax(1)),
    "argmax_rows": on_matrices(1, lambda x: x.argmax(1)),
    "cumsum_rows": on_matrices(1, lambda x: x.cumsum(1)),
    "sort_rows": on_matrices(1, lambda x: x.sort(dim=1, stable=True)[0]),
    "embedding": embedding, "embedding_gradient": embedding_gradient,
    "softmax": on_matrices(1, lambda x: F.softmax(x, 1)),
    "softmax_gradient": gradient_on_matrix(lambda x: F.softmax(x, 1)),
    "log_softmax": on_matrices(1, lambda x: F.log_softmax(x, 1)),
    "cross_entropy": cross_entropy, "cross_entropy_gradient": cross_entropy_gradient,
    "layer_norm": layer_norm, "layer_norm_gradient": layer_norm_gradient,
    "batch_norm": batch_norm, "batch_norm_gradient": batch_norm_gradient,
    "conv": conv, "conv_input_gradient": conv_input_gradient, "conv_weight_gradient": conv_weight_gradient,
    "max_pool": pool(F.max_pool2d, False), "max_pool_gradient": pool(F.max_pool2d, True),
    "avg_pool": pool(F.avg_pool2d, False), "avg_pool_gradient": pool(F.avg_pool2d, True),
    "attention": attention, "transformer_layer": transformer_layer, "transformer_step": transformer_step,
    "sgd_step": optimizer_step(lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9, weight_decay=1e-4)),
    "adamw_step": optimizer_step(lambda p: torch.optim.AdamW(p, 1e-3)),
}

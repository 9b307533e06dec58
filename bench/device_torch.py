"""Large and small ops in PyTorch on a CUDA device, as mt-bench times them: python3 bench/device_torch.py"""
import statistics
import time

import torch
import torch.nn.functional as F

RUNS = 7
DEVICE = torch.device("cuda")
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f64": torch.float64}
LARGE = 8192.0 * 8192
IMAGES = 64.0 * 256 * 56 * 56
LOGITS = 8192.0 * 32000
CONV = 2.0 * 64 * 128 * 128 * 9 * 28 * 28


def rand(*shape, dtype):
    return torch.rand(*shape, device=DEVICE, dtype=dtype)


def large(dtype):
    return rand(8192, 8192, dtype=dtype), rand(8192, 8192, dtype=dtype), rand(8192, dtype=dtype)


def square(n):
    return lambda dtype: (torch.randn(n, n, device=DEVICE, dtype=dtype), torch.randn(n, n, device=DEVICE, dtype=dtype))


def images(dtype):
    return rand(64, 256, 56, 56, dtype=dtype), torch.ones(256, device=DEVICE), torch.zeros(256, device=DEVICE)


def logits(dtype):
    return rand(8192, 32000, dtype=dtype), torch.randint(0, 32000, (8192,), device=DEVICE)


def table(dtype):
    return (rand(50000, 1024, dtype=dtype).requires_grad_(), torch.randint(0, 50000, (32768,), device=DEVICE),
            torch.ones(32768, 1024, device=DEVICE, dtype=dtype))


def conv(dtype):
    return rand(64, 128, 28, 28, dtype=dtype).requires_grad_(), rand(128, 128, 3, 3, dtype=dtype).requires_grad_()


def embedding_grad(t, i, g):
    return torch.autograd.grad(F.embedding(i, t), t, g)


def conv_step(x, w):
    y = F.conv2d(x, w, padding=1)
    return torch.autograd.grad(y, (x, w), y.detach())


def cube(n):
    return 2.0 * n**3


# name, dtype, inputs, call, work, whether the work is operations (else elements that move)
CASES = [
    ("copy 8192x8192", "f32", large, lambda a, b, c: a.clone(), 2 * LARGE, False),
    ("transpose 8192x8192", "f32", large, lambda a, b, c: a.t().contiguous(), 2 * LARGE, False),
    ("transpose 8192x8192", "bf16", large, lambda a, b, c: a.t().contiguous(), 2 * LARGE, False),
    ("to f16 8192x8192", "f32", large, lambda a, b, c: a.half(), 1.5 * LARGE, False),
    ("relu 8192x8192", "f32", large, lambda a, b, c: torch.relu(a), 2 * LARGE, False),
    ("relu 8192x8192", "bf16", large, lambda a, b, c: torch.relu(a), 2 * LARGE, False),
    ("gelu 8192x8192", "f32", large, lambda a, b, c: F.gelu(a), 2 * LARGE, False),
    ("add 8192x8192", "f32", large, lambda a, b, c: a + b, 3 * LARGE, False),
    ("add a row 8192x8192", "f32", large, lambda a, b, c: a + c, 2 * LARGE, False),
    ("rand 8192x8192", "f32", large, lambda a, b, c: torch.rand_like(a), LARGE, False),
    ("sum of all 8192x8192", "f32", large, lambda a, b, c: a.sum(), LARGE, False),
    ("sum of rows 8192x8192", "f32", large, lambda a, b, c: a.sum(1), LARGE, False),
    ("sum of columns 8192x8192", "f32", large, lambda a, b, c: a.sum(0), LARGE, False),
    ("sum of rows 8192x8192", "bf16", large, lambda a, b, c: a.sum(1), LARGE, False),
    ("argmax of rows 8192x8192", "f32", large, lambda a, b, c: a.argmax(1), LARGE, False),
    ("cumsum of rows 8192x8192", "f32", large, lambda a, b, c: a.cumsum(1), 2 * LARGE, False),
    ("sort rows 8192x8192", "f32", large, lambda a, b, c: a.sort(1, stable=True), 4 * LARGE, False),
    ("softmax 8192x8192", "f32", large, lambda a, b, c: a.softmax(1), 2 * LARGE, False),
    ("layer_norm 8192x8192", "f32", large, lambda a, b, c: F.layer_norm(a, (8192,)), 2 * LARGE, False),
    ("batch_norm 64x256x56x56", "f32", images, lambda x, w, b: F.batch_norm(x, None, None, w, b, True), 3 * IMAGES, False),
    ("max_pool 64x256x56x56", "f32", images, lambda x, w, b: F.max_pool2d(x, 2), 1.25 * IMAGES, False),
    ("cross_entropy 8192x32000", "f32", logits, F.cross_entropy, LOGITS, False),
    ("embedding 32768 of 50000x1024", "f32", table, lambda t, i, g: F.embedding(i, t.detach()), 2 * 32768.0 * 1024, False),
    ("embedding and gradient", "f32", table, embedding_grad, 5 * 32768.0 * 1024, False),
    ("matmul 512", "f32", square(512), torch.matmul, cube(512), True),
    ("matmul 4096", "f32", square(4096), torch.matmul, cube(4096), True),
    ("matmul 4096, b transposed", "f32", square(4096), lambda a, b: a @ b.t(), cube(4096), True),
    ("matmul 4096", "bf16", square(4096), torch.matmul, cube(4096), True),
    ("matmul 4096", "f64", square(4096), torch.matmul, cube(4096), True),
    ("conv 64x128x28x28 3x3", "f32", conv, lambda x, w: F.conv2d(x.detach(), w.detach(), padding=1), CONV, True),
    ("conv and gradients", "f32", conv, conv_step, 3 * CONV, True),
    ("conv and gradients", "bf16", conv, conv_step, 3 * CONV, True),
    ("add 64x64", "f32", square(64), lambda a, b: a + b, 3 * 64.0 * 64, False),
    ("matmul 64", "f32", square(64), torch.matmul, cube(64), True),
]


def seconds(call, inputs, calls):
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(calls):
        call(*inputs)
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) / calls


def main():
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    print(f"{'case':30} {'dtype':5} {'torch ' + torch.__version__:>31}")
    for name, dtype, make, call, work, operations in CASES:
        inputs = make(DTYPES[dtype])
        seconds(call, inputs, 1)
        calls = 1 + int(4e-3 / seconds(call, inputs, 2))
        t = statistics.median(seconds(call, inputs, calls) for _ in range(RUNS))
        amount = work if operations else work * torch.empty(0, dtype=DTYPES[dtype]).element_size()
        print(f"{name:30} {dtype:5} {1e6 * t:10.1f} us {1e-9 * amount / t:9.1f} {'GFLOP/s' if operations else 'GB/s'}",
              flush=True)
        del inputs


main()

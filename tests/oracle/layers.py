"""Layers and optimisers: PyTorch modules whose parameters are inputs of the case."""
import torch
import torch.nn as nn
from torch.func import functional_call

from ops import Case, op


def parameters(d, module, t):
    """One input for each parameter of the module, in its order (mt's layers are f32)."""
    return [d.tensor(list(p.shape), t, -0.7, 0.7, views=False) for _, p in module.named_parameters()]


def call(module, values, *args, **more):
    names = [name for name, _ in module.named_parameters()]
    return functional_call(module.to(values[0].dtype) if values else module, dict(zip(names, values)), args, more)


def recurrent(name, kind):
    def draw(d):
        t, lstm = "f32", kind is nn.LSTM
        i, h, layers, both = d.int(1, 4), d.int(1, 4), d.int(1, 2), d.chance(0.4)
        first, bias = d.chance(0.5), d.chance(0.8)
        m = kind(i, h, layers, bias=bias, bidirectional=both, batch_first=first)
        steps, batch = d.int(1, 5), d.int(1, 3)
        state = [layers * (1 + both), batch, h]
        x = d.tensor([batch, steps, i] if first else [steps, batch, i], t)
        inputs = [x] + [d.tensor(state, t, -1, 1) for _ in range(1 + lstm)] + parameters(d, m, t)

        def run(x, *rest):
            if lstm:
                out, (hn, cn) = call(m, rest[2:], x, (rest[0].contiguous(), rest[1].contiguous()))
                return out, hn, cn
            return call(m, rest[1:], x, rest[0].contiguous())
        return Case(inputs, run, {"in": i, "hidden": h, "layers": layers, "bidirectional": both, "batch_first": first,
                                  "no_bias": not bias}, loose=64)
    op(name)(draw)


recurrent("lstm", nn.LSTM)
recurrent("gru", nn.GRU)


@op("multihead_attention")
def _(d):
    t, heads, bias = "f32", d.int(1, 3), d.chance(0.8)
    embed = heads * d.int(1, 3)
    m = nn.MultiheadAttention(embed, heads, bias=bias, batch_first=True)
    n, q, k = d.int(1, 3), d.int(1, 4), d.int(1, 4)
    causal = d.chance(0.3)
    if causal:
        k = q
    padding, mask = None, None
    if d.chance(0.4) and not causal:
        padding = torch.from_numpy(d.np.random((n, k)) < 0.4)
        padding[:, 0] = False
    if d.chance(0.4) and padding is None and not causal:
        mask = d.tensor([q, k], t, grad=False)
    nothing = torch.zeros(())
    inputs = [d.tensor([n, q, embed], t), d.tensor([n, k, embed], t), d.tensor([n, k, embed], t),
              d.given(padding if padding is not None else nothing), mask or d.given(nothing)] + parameters(d, m, t)

    def run(q_, k_, v_, p_, m_, *rest):
        forbidden = m_ if mask else None
        if causal:
            forbidden = torch.triu(torch.ones(q, q, dtype=torch.bool), 1)
        return call(m, rest, q_, k_, v_, key_padding_mask=padding, attn_mask=forbidden, need_weights=True)
    return Case(inputs, run, {"embed": embed, "heads": heads, "no_bias": not bias, "causal": causal}, loose=64,
                check_dtype=False)


@op("transformer_encoder_layer")
def _(d):
    t, heads, gelu, first = "f32", d.int(1, 2), d.chance(0.5), d.chance(0.5)
    embed, wide = heads * d.int(2, 3), d.int(1, 6)
    m = nn.TransformerEncoderLayer(embed, heads, wide, dropout=0.0, activation="gelu" if gelu else "relu", batch_first=True,
                                   norm_first=first)
    n, steps, causal = d.int(1, 2), d.int(1, 4), d.chance(0.3)
    inputs = [d.tensor([n, steps, embed], t)] + parameters(d, m, t)

    def run(x, *rest):
        mask = torch.triu(torch.ones(steps, steps, dtype=torch.bool), 1) if causal else None
        return call(m, rest, x, src_mask=mask)
    return Case(inputs, run, {"embed": embed, "heads": heads, "feedforward": wide, "gelu": gelu, "norm_first": first,
                              "causal": causal}, loose=256, check_dtype=False)


@op("batch_norm_layer")
def _(d):
    features, momentum = d.int(1, 4), d.real(0.05, 0.5)
    shape = [d.int(3, 6), features] + ([d.int(1, 4)] if d.chance(0.5) else [])
    m = nn.BatchNorm1d(features, momentum=momentum)
    inputs = [d.tensor(shape, "f32", views=False)] + parameters(d, m, "f32")

    def run(x, w, b):
        layer = nn.BatchNorm1d(features, momentum=momentum).to(x.dtype)
        layer.weight, layer.bias = None, None
        affine = lambda y: y * w.reshape([1, -1] + [1] * (y.dim() - 2)) + b.reshape([1, -1] + [1] * (y.dim() - 2))
        layer(x.detach())
        out = affine(layer(x))
        mean, var = layer.running_mean.clone(), layer.running_var.clone()
        layer.eval()
        return out, affine(layer(x)), mean, var
    return Case(inputs, run, {"features": features, "momentum": momentum}, loose=64, check_dtype=False)


@op("optim")
def _(d):
    kind, t, steps = d.pick(["sgd", "adam", "adamw", "rmsprop", "adagrad"]), d.pick(["f64", "f64", "f32"]), d.int(1, 5)
    a = {"kind": kind, "lr": d.real(0.01, 0.2), "weight_decay": d.pick([0.0, 0.1]), "maximize": d.chance(0.2)}
    more = {"lr": a["lr"], "weight_decay": a["weight_decay"], "maximize": a["maximize"]}
    if kind == "sgd":
        a["momentum"] = more["momentum"] = d.pick([0.0, 0.5, 0.9])
        if a["momentum"] and d.chance(0.4):
            a["nesterov"] = more["nesterov"] = True
        elif a["momentum"]:
            a["dampening"] = more["dampening"] = d.pick([0.0, 0.3])
    elif kind in ("adam", "adamw"):
        a["beta1"], a["beta2"] = d.pick([0.5, 0.9]), d.pick([0.7, 0.999])
        more["betas"] = (a["beta1"], a["beta2"])
        a["amsgrad"] = more["amsgrad"] = d.chance(0.3)
    elif kind == "rmsprop":
        a["alpha"], a["momentum"] = d.pick([0.5, 0.99]), d.pick([0.0, 0.9])
        a["centered"] = d.chance(0.4)
        more.update(alpha=a["alpha"], momentum=a["momentum"], centered=a["centered"])
    else:
        a["lr_decay"], a["initial"] = d.pick([0.0, 0.2]), d.pick([0.0, 0.5])
        more.update(lr_decay=a["lr_decay"], initial_accumulator_value=a["initial"])
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
            "adagrad": torch.optim.Adagrad}[kind]
    shape = d.shape(0, 3, 1)

    def run(p, *grads):
        p = nn.Parameter(p.detach().clone())
        optim = make([p], **more)
        for g in grads:
            p.grad = g.detach().clone()
            optim.step()
        return p.detach()
    return Case([d.tensor(shape, t, grad=False)] + [d.tensor(shape, t, 0.1, 2, grad=False) for _ in range(steps)], run, a,
                loose=64, grad=False)

"""The train suite and the seeds' epoch in PyTorch: networks, losses and optimisers are those of apps/bench/nets_*.c."""
import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10


def step(net, x, y, loss_function, optimizer):
    """zero_grad, forward, loss, backward, a step, over one batch that is on the device."""

    def run():
        optimizer.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return run


def adam(net):
    return torch.optim.Adam(net.parameters(), 0.001)


def momentum(net):
    return torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)


def classes(case, inputs):
    return inputs.labels(CLASSES, case["batch"])


# ---- the programs' networks ----


def lenet(case, inputs):
    net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                        nn.Linear(84, CLASSES)).to(inputs.device)
    return step(net, inputs.tensor(case, case["batch"], 1, 28, 28), classes(case, inputs),
                nn.CrossEntropyLoss(label_smoothing=0.05), torch.optim.AdamW(net.parameters(), 0.01))


def mlp(case, inputs):
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, CLASSES)).to(inputs.device)
    return step(net, inputs.tensor(case, case["batch"], 1, 28, 28), classes(case, inputs), F.cross_entropy,
                torch.optim.AdamW(net.parameters(), 0.005))


def mlp_mnist(case, inputs):
    hidden = case["hidden"]
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, CLASSES)).to(inputs.device)
    return step(net, inputs.tensor(case, case["batch"], 1, 28, 28), classes(case, inputs), F.cross_entropy,
                torch.optim.AdamW(net.parameters(), 0.001))


def points_net(hidden, device):
    return nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                         nn.Linear(hidden, 1)).to(device)


def points(case, inputs):
    net = points_net(case["hidden"], inputs.device)
    x, y = inputs.tensor(case, case["batch"], 2), inputs.labels(2, case["batch"], 1).float()
    return step(net, x, y, F.binary_cross_entropy_with_logits, torch.optim.SGD(net.parameters(), 0.05))


def points_epoch(case, inputs):
    net, n, batch = points_net(case["hidden"], inputs.device), case["points"], case["batch"]
    points_on_host = torch.rand(n, 2)
    labels_on_host = (points_on_host[:, :1] < 0.5).float()
    optimizer = torch.optim.SGD(net.parameters(), 0.05)

    def run():
        order = torch.randperm(n)
        x, y = points_on_host[order].to(inputs.device), labels_on_host[order].to(inputs.device)
        for at in range(0, n, batch):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(net(x[at:at + batch]), y[at:at + batch])
            loss.backward()
            optimizer.step()
        return loss.item()

    return run


class SentenceCNN(nn.Module):
    """Kim's network as train_sentiment has it."""

    def __init__(self, words, embed, filters):
        super().__init__()
        self.embedding = nn.Embedding(words, embed, padding_idx=0)
        self.convs = nn.ModuleList(nn.Conv1d(embed, filters, w, padding=w - 1) for w in (3, 4, 5))
        self.dropout = nn.Dropout(0.5)
        self.linear = nn.Linear(3 * filters, 2)

    def forward(self, ids):
        mask = torch.zeros(ids.shape, device=ids.device).masked_fill(ids == 0, -torch.inf)[:, None, :]
        x = self.embedding(ids).transpose(1, 2)
        features = [F.relu((conv(x) + F.pad(mask, (conv.padding[0], 0))).max(2)[0]) for conv in self.convs]
        return self.linear(self.dropout(torch.cat(features, 1)))


def text_cnn(case, inputs):
    words, shortest, n, longest = 8000, 20, case["batch"], case["words"]
    net = SentenceCNN(words, case["embed"], 100).to(inputs.device)
    lengths = inputs.labels(longest + 1 - shortest, n, 1) + shortest
    ids = (inputs.labels(words - 1, n, longest) + 1) * (torch.arange(longest, device=inputs.device) < lengths)
    return step(net, ids, inputs.labels(2, n), F.cross_entropy, torch.optim.AdamW(net.parameters(), 0.001))


# ---- one kind of layer each ----


def mlp_wide(case, inputs):
    hidden = case["hidden"]
    net = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                        nn.Linear(hidden, CLASSES)).to(inputs.device)
    return step(net, inputs.tensor(case, case["batch"], 784), classes(case, inputs), F.cross_entropy, momentum(net))


class Residual(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return x + self.module(x)


def resnet_block(case, inputs):
    c = case["channels"]
    convs = nn.Sequential(nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c), nn.ReLU(),
                          nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c))
    net = nn.Sequential(Residual(convs), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                        nn.Linear(c, CLASSES)).to(inputs.device)
    x = inputs.tensor(case, case["batch"], c, case["side"], case["side"])
    return step(net, x, classes(case, inputs), F.cross_entropy, momentum(net))


class LastStep(nn.Module):
    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x):
        return self.rnn(x)[0][:, -1]


def lstm(case, inputs):
    h = case["hidden"]
    net = nn.Sequential(LastStep(nn.LSTM(h, h, 2, batch_first=True)), nn.Linear(h, CLASSES)).to(inputs.device)
    return step(net, inputs.tensor(case, case["batch"], case["steps"], h), classes(case, inputs), F.cross_entropy,
                adam(net))


class MeanPosition(nn.Module):
    def forward(self, x):
        return x.mean(1)


def transformer(case, inputs):
    e = case["embed"]
    layer = nn.TransformerEncoderLayer(e, e // 64, 4 * e, dropout=0.1, batch_first=True)
    net = nn.Sequential(layer, MeanPosition(), nn.Linear(e, CLASSES)).to(inputs.device)
    return step(net, inputs.tensor(case, case["batch"], case["length"], e), classes(case, inputs), F.cross_entropy,
                adam(net))


TABLE = {"train/" + f.__name__: f for f in
         (lenet, mlp, mlp_mnist, points, text_cnn, mlp_wide, resnet_block, lstm, transformer)}
TABLE["seed/points_epoch"] = points_epoch

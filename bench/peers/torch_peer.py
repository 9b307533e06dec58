"""PyTorch as a peer of mt-bench: python3 bench/peers/torch_peer.py --cases FILE --json FILE [--device cuda]"""
import sys

import torch

import peer
import torch_ops
import torch_train


class TorchPeer:
    title = "PyTorch"
    table = {**torch_ops.TABLE, **torch_train.TABLE}

    def __init__(self, device):
        self.where = torch.device(device)
        self.name = "torch" if device == "cpu" else f"torch_{device}"
        self.device = f"PyTorch {torch.__version__}"
        if device == "cuda":
            self.device += f", {torch.cuda.get_device_name()}"

    def inputs(self):
        return torch_ops.TorchInputs(self.where)

    def synchronize(self):
        if self.where.type == "cuda":
            torch.cuda.synchronize()

    @staticmethod
    def to_numpy(result):
        return result.detach().double().cpu().numpy() if torch.is_tensor(result) else result


def main():
    parser = peer.parse_options("torch_peer.py")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("torch_peer.py: --device cuda: PyTorch sees no CUDA device")
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # f32 means f32
    torch.manual_seed(1)
    peer.main(TorchPeer(options.device), options)


if __name__ == "__main__":
    main()

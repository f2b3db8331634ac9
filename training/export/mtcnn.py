"""Export MTCNN's three nets to ONNX for the serving detector (``stream_server/vision/weights``).

The weights are facenet-pytorch's (MIT), a conversion of David Sandberg's port of
Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", IEEE Signal Processing Letters 2016. Run ``python -m training.export.mtcnn``.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from stream_server.vision.detect import WEIGHTS


class _Bent(nn.Module):
    """What a ``PReLU`` computes, in operations for which ONNX Runtime has fast kernels: the nets
    take a little over half the time, and no score moves by more than a millionth."""

    def __init__(self, given: nn.PReLU) -> None:
        super().__init__()
        self.register_buffer("slope", given.weight.detach().clone())
        self.register_buffer("rest", 1 - given.weight.detach())

    def forward(self, values: Tensor) -> Tensor:
        """``values`` where they are positive, else times the slope of their channel."""
        shape = (-1, *[1] * (values.ndim - 2))
        slope, rest = self.get_buffer("slope"), self.get_buffer("rest")
        return values * slope.reshape(shape) + torch.relu(values) * rest.reshape(shape)


def with_fast_activations(net: nn.Module) -> nn.Module:
    """``net`` with its ``PReLU`` layers as sums; in place."""
    for name, child in net.named_children():
        if isinstance(child, nn.PReLU):
            setattr(net, name, _Bent(child))
    return net


def export_mtcnn(folder: Path = WEIGHTS) -> list[Path]:
    """Write ``pnet.onnx``, ``rnet.onnx`` and ``onet.onnx`` to ``folder`` and return their paths.

    Inputs are float32 ``[N, 3, H, W]``, RGB, ``(value - 127.5) / 128``; the P-Net takes any size
    of at least 12, the R-Net 24x24, the O-Net 48x48. Outputs keep facenet-pytorch's order: box
    offsets, (landmarks,) face probability.
    """
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

    nets: list[tuple[str, torch.nn.Module, int, list[str]]] = [
        ("pnet", PNet(), 64, ["offsets", "probability"]),
        ("rnet", RNet(), 24, ["offsets", "probability"]),
        ("onet", ONet(), 48, ["offsets", "landmarks", "probability"]),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, net, size, outputs in nets:
        axes = {"image": {0: "n"}} | {output: {0: "n"} for output in outputs}
        if name == "pnet":
            for axis_of in axes.values():
                axis_of.update({2: "h", 3: "w"})
        path = folder / f"{name}.onnx"
        torch.onnx.export(
            with_fast_activations(net).eval(),
            (torch.zeros(1, 3, size, size),),
            str(path),
            input_names=["image"],
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        model = onnx.load(str(path))
        model.producer_name, model.producer_version = "fakelight", ""
        for node in model.graph.node:
            node.doc_string = ""  # exporters write source paths here
        onnx.save(model, str(path))
        written.append(path)
    return written


if __name__ == "__main__":
    export_mtcnn()

"""Export MTCNN's three nets to ONNX for the serving detector (``stream_server/vision/weights``).

The weights are facenet-pytorch's (MIT), a conversion of David Sandberg's port of
Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", IEEE Signal Processing Letters 2016. Run ``python -m training.export.mtcnn``.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from stream_server.vision.detect import WEIGHTS


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
            net.eval(),
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

"""Let a CUDA build of torchvision import beside a CPU build of PyTorch.

torchvision's wheels register ``torchvision::nms`` from a compiled library that needs CUDA. Beside
a CPU-only PyTorch that library does not load, and ``import torchvision`` dies on the missing
operator. Import this module before anything that imports torchvision: where the operator is
missing it defines it, with a plain PyTorch implementation for the CPU.
"""

from __future__ import annotations

from typing import Any

import torch

_LIBRARIES: list[torch.library.Library] = []  # a Library unregisters its operators when collected


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    order = scores.argsort(descending=True)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    keep: list[torch.Tensor] = []
    while order.numel() > 0:
        first, rest = order[0], order[1:]
        keep.append(first)
        top_left = torch.maximum(boxes[first, :2], boxes[rest, :2])
        bottom_right = torch.minimum(boxes[first, 2:], boxes[rest, 2:])
        inter = (bottom_right - top_left).clamp(min=0).prod(dim=1)
        order = rest[inter / (area[first] + area[rest] - inter) <= iou_threshold]
    return torch.stack(keep) if keep else torch.empty(0, dtype=torch.int64)


def install() -> None:
    """Define the missing operators once; does nothing where torchvision brings its own."""
    if _LIBRARIES:
        return
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _nms, "CPU")
    _LIBRARIES.append(library)
    _forget_half_imported()
    import torchvision

    torchvision.ops.boxes._assert_has_ops = lambda: None


def _forget_half_imported() -> None:
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


install()

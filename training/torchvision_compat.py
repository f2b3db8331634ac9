"""Let a CUDA build of torchvision import beside a CPU build of PyTorch.

torchvision's wheels register ``torchvision::nms`` from a compiled library that needs CUDA. Beside
a CPU-only PyTorch that library does not load, and ``import torchvision`` dies on the missing
operator. Once ``mend_torchvision`` has been called, the first import of torchvision, whoever asks
for it, defines what is missing with a plain PyTorch implementation for the CPU. Until then nothing
is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_LIBRARIES: list[torch.library.Library] = []  # a Library unregisters its operators when collected


def mend_torchvision() -> None:
    """Mend torchvision when it is imported; nothing to do where that has happened already."""
    if "torchvision" not in sys.modules and not any(isinstance(f, _Finder) for f in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "torchvision":
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and found.loader is not None:
            found.loader = _Mending(found.loader)
        return found


class _Mending(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        try:
            self._loader.exec_module(module)
        except RuntimeError as error:
            if "torchvision::nms" not in str(error):
                raise
        else:
            return
        _define_operators()
        for name in [name for name in sys.modules if name.startswith("torchvision.")]:
            del sys.modules[name]  # half imported
        self._loader.exec_module(module)
        module.ops.boxes._assert_has_ops = lambda: None


def _define_operators() -> None:
    import torch

    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _nms, "CPU")
    _LIBRARIES.append(library)


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    import torch

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

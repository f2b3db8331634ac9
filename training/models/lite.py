"""EfficientNet-Lite on the middle of the crop, and its ImageNet weights' other names.

Its layers are rectified linear units and plain convolutions, no squeeze-and-excite, so that it can
be served in int8 (Liu, "Higher accuracy on vision models with EfficientNet-Lite", 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from training.models.encoder import DIM, VIEW, MiddleEncoder, middle
from training.models.weights import State, load_start

NET = "tf_efficientnet_lite{}"
SIZES = (0, 1, 2)
_RANGE = 127.5 / 128  # the ImageNet weights saw (x - 127) / 128, encoders here (x - 127.5) / 127.5
_SHIFT = 0.5 / 128
_PARTS = {
    "_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2",
    "_fc": "classifier",
}  # fmt: skip
_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_LATER = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
    "_project_conv": "conv_pwl", "_bn2": "bn3",
}  # fmt: skip


class EfficientNetLiteEncoder(MiddleEncoder):
    """EfficientNet-Lite0, 1 or 2 on the middle of the crop.

    Takes float ``[N, 3, S, S]`` in -1 to 1; gives features ``[N, 256]``. ``view`` is the part of
    each side that is looked at. ``start`` is a file of ImageNet weights in timm's names or in those
    of efficientnet-lite-pytorch; ``load_start`` says what it raises.
    """

    def __init__(
        self, start: Path | None = None, size: int = 0, dim: int = DIM, view: float = VIEW
    ) -> None:
        super().__init__()
        import timm

        net: Any = timm.create_model(NET.format(size), num_classes=0)
        if start is not None:
            blocks = [len(stage) for stage in net.blocks]
            load_start(net, start, lambda state: in_timms_names(state, blocks))
        self._take(net, dim, view, int(net.feature_info[3]["num_chs"]))

    def stages(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """A map of 112 channels or more at a sixteenth of the size, and what ``maps`` gives."""
        net = self.net
        seen = middle(image, self.view) * _RANGE + _SHIFT
        early = net.blocks[:5](net.bn1(net.conv_stem(seen)))
        return early, cast(Tensor, net.bn2(net.conv_head(net.blocks[5:](early))))

    def last_map(self, image: Tensor) -> tuple[Tensor, ...]:
        """See ``training.models.explainable.Explainable``."""
        return (self.maps(image),)

    def from_map(self, maps: Tensor, *_: Tensor) -> Tensor:
        """See ``training.models.explainable.Explainable``."""
        return self.head(maps.mean((2, 3)))


def in_timms_names(state: State, blocks: Sequence[int]) -> State:
    """``state`` of efficientnet-lite-pytorch under timm's names; ``blocks`` of each stage.

    A name that is not in it stays as it is, so that loading says which.
    """
    if "_conv_stem.weight" not in state:
        return state
    places = [(stage, place) for stage, count in enumerate(blocks) for place in range(count)]
    result: State = {}
    for name, value in state.items():
        part, *rest = name.split(".")
        if part == "_blocks":
            stage, place = places[int(rest[0])]
            inner = (_FIRST if stage == 0 else _LATER).get(rest[1], rest[1])
            result[".".join(["blocks", str(stage), str(place), inner, *rest[2:]])] = value
        else:
            result[".".join([_PARTS.get(part, part), *rest])] = value
    return result

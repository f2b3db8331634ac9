"""MesoNet's published weights as members: peers to be judged on the same clips.

The files are Keras', from the authors' repository (DariusAf/MesoNet, Apache-2.0). Their last unit
says how *real* a face is, so the logit's sign is turned; what they call the score of a video is the
mean over its frames, here of logits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.models.member import Member
from training.models.mesonet import Meso4, MesoInception4
from training.models.registry import make_head, parse

_KERAS_EPSILON = 1e-3
_HIDDEN = (8, 8, 16, 16)  # of the map before the hidden layer, as Keras lays it out, and its units

Layer = dict[str, NDArray[np.float32]]


def published(path: Path) -> Member:
    """The member in ``path``: ``Meso4_*.h5`` or ``MesoInception_*.h5``, told by their layers.

    Raises ``ValueError`` where the file holds neither.
    """
    layers = _layers(path)
    kinds = {kind: [layer for one, layer in layers if one == kind] for kind, _ in layers}
    counts = tuple(len(kinds.get(kind, ())) for kind in ("conv2d", "batch_normalization", "dense"))
    encoder: Meso4 | MesoInception4
    if counts == (4, 4, 2):
        name, encoder = "meso4_mean", Meso4()
    elif counts == (16, 4, 2):
        name, encoder = "mesoinception4_mean", MesoInception4()
    else:
        raise ValueError(
            f"{path} has {counts[0]} convolutions, {counts[1]} norms and {counts[2]} dense layers; "
            "MesoNet's published files have 4 or 16, 4 and 2"
        )
    modules = list(encoder.modules())
    _fill([one for one in modules if isinstance(one, nn.Conv2d)], kinds["conv2d"], _convolution)
    norms = [one for one in modules if isinstance(one, nn.BatchNorm2d)]
    _fill(norms, kinds["batch_normalization"], _norm)
    hidden, last = kinds["dense"]
    _fill([encoder.tail.hidden], [hidden], _hidden)
    head = make_head(parse(name), encoder.dim)
    _fill([head.get_submodule("frame")], [last], _turned)
    return Member(name, encoder, head, encoder.dim, {"published": path.name}).eval()


def _layers(path: Path) -> list[tuple[str, Layer]]:
    """The layers that have weights, each with its kind, in the order in which they were made: by
    the number in their names."""

    def found(file: h5py.File) -> Iterator[tuple[str, int, Layer]]:
        for name in file:
            parts = re.fullmatch(r"(conv2d|batch_normalization|dense)_(\d+)", name)
            if parts and file[name].attrs["weight_names"].size:
                group = file[name]
                weights = {
                    one.decode().rpartition("/")[2].partition(":")[0]: np.array(group[one])
                    for one in group.attrs["weight_names"]
                }
                yield parts[1], int(parts[2]), weights

    try:
        with h5py.File(path) as file:
            return [(kind, layer) for kind, _, layer in sorted(found(file), key=lambda one: one[1])]
    except OSError as error:
        raise ValueError(f"{path} is no file of Keras: {error}") from error


def _fill(
    modules: Sequence[nn.Module],
    layers: Sequence[Layer],
    convert: Callable[[Layer], dict[str, Tensor]],
) -> None:
    for module, layer in zip(modules, layers, strict=True):
        module.load_state_dict(convert(layer))


def _convolution(layer: Layer) -> dict[str, Tensor]:
    return {
        "weight": _tensor(layer["kernel"].transpose(3, 2, 0, 1)),
        "bias": _tensor(layer["bias"]),
    }


def _norm(layer: Layer) -> dict[str, Tensor]:
    """Keras adds more to the variance than PyTorch does; the difference goes into the variance."""
    more = _KERAS_EPSILON - nn.BatchNorm2d(1).eps
    return {
        "weight": _tensor(layer["gamma"]),
        "bias": _tensor(layer["beta"]),
        "running_mean": _tensor(layer["moving_mean"]),
        "running_var": _tensor(layer["moving_variance"] + np.float32(more)),
    }


def _hidden(layer: Layer) -> dict[str, Tensor]:
    """Keras flattens a map with its channels last, PyTorch with its channels first."""
    kernel = layer["kernel"].reshape(_HIDDEN).transpose(3, 2, 0, 1).reshape(_HIDDEN[3], -1)
    return {"weight": _tensor(kernel), "bias": _tensor(layer["bias"])}


def _turned(layer: Layer) -> dict[str, Tensor]:
    return {"weight": _tensor(-layer["kernel"].T), "bias": _tensor(-layer["bias"])}


def _tensor(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))

"""Files of weights: those that others trained to start from, and those of a frames run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stream_server.atomic import replacing

State = dict[str, Tensor]
# What a file of pretrained weights may hold beyond the network: its classifier, under the names
# that timm, torchvision and facenet-pytorch give it, and Inception's second one.
_CLASSIFIERS = ("classifier", "fc", "head", "logits", "AuxLogits")


def read(path: Path, hint: str) -> dict[str, Any]:
    """What ``torch.save`` or safetensors wrote to ``path``, on the CPU; tensors and plain values.

    Raises ``FileNotFoundError``, whose message ends with ``hint``, and ``ValueError`` for a file
    of another kind.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing{hint}")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(str(path)))
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch's, pickle's and zipfile's are of many kinds
        raise ValueError(f"{path} holds no weights: {str(error).splitlines()[0]}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no weights but a {type(found).__name__}")
    return dict(found)


def load_strictly(net: nn.Module, state: Mapping[str, Tensor], source: object) -> None:
    """Load all of ``state``, which must be all that ``net`` has.

    The counters of batch norm may be lacking: older files have none, and nothing here reads them.
    Raises ``ValueError`` naming ``source`` and what does not fit.
    """
    wanted = net.state_dict()
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}
    missing, unknown = sorted(set(wanted) - set(state) - counters), sorted(set(state) - set(wanted))
    odd = [name for name in wanted if name in state and state[name].shape != wanted[name].shape]
    for problem, names in (("lacks", missing), ("has beyond it", unknown), ("of other size:", odd)):
        if names:
            raise ValueError(
                f"{source} does not fit {type(net).__name__}: {problem} {', '.join(names[:3])}"
                f"{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
            )
    net.load_state_dict(state, strict=False)


def load_start(
    net: nn.Module,
    start: Path,
    renamed: Callable[[State], State] = lambda state: state,
    from_onnx: Callable[[Path], State] | None = None,
) -> None:
    """Load pretrained weights (safetensors or a PyTorch state) less their classifier, strictly.

    OpenCLIP's and OpenAI's layout of a vision tower is understood too; ``renamed`` gives any other
    file ``net``'s names. ``from_onnx`` reads an ONNX file, where ``net`` may start from one. Raises
    ``FileNotFoundError``, and ``ValueError`` naming what does not fit.
    """
    if from_onnx is not None and start.suffix == ".onnx":
        state = from_onnx(start)
    else:
        state = read(start, ": no weights to start from")
    if "state_dict" in state:
        state = dict(state["state_dict"])
    if any(name.startswith("visual.") for name in state):
        from timm.models.vision_transformer import checkpoint_filter_fn

        converted: Any = checkpoint_filter_fn
        state = dict(converted(state, net))
    state = renamed(state)
    wanted = net.state_dict()
    kept = {
        name: value
        for name, value in state.items()
        if name in wanted or name.split(".")[0] not in _CLASSIFIERS
    }
    load_strictly(net, kept, start)


def save_frames(path: Path, state: State, facts: Mapping[str, object]) -> None:
    """Write the weights of a frames run (``FrameModel.kept``) and ``facts`` about them."""
    with replacing(path) as part:
        torch.save({"state": state, **facts}, part)


def read_frames(path: Path) -> State:
    """The weights that ``save_frames`` wrote. Raises ``FileNotFoundError`` or ``ValueError``."""
    found = read(path, "; train --stage frames writes it")
    if "state" not in found:
        raise ValueError(f"{path} holds no frames weights; give best.pt or last.pt")
    state: State = found["state"]
    return state


def frames_figures(path: Path) -> dict[str, float]:
    """What ``save_frames`` was told of these weights on dev; nothing for an average of runs."""
    return dict(read(path, "; train --stage frames writes it").get("dev", {}))


def averaged(paths: Sequence[Path]) -> State:
    """The mean of several frames runs of one model; whole numbers are the first one's.

    Runs that began from the same weights and saw other data or other harm often lie in one valley:
    the mean of their weights keeps what each has learnt, at the cost of one (Wortsman et al.,
    "Model soups", ICML 2022). Raises ``ValueError`` for fewer than two files, and naming the file
    that is of another model.
    """
    if len(paths) < 2:
        raise ValueError("only one file of weights; the mean of at least two is asked for")
    states = [read_frames(path) for path in paths]
    first = states[0]
    for path, state in zip(paths, states, strict=True):
        if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in first.items()}:
            raise ValueError(f"{path} holds another model than {paths[0]}")
    return {
        key: torch.stack([state[key] for state in states]).mean(0)
        if value.is_floating_point()
        else value
        for key, value in first.items()
    }

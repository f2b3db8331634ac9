"""Training one small autoencoder on real faces, in minutes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stream_server.atomic import replacing
from training.data.manifest import Manifest
from training.fit.frames_module import Clock
from training.fit.pairs import Mix, Pairs
from training.models.autoencoder import Autoencoder, Kind

_BATCH, _SIDE = 8, 128
_RATE, _WARM = 2e-3, 50
_SPECTRUM = 0.1


def train_autoencoder(
    kind: Kind, train: Manifest, path: Path, minutes: float, steps: int = 0, seed: int = 0,
    tell: Callable[[str], None] = lambda line: None,
) -> float:  # fmt: skip
    """Train one on squares out of real faces and write it to ``path``, whole or not at all.

    ``minutes`` or ``steps`` ends it, whichever comes first; 0 is no such end. Returns the mean
    difference of the last pictures, in grey levels. Raises ``ValueError`` where nothing would end
    it, and where there is no real face.
    """
    if minutes <= 0 and steps <= 0:
        raise ValueError(f"minutes {minutes:g} and steps {steps}: the run would never end")
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    pairs = Pairs(train, Mix(video_share=0.5))
    net = Autoencoder(kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=0.0)
    clock, step, off = Clock(steps, minutes), 0, 0.0
    while (progress := clock.progress(step)) < 1 or step == 0:
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min((step + 1) / _WARM, 1.0) * max(1 - progress, 0.02)
        wanted = torch.stack([_square(pairs, rng) for _ in range(_BATCH)])
        with torch.autocast("cpu", torch.bfloat16):
            given = net(wanted.contiguous(memory_format=torch.channels_last))
        given = given.float()
        plain = functional.l1_loss(given, wanted)
        loss = plain + _SPECTRUM * functional.l1_loss(_spectrum(given), _spectrum(wanted))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        grey = 127.5 * float(plain.detach())
        off = grey if step == 0 else 0.98 * off + 0.02 * grey
        step += 1
        clock.tick()
        if step % 200 == 0:
            tell(f"{kind.name}: step {step}, {off:.1f} grey levels off")
    with replacing(path) as part:
        torch.save({"kind": kind.facts(), "state": net.state_dict(), "off": off}, part)
    return off


def _square(pairs: Pairs, rng: np.random.Generator) -> Tensor:
    image = pairs.manifest.image(pairs.real(rng))
    high, wide = (max(side, _SIDE) for side in image.shape[:2])
    if image.shape[:2] != (high, wide):
        padding = ((0, high - image.shape[0]), (0, wide - image.shape[1]), (0, 0))
        image = np.pad(image, padding, mode="symmetric")
    top, left = int(rng.integers(high - _SIDE + 1)), int(rng.integers(wide - _SIDE + 1))
    square = image[top : top + _SIDE, left : left + _SIDE]
    return torch.from_numpy(square.astype(np.float32)).permute(2, 0, 1) / 127.5 - 1


def _spectrum(pictures: Tensor) -> Tensor:
    """The logarithm of the amplitudes: it keeps fine detail, which a mean difference gives up."""
    return torch.log1p(torch.fft.rfft2(pictures, norm="ortho").abs())

"""How well the maker draws each person again: errors of pictures and masks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from training.gan.faces import Person
from training.gan.nets import PEOPLE, Swapper
from training.gan.warp import middle

_AT_ONCE = 64
_PEAK = 255.0


def as_input(pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], size: int) -> Tensor:
    """Stored pictures uint8 ``[N, R, R, 3]`` as the maker takes them ``[N, 3, S, S]``."""
    return middle(torch.from_numpy(pictures).permute(0, 3, 1, 2), size).float() / 127.5 - 1


@torch.no_grad()
def drawn(maker: Swapper, pictures: Tensor, person: str) -> tuple[Tensor, Tensor]:
    """``person``'s picture and mask for each of ``pictures``, some at a time."""
    parts = [maker(part, person) for part in torch.split(pictures, _AT_ONCE)]
    return torch.cat([one for one, _ in parts]), torch.cat([mask for _, mask in parts])


def errors(maker: Swapper, people: Mapping[str, Person], held: bool = True) -> dict[str, float]:
    """Errors over both people's held-out faces (or the others), each person counting the same.

    ``l1`` is the mean absolute error of the drawn picture, ``l1_face`` that inside the face's
    mask, both in grey levels of 255; ``psnr`` in dB is the mean over pictures. ``mask_l1`` is the
    mean absolute error of the mask (0 to 1), ``mask_iou`` its overlap over union at one half.
    ``mean_l1``, ``mean_l1_face`` and ``mean_psnr`` are what the mean of the person's training
    pictures gets, ``mean_mask_l1`` that of the mean training mask: what anything learnt must beat.
    """
    was_training = maker.training
    device = next(maker.parameters()).device
    maker.eval()
    rows = [_person(maker, people[person], person, held, device) for person in PEOPLE]
    maker.train(was_training)
    result = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    result["faces"] = sum(row["faces"] for row in rows)
    return {name: round(value, 4) for name, value in result.items()}


def _person(
    maker: Swapper, person: Person, name: str, held: bool, device: torch.device
) -> dict[str, float]:
    size = maker.shape.size
    pictures, masks = person.part(held)
    wanted = as_input(pictures, size)
    wanted_mask = middle(torch.from_numpy(masks)[:, None], size).float() / 255
    made, mask = (one.cpu() for one in drawn(maker, wanted.to(device), name))
    seen, seen_masks = person.part(held=False)
    average = as_input(seen, size).mean(dim=0, keepdim=True).expand_as(wanted)
    average_mask = middle(torch.from_numpy(seen_masks)[:, None], size).float().mean(0) / 255
    either = ((mask > 0.5) | (wanted_mask > 0.5)).sum(dim=(1, 2, 3)).clamp(min=1)
    both = ((mask > 0.5) & (wanted_mask > 0.5)).sum(dim=(1, 2, 3))
    result = {"faces": float(len(wanted))}
    for prefix, answer in (("", made), ("mean_", average)):
        off = (answer - wanted).abs() * _PEAK / 2
        result[prefix + "l1"] = float(off.mean())
        result[prefix + "l1_face"] = float((off * wanted_mask).sum() / (3 * wanted_mask.sum()))
        square = (off**2).mean(dim=(1, 2, 3)).clamp(min=1e-6)
        result[prefix + "psnr"] = float((10 * torch.log10(_PEAK**2 / square)).mean())
    result["mask_l1"] = float((mask - wanted_mask).abs().mean())
    result["mean_mask_l1"] = float((average_mask - wanted_mask).abs().mean())
    result["mask_iou"] = float((both / either).mean())
    return result

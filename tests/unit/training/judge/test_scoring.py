"""Members that look less often are judged on what they see where they are served."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stream_server.evidence import FaceEvidence, Sample, StreamOptions
from stream_server.verdict import VerdictPolicy
from tests.support.tiny_repository import tiny_repository
from training.judge.scoring import window_logits
from training.models.member import Member
from training.models.served import chosen_members, served_members, set_rates


class Told(nn.Module):
    """Keeps what it is given; its logit is the sum of the first feature over the length."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[list[int]] = []

    def forward(self, series: Tensor, length: Tensor) -> Tensor:
        rows = [row[: int(n), 0] for row, n in zip(series, length, strict=True)]
        self.windows = [row.int().tolist() for row in rows]
        return torch.stack([row.sum() for row in rows])[:, None]


def member(rate: float | None) -> tuple[Member, Told]:
    head = Told()
    return Member("m", nn.Identity(), head, 3, sample_hz=rate), head


def beats(count: int) -> np.ndarray:
    return np.repeat(np.arange(count, dtype=np.float32)[:, None], 3, axis=1)


@pytest.mark.parametrize("rate", [None, 10.0, 5.0, 10 / 3, 2.5, 7.0])
def test_a_window_is_judged_on_the_samples_that_a_settled_face_has(rate: float | None) -> None:
    one, head = member(rate)
    logits = window_logits(one, [beats(100)], 20, 10)
    policy = VerdictPolicy(fake=0.8, real=0.3)
    options = StreamOptions(window=20, settled=1.0)
    face = FaceEvidence(policy, options, {} if rate is None else {"m": rate})
    sight = np.ones(1, np.float32)
    served = []
    for beat in range(100):
        now = beat / 10
        value = np.full(3, beat, np.float32)
        looked = {} if "m" in face.resting(now, sight) else {"m": value}
        face.add(Sample(now, looked, np.zeros(10, np.float32), sight))
        if face.score_due(now):
            face.scored(now, 0.5, {})
        if beat >= 19 and (beat - 19) % 10 == 0:
            served.append(face.window()[0]["m"][:, 0].astype(int).tolist())
    assert head.windows[1:] == served[1:]  # the first window still has the looks at a new face
    assert set(head.windows[0]) <= set(served[0])
    assert logits.tolist() == [sum(window) for window in head.windows]


def test_short_tracks_and_pictures_are_judged_too() -> None:
    one, head = member(2.5)
    window_logits(one, [beats(1)])
    assert head.windows == [[0]]
    window_logits(one, [beats(6)])
    assert head.windows == [[0, 4]]
    window_logits(one, [beats(11)], 1, 5)
    assert head.windows == [[0], [5], [10]]  # between two looks: the sample itself


def test_a_repositorys_rates_are_judged_unless_others_are_asked_for(tmp_path: Path) -> None:
    repo = tiny_repository(
        tmp_path / "models",
        ("one", "two"),
        ("points",),
        readers={"reads": ("two",)},
        rates={"two": 5},
    )
    rates = {one.name: one.sample_hz for one in served_members(repo)}
    assert rates == {"one": None, "two": 5.0, "points": None, "reads": 5.0}
    asked = chosen_members([], repo, {"one": 2.5, "two": None})
    assert [one.sample_hz for one in asked] == [2.5, None, None, None]
    with pytest.raises(ValueError, match="points has no encoder here; one, two have"):
        chosen_members([], repo, {"points": 5.0})


def test_a_reader_of_members_at_different_rates_cannot_be_judged() -> None:
    sources = [Member(name, nn.Identity(), Told(), 3) for name in ("one", "two")]
    reader = Member("both", None, Told(), 6, reads={"one": 3, "two": 3})
    with pytest.raises(ValueError, match="both reads members that look at different rates"):
        set_rates([*sources, reader], {"one": 5.0})

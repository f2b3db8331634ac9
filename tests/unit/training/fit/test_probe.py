"""The linear probe: its fit, its rows, and what counts how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.data.shards import Sample
from training.fit.probe import (
    Rows,
    auc_by_maker,
    fit_linear,
    joined,
    of_kind,
    rows_of,
    scores_of,
)
from training.judge.metrics import auc
from training.judge.scoring import Followed
from training.models.heads import Probe


def made(count: int, seed: int = 0) -> Rows:
    """Features of odd scales; the second and the fifth tell, noisily."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 6)) * [1, 50, 0.01, 3, 10, 1] + [5, -300, 0, 1, 80, 2]
    tells = (features[:, 1] + 300) / 50 + (features[:, 4] - 80) / 10
    fake = tells + rng.normal(size=count) > 0
    names = np.array([f"v{n}" for n in range(count)])
    return Rows(features, fake, np.zeros(count, bool), names, np.where(fake, "maker", "set"))


def test_features_of_any_scale_are_learnt_from_and_none_counts_beyond_one_deviation() -> None:
    linear = fit_linear(made(400), 0.01)
    rows = made(400, 1)
    scores = scores_of(linear, rows)
    assert auc(rows.fake, scores) > 0.87
    far = replace(rows, features=rows.features + 1e6)
    farther = replace(rows, features=rows.features + 1e9)
    np.testing.assert_array_equal(scores_of(linear, far), scores_of(linear, farther))


def test_a_higher_penalty_keeps_the_weights_smaller() -> None:
    sizes = [
        float(np.ptp(scores_of(fit_linear(made(200), penalty), made(99))))
        for penalty in (1e-3, 1.0, 100.0)
    ]
    assert sizes[0] > 2 * sizes[1] > 20 * sizes[2]


def test_one_kind_alone_teaches_nothing() -> None:
    rows = made(50)
    with pytest.raises(ValueError, match="only one class to fit on: no real video"):
        fit_linear(replace(rows, fake=np.ones(50, bool)), 0.1)


def test_the_window_is_averaged_up_to_its_length_and_pictures_have_their_own_weights() -> None:
    probe = Probe((2, 4)).eval()
    windows = torch.randn((3, 30, 6), generator=torch.Generator().manual_seed(0)) * 3
    length = torch.tensor([[7], [20], [1]])

    def logits(of: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return probe(of[..., :2], of[..., 2:], length)[:, 0]

    assert logits(windows).tolist() == [-30, -30, -30], "nothing learnt: no, for sure"
    probe.moving.load_state_dict(fit_linear(made(200), 0.1).state_dict())
    moving = logits(windows)
    assert (moving[:2] != -30).all() and moving[2] == -30
    wild = windows.clone()
    wild[0, 7:], wild[1, 20:], wild[2, 1:] = 1e6, -1e6, 1e6
    torch.testing.assert_close(logits(wild), moving)
    probe.still.load_state_dict(fit_linear(made(200, 3), 0.1).state_dict())
    wanted = float(probe.still(windows[2:, 0]).detach())
    assert logits(windows)[2] == pytest.approx(wanted, abs=1e-4)


def followed(video: str, count: int, label: str, dataset: str, method: str = "") -> Followed:
    sample = Sample(
        key=video, video=video, track=1, time=0.0, landmarks=(0.0,) * 10, face_px=90.0, score=0.99,
        sharpness=100.0, label=label, dataset=dataset, method=method, split="train", pair="",
        identities=(video,),
    )  # fmt: skip
    values = np.arange(count, dtype=np.float32)[:, None] * np.ones(2, np.float32)
    return Followed(sample, values, np.zeros((count, 10), np.float32))


def test_rows_are_means_of_windows_without_the_fakes_set_apart() -> None:
    tracks = [
        followed("long", 45, "real", "studio"),
        followed("still", 1, "fake", "pictures", "gan"),
        followed("swap", 20, "fake", "swaps", "faceswap"),
        followed("other", 20, "real", "swaps"),
    ]
    rows = rows_of([{"a": one, "b": one} for one in tracks], ("swaps",))
    assert rows.features.shape == (5, 4)
    assert rows.features[:3, 0].tolist() == [9.5, 29.5, 42.0]
    assert rows.video.tolist() == ["long"] * 3 + ["still", "other"]
    assert rows.group.tolist() == ["studio"] * 3 + ["gan", "swaps"]
    assert rows.still.tolist() == [False, False, False, True, False]
    assert of_kind(rows, True).group.tolist() == ["gan"]
    assert of_kind(rows, False).features.shape == (4, 4)
    both = joined([rows, rows])
    assert len(both.fake) == 10 and both.features.shape == (10, 4)
    with pytest.raises(ValueError, match="no face"):
        rows_of([{"a": tracks[2]}], ("swaps",))


def test_makers_are_judged_against_every_set_of_reals_alike() -> None:
    video = np.array(["f", "r1", "r2", "r3", "r4", "p", "q"])
    rows = Rows(
        np.zeros((7, 1)),
        np.array([True, False, False, False, False, True, False]),
        np.array([False] * 5 + [True] * 2),
        video,
        np.array(["heads", "news", "news", "news", "lab", "gan", "portraits"]),
    )
    found = auc_by_maker(rows, np.array([5.0, 1, 2, 3, 9, 0, 7]))
    assert found == {"heads": 0.5, "gan": 0.0}

"""A file's samples, and which members look at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.evidence import StreamOptions
from stream_server.ingest.files.open import open_media
from stream_server.scan.analysis import Pipeline, analyse
from stream_server.scan.plan import make_plan
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from tests.support.fake_scorer import FakeScorer
from tests.support.scan_media import every, moving_face, write_video


@pytest.mark.parametrize(
    ("rate", "samples", "looks"),
    [(10, 30, 8 + 11), (25, 30, 8 + 11), (4, 12, 12)],  # after eight for all, every second sample
)
async def test_a_scan_lets_members_look_as_often_as_a_stream_does(
    tmp_path: Path, rate: float, samples: int, looks: int
) -> None:
    path = write_video(tmp_path / "a.mp4", moving_face(), every(rate, 3), rate=int(rate))
    media = open_media(path, path.name)
    sampled = media.info.sampling_rate(10.0)
    scorer = FakeScorer(rates={"half": 5.0})
    pipeline = Pipeline(FaceDetector(min_face=40), scorer, VerdictPolicy(0.8, 0.3))
    plan = make_plan(media.info.duration, sampled, 6000, 1)
    options = StreamOptions(sample_hz=sampled)
    found = await analyse(media, plan, options, pipeline)
    assert found.analysed == samples
    assert scorer.looked == {"m": samples, "half": looks}
    assert scorer.windows[-1] == min(samples, 20)

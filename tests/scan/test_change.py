"""A face that has looked real for nine seconds and is then another: how soon that is found, by the
shipped models on the sample clip, whatever the rate of the samples."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stream_server import resources
from stream_server.engine import MicroBatcher, open_engine
from stream_server.evidence import StreamOptions
from stream_server.grounds import Voting
from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.open import open_media
from stream_server.stream import Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker, patience_at

FAKED = (9.0, 18.0)  # seconds of the clip


@pytest.fixture
async def batcher() -> AsyncIterator[MicroBatcher]:
    engine = open_engine("embedded", resources.models_dir())
    await engine.start()
    yield MicroBatcher(engine)
    await engine.close()


@pytest.mark.parametrize("rate", [10.0, 5.0, 2.0])
async def test_a_change_within_a_shot_is_found_while_it_lasts(
    batcher: MicroBatcher, rate: float
) -> None:
    repository = batcher.engine.repository
    policy = VerdictPolicy.from_parameters(repository.parameters, Voting.of(repository))
    tracker = FaceTracker(FaceDetector(), patience=patience_at(rate))
    stream = Stream(tracker, batcher, policy, StreamOptions(sample_hz=rate))
    media = open_media(resources.sample_clip(), "sample.mp4")
    flagged = []
    for _, frame in media.read(WHOLE, rate, ReadCounts()):
        faces = await stream.analyse(frame)
        if any(face.verdict == "likely_fake" for face in faces):
            flagged.append(frame.media_time)
    began, ended = FAKED
    assert began < flagged[0] < began + 5
    # Whoever is real again stays flagged for as long as that is not sure.
    assert ended - 1 < flagged[-1] < ended + 6

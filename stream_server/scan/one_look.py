"""Single pictures are judged by a vote of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.repository import ModelRepository
from stream_server.grounds import Voting
from stream_server.stream import Scorer
from stream_server.verdict import VerdictPolicy


def picture_policy(repository: ModelRepository, videos: VerdictPolicy) -> VerdictPolicy:
    """The lines and the vote for single pictures.

    Where the repository has none for them, those of ``videos``, but that no picture is called
    likely real: the line for that was found on windows. Raises ``ValueError`` for parameters that
    are amiss.
    """
    voting = Voting.of_pictures(repository)
    if voting is None:
        return replace(videos, clears=False)
    found = VerdictPolicy.of_pictures(repository.parameters, voting)
    return replace(found, confirmations=videos.confirmations)


class PictureScorer:
    """``scorer``, whose members' answers are joined as ``voting`` says for pictures."""

    def __init__(self, scorer: Scorer, voting: Voting) -> None:
        self._scorer = scorer
        self._voting = voting

    @property
    def rates(self) -> Mapping[str, float]:
        """See ``Scorer``."""
        return self._scorer.rates

    async def features(
        self, crops: NDArray[np.uint8], resting: Collection[str] = ()
    ) -> dict[str, NDArray[np.float32]]:
        """See ``Scorer``."""
        return await self._scorer.features(crops, resting)

    async def verdicts(
        self, features: dict[str, NDArray[np.float32]], landmarks: NDArray[np.float32] | None
    ) -> tuple[float, dict[str, float]]:
        """See ``Scorer``."""
        _, members = await self._scorer.verdicts(features, landmarks)
        return self._voting.probability(members), members

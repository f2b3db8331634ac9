"""Single pictures are judged by a vote of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.repository import ModelRepository
from stream_server.grounds import Voting
from stream_server.scan.patient import PatientScorer
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


class PictureScorer(PatientScorer):
    """``scorer``, whose members' answers are joined as ``voting`` says for pictures."""

    def __init__(self, scorer: Scorer, voting: Voting) -> None:
        super().__init__(scorer)
        self._voting = voting

    async def verdicts(
        self, features: dict[str, NDArray[np.float32]], landmarks: NDArray[np.float32] | None
    ) -> tuple[float, dict[str, float]]:
        """See ``Scorer``."""
        _, members = await super().verdicts(features, landmarks)
        return self._voting.probability(members), members

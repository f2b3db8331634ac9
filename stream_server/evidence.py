"""What has been seen of one face: its window of samples, and whether that is enough."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream_server.attention import Attention
from stream_server.grounds import Ground
from stream_server.looks import Looks, looks_due
from stream_server.verdict import Verdict, VerdictFilter, VerdictPolicy
from stream_server.vision.quality import QualityLimits
from stream_server.vision.types import Floats

_RECENT = 1.5  # seconds: how long a face may be out of sight of the gates and keep its verdict
_LEAST_SHARE = 0.5  # of the scores, however little time the machine has
_RECENT_LOOKS = 4  # the same in looks, where pictures are few
_USUAL_HZ = 10.0  # samples a second that members, vote and lines were fitted on

GATHERING_SECONDS = 10.0
"""Seconds of media time after which a face that has not given enough samples is told to have given
too few."""


@dataclass(frozen=True)
class StreamOptions:
    """How a stream samples and scores.

    ``sample_hz``: samples per second of media time; ``window``: samples that a verdict looks back
    on (more is steadier and slower to change); ``first_verdict``: samples before the first one;
    ``verdict_hz``: scores per second of media time for each face. ``settled``: the share of its own
    rate at which a member looks at a real face that nothing happens to, see ``attention``.
    ``spread``: whether a search waits for the next frame where a member looks at this one.
    ``unchanged``: the share of the scores that are made while no member has looked anew, of a
    window in which all but the landmarks is what it was. ``phase``: how many samples its looks
    come before those of another stream that began with it, see ``looks``.
    """

    sample_hz: float = 10.0
    window: int = 20
    first_verdict: int = 8
    verdict_hz: float = 4.0
    settled: float = 0.1
    spread: bool = False
    unchanged: float = 1.0
    phase: int = 0
    quality: QualityLimits = field(default_factory=QualityLimits)


@dataclass(frozen=True)
class Sample:
    """One sample that could be judged: ``features`` float32 ``[D]`` of each member that looked at
    it, ``landmarks`` float32 ``[10]`` in crop coordinates, ``sight`` its signature
    (``vision.identity``), ``time`` in seconds of media time."""

    time: float
    features: dict[str, NDArray[np.float32]]
    landmarks: NDArray[np.float32]
    sight: Floats


class FaceEvidence:
    """Collects the samples of one track and says what may be told from them.

    ``rates`` are looks a second of the members that look less often than at every sample.
    """

    def __init__(
        self, policy: VerdictPolicy, options: StreamOptions, rates: Mapping[str, float]
    ) -> None:
        self._options = options
        self._policy = policy
        self._filter = VerdictFilter(policy)
        self._samples: deque[Sample] = deque(maxlen=options.window)
        self._seen: deque[tuple[float, tuple[str, ...]]] = deque()
        self._first_verdict = min(options.first_verdict, options.window)
        self._looks = Looks(rates, options.sample_hz, options.phase)
        self._attention = Attention(options.settled)
        self._least = self._looks.least(self._first_verdict)
        usual = max(options.sample_hz, _USUAL_HZ)
        self._reach = options.window / usual  # seconds that a member with a rate looks back on
        self._enough = {
            member: max(
                self._least.get(member, 1), looks_due(options.window, min(rate, usual), usual)
            )
            for member, rate in rates.items()
        }
        self._looked: dict[str, deque[tuple[float, NDArray[np.float32]]]] = {}
        self._scored_at = -np.inf
        self._fresh = False
        self._looked_anew = False
        self._since: float | None = None
        self.members: dict[str, float] = {}
        self.grounds: tuple[Ground, ...] = ()

    @property
    def samples(self) -> int:
        """Samples in the window."""
        return len(self._samples)

    @property
    def probability(self) -> float | None:
        """The smoothed probability, ``None`` before the first score."""
        return self._filter.probability

    def saw(self, now: float, reasons: tuple[str, ...]) -> None:
        """Note a look at the face, with the gates that it did not pass."""
        self._since = now if self._since is None else self._since
        self._seen.append((now, reasons))

    def unseen(self, now: float) -> None:
        """Note that it was not looked at: what kept it from being judged stands."""
        if self._seen and self._seen[-1][1]:
            self._seen.append((now, self._seen[-1][1]))

    def resting(self, now: float, sight: Floats, share: float = 1.0) -> frozenset[str]:
        """The members that need not look at a sample at ``now``, in which the face has the
        signature ``sight``; ``share`` of their looks are made."""
        return self._looks.resting(now, share * self._attention.closeness(now, sight))

    def add(self, sample: Sample) -> None:
        """Append a sample to the window."""
        self._samples.append(sample)
        self._looks.saw(sample.time, sample.features)
        if self._least.keys() <= sample.features.keys():
            self._attention.looked(sample.sight)
        for member, values in sample.features.items():
            self._looked.setdefault(member, deque()).append((sample.time, values))
        for member, looks in self._looked.items():
            since = self._samples[0].time
            if member in self._enough:
                since = max(since, sample.time - self._reach)
            while len(looks) > self._enough.get(member, 0) and looks[0][0] < since:
                looks.popleft()
        self._fresh = True
        # Where nothing but the landmarks is judged, they are what is new.
        self._looked_anew = self._looked_anew or bool(sample.features) or not self._looked

    def expire(self, now: float, pace: float = 0.0) -> None:
        """Drop what is too old to stand beside a new sample; a window must not have holes.

        ``pace`` is how many seconds lie between pictures, where that is more than was asked for.
        """
        while self._seen and now - self._seen[0][0] > _recent(pace):
            self._seen.popleft()
        span = 2 * self._options.window * max(pace, 1 / self._options.sample_hz)
        while self._samples and now - self._samples[0].time > span:
            self._samples.popleft()
        if not self._samples:
            self._looked.clear()
        if not self._samples and self._filter.probability is not None:
            self._filter = VerdictFilter(self._policy)
            self._attention = Attention(self._options.settled)
            self.members, self.grounds = {}, ()

    def score_due(self, now: float, share: float = 1.0) -> bool:
        """Whether there is something new to score and it is time to; ``share`` of the scores are
        made, half of them at least: a verdict takes several to change. ``unchanged`` of those
        while no member has looked anew."""
        enough = len(self._samples) >= self._first_verdict
        rate = max(share, _LEAST_SHARE) * self._options.verdict_hz
        rate *= 1.0 if self._looked_anew else self._options.unchanged
        waited = now - self._scored_at >= 1 / rate - 0.02
        return self._fresh and enough and waited and self._looked_enough()

    def window(self) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """The window as arrays: float32 ``[t, D]`` per member, landmarks float32 ``[t, 10]``.

        A member that looks less often has fewer samples, of the same stretch of time; of a settled
        face its last ones, which reach back further. Where a stream samples less than ten times a
        second it has no more than it would have at ten, or what was long ago would outvote what
        is seen now.
        """
        features = {
            member: np.stack([values for _, values in looks])
            for member, looks in self._looked.items()
        }
        return features, np.stack([sample.landmarks for sample in self._samples])

    def scored(self, now: float, probability: float, members: dict[str, float]) -> None:
        """Take in the score of ``window()``."""
        usual = self._filter.probability
        verdict = self._filter.update(probability, now)
        self._attention.scored(now, probability, probability if usual is None else usual, verdict)
        self.members, self.grounds = members, self._policy.voting.grounds(members)
        self._scored_at = now
        self._fresh = self._looked_anew = False

    def verdict(self, now: float, pace: float = 0.0) -> tuple[Verdict, tuple[str, ...]]:
        """What may be told at ``now``, and the reasons where that is that nothing can."""
        reasons = self._obstacles(now, pace)
        if reasons:
            return "not_enough_evidence", reasons
        if len(self._samples) < self._first_verdict or self._filter.verdict == "gathering":
            if self._since is not None and now - self._since > GATHERING_SECONDS:
                return "not_enough_evidence", ("too_few_pictures",)
            return "gathering", ()
        return self._filter.verdict, ()

    def _looked_enough(self) -> bool:
        """Whether no member would vote on fewer looks than the first verdict is made of."""
        return all(
            len(self._looked.get(member, ())) >= least for member, least in self._least.items()
        )

    def _obstacles(self, now: float, pace: float) -> tuple[str, ...]:
        """The gates that most of the recent looks failed, most frequent first."""
        recent = [reasons for time, reasons in self._seen if now - time <= _recent(pace)]
        failed = [reasons for reasons in recent if reasons]
        # One bad look at the very beginning says nothing yet; half of the recent ones do.
        if len(failed) < 3 or 2 * len(failed) < len(recent):
            return ()
        return tuple(code for code, _ in Counter(c for r in failed for c in r).most_common())


def _recent(pace: float) -> float:
    return max(_RECENT, _RECENT_LOOKS * pace)

"""An engine and what is made over it: what changes when models are swapped, all of it at once."""

from __future__ import annotations

from stream_server.engine import Engine, MicroBatcher
from stream_server.explain.explainer import Explainer
from stream_server.grounds import Voting
from stream_server.scan.one_look import picture_policy
from stream_server.verdict import VerdictPolicy


class Loaded:
    """Raises ``ValueError`` where the model repository carries no usable thresholds, or tells of
    single pictures what cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.policy = VerdictPolicy.from_parameters(
            engine.repository.parameters, Voting.of(engine.repository)
        )
        picture_policy(engine.repository, self.policy)  # or each scan would find what is amiss
        self.batcher = MicroBatcher(engine)
        self.explainer = Explainer(engine)

    async def close(self) -> None:
        """Let go of the engine; calls in flight fail."""
        await self.batcher.close()
        await self.engine.close()

"""How often the models were right where it was tried, as their repository tells it.

``python -m training card`` takes the figures from what the model card says of the whole product and
writes them into the vote's config, so that they go with the models they are of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

PREFIX = "tried_"


@dataclass(frozen=True)
class Accuracy:
    """Videos that it was tried on: ``real`` and ``fake`` ones, how many of each it flagged, and how
    many of both it left ``unsure``."""

    real: int
    real_flagged: int
    fake: int
    fake_flagged: int
    unsure: int

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Accuracy | None:
        """By the parameters of the vote's config; ``None`` where it does not say. Raises
        ``ValueError`` for a figure that is no whole number."""
        names = [field.name for field in fields(cls)]
        if any(PREFIX + name not in parameters for name in names):
            return None
        return cls(**{name: int(parameters[PREFIX + name]) for name in names})

    def parameters(self) -> dict[str, str]:
        """What ``of`` reads."""
        return {PREFIX + name: str(value) for name, value in asdict(self).items()}

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def told_of(parameters: Mapping[str, str]) -> dict[str, int] | None:
    """The figures as clients are told them. Raises what ``Accuracy.of`` raises."""
    found = Accuracy.of(parameters)
    return None if found is None else found.as_json()

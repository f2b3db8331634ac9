"""What each member of the vote looks at, by its config: ``looks_at`` and ``kind`` in the parameters
of its sequence model.

``looks_at`` is one of ``SENSES``, which have words of their own wherever verdicts are explained, or
any few words, which are shown as they are. ``kind`` is ``either`` for a member whose answer counts
by itself, as one or the other; see ``training.judge.vote``.
"""

from __future__ import annotations

from stream_server.engine.spec import LENGTH, Models, voting_members

LOOKS_AT, KIND, EITHER = "looks_at", "kind", "either"
SENSES = ("texture", "noise", "movement", "generated_head", "picture")
_SEQUENCE = "_sequence"
_FEATURES = "FEATURES_"


def looks_at(models: Models) -> dict[str, str]:
    """What each voting member looks at. One whose config does not say so goes by what it takes:
    landmarks show movement, a member that counts by itself was asked for generated heads."""
    encoded = {name.removesuffix("_encoder") for name in models if name.endswith("_encoder")}
    found = {}
    for member in voting_members(models):
        spec = models.get(member + _SEQUENCE)
        reads = {t.name for t in spec.inputs if t.name != LENGTH} if spec else set()
        sees = member in encoded or any(name.startswith(_FEATURES) for name in reads)
        usual = "generated_head" if member in either(models) else "picture" if sees else "movement"
        found[member] = (spec.parameters.get(LOOKS_AT) if spec else None) or usual
    return found


def either(models: Models) -> frozenset[str]:
    """The voting members that count by themselves."""
    return frozenset(
        member
        for member in voting_members(models)
        if (spec := models.get(member + _SEQUENCE)) and spec.parameters.get(KIND) == EITHER
    )

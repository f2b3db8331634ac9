"""How often each member looks: ``sample_hz`` in the parameters of its encoder's config.

A member without it sees every sample of a window, and all of these members share LENGTH. One that
has it sees fewer, so its windows are shorter: ``paced_verdict`` takes their length as
LENGTH_<member>. ``sequence_verdict`` stays as it is for clients whose windows are whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stream_server.engine.spec import (
    LENGTH,
    PACED_VERDICT,
    SEQUENCE_VERDICT,
    Models,
    ModelSpec,
    feature_dims,
    length_of,
)

SAMPLE_HZ = "sample_hz"
MAX_RATE = 60.0
_ENCODER = "_encoder"
_FEATURES = "FEATURES_"
_HOW = "'python -m training export --rate' writes rates and ensembles"


def parse_rate(text: str) -> float:
    """Looks a second, from the text of a config or a command line.

    Raises ``ValueError`` for anything but a number above 0 and at most 60.
    """
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= MAX_RATE:
        raise ValueError(
            f"{SAMPLE_HZ} is {text!r}, must be a number above 0 and at most {MAX_RATE:g}"
        )
    return rate


def rate_of(encoder: ModelSpec) -> float | None:
    """Looks a second of the member whose encoder this is; None for every sample.

    Raises ``ValueError`` as ``parse_rate`` does, naming the model.
    """
    text = encoder.parameters.get(SAMPLE_HZ)
    if text is None:
        return None
    try:
        return parse_rate(text)
    except ValueError as error:
        raise ValueError(f"{encoder.name}: parameter {error}") from None


def member_rates(models: Models) -> dict[str, float]:
    """The members that have a rate of their own, with it. Raises what ``rate_of`` raises."""
    found: dict[str, float] = {}
    for member in feature_dims(models):
        encoder = models.get(member + _ENCODER)
        rate = rate_of(encoder) if encoder is not None else None
        if rate is not None:
            found[member] = rate
    return found


def length_for(reader: str, tensors: Iterable[str], rates: Mapping[str, float]) -> str:
    """Which tensor of ``paced_verdict`` says how many samples ``reader``'s window holds.

    ``tensors`` are those of the ensemble that it reads, FEATURES_<member> or LANDMARKS. Raises
    ``ValueError`` where these come at different rates: one window has one length.
    """
    # In one order, whatever that of the tensors: a config's steps keep none.
    members = sorted(name.removeprefix(_FEATURES) for name in tensors if name != LENGTH)
    found = {rates.get(member) for member in members}
    if len(found) > 1:
        each = ", ".join(f"{member} {told(rates.get(member))}" for member in members)
        raise ValueError(f"{reader} reads members that look at different rates: {each}")
    return LENGTH if found <= {None} else length_of(members[0])


def told(rate: float | None) -> str:
    """A rate in words."""
    return "at every sample" if rate is None else f"{rate:g} times a second"


def check_rates(models: Models) -> list[str]:
    """Rates that are no rates, stand where nobody reads them, or do not fit the ensembles."""
    problems = [
        f"{spec.name}: parameter {SAMPLE_HZ} belongs into the config of a member's encoder"
        for spec in models.values()
        if SAMPLE_HZ in spec.parameters and not spec.name.endswith(_ENCODER)
    ]
    for spec in models.values():
        try:
            rate_of(spec)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        return problems
    rates = member_rates(models)
    if bool(rates) != (PACED_VERDICT in models):
        lacking = "there is no" if rates else "no member has a rate of its own, yet there is a"
        return [f"{lacking} model {PACED_VERDICT!r}; {_HOW}"]
    problems = _check_lengths(models[SEQUENCE_VERDICT], {})
    return problems + (_check_lengths(models[PACED_VERDICT], rates) if rates else [])


def _check_lengths(ensemble: ModelSpec, rates: Mapping[str, float]) -> list[str]:
    problems: list[str] = []
    for step in ensemble.steps:
        if LENGTH not in step.inputs:
            continue
        given = step.inputs[LENGTH]
        read = [source for name, source in step.inputs.items() if name != LENGTH]
        try:
            wanted = length_for(step.model, read, rates)
        except ValueError as error:
            problems.append(f"{ensemble.name}: {error}")
            continue
        if given != wanted:
            problems.append(
                f"{ensemble.name}, step {step.model}: its {LENGTH} is {given}, must be {wanted} "
                f"by {SAMPLE_HZ} of the encoder; {_HOW}"
            )
    return problems

"""Whether the models of a repository fit together: ensemble steps, shapes, and members."""

from __future__ import annotations

from stream_server.engine.rates import check_rates
from stream_server.engine.spec import (
    FACE_FEATURES,
    SEQUENCE_VERDICT,
    VOTE,
    Models,
    ModelSpec,
    Step,
    TensorInfo,
    feature_dims,
    voting_members,
)


def check_wiring(models: Models) -> list[str]:
    """Every way in which the models of a repository do not fit together; empty when they do."""
    missing = [n for n in (FACE_FEATURES, SEQUENCE_VERDICT, VOTE) if n not in models]
    if missing:
        return [f"there is no model {name!r}" for name in missing]
    problems = [
        problem
        for spec in models.values()
        if spec.kind == "ensemble"
        for problem in check_ensemble(models, spec)
    ]
    return problems or _check_members(models)


def check_ensemble(models: Models, ensemble: ModelSpec) -> list[str]:
    """Problems of one ensemble: unknown models and tensors, shapes that differ, dead ends."""
    problems: list[str] = []
    if not ensemble.steps:
        return [f"{ensemble.name}: an ensemble without steps"]
    known: dict[str, TensorInfo] = {tensor.name: tensor for tensor in ensemble.inputs}
    used: set[str] = set()
    for step in ordered_steps(ensemble, problems):
        model = models.get(step.model)
        where = f"{ensemble.name}, step {step.model}"
        if model is None:
            problems.append(f"{where}: there is no such model")
            continue
        declared = {tensor.name: tensor for tensor in model.inputs}
        for name in sorted(declared.keys() - step.inputs.keys() - model.optional_inputs):
            problems.append(f"{where}: input {name} gets nothing")
        for name, source in step.inputs.items():
            used.add(source)
            if name not in declared:
                problems.append(f"{where}: the model has no input {name}")
            elif source in known:
                problems += _unlike(where, source, known[source], declared[name])
        outputs = {tensor.name: tensor for tensor in model.outputs}
        for name, target in step.outputs.items():
            if name not in outputs:
                problems.append(f"{where}: the model has no output {name}")
            elif target in known:
                problems.append(f"{where}: {target} is made twice")
            else:
                known[target] = outputs[name]
    for tensor in ensemble.inputs:
        if tensor.name not in used:
            problems.append(f"{ensemble.name}: input {tensor.name} goes nowhere")
    for tensor in ensemble.outputs:
        if tensor.name not in known:
            problems.append(f"{ensemble.name}: no step makes output {tensor.name}")
        else:
            problems += _unlike(ensemble.name, tensor.name, known[tensor.name], tensor)
    return problems


def ordered_steps(ensemble: ModelSpec, problems: list[str] | None = None) -> list[Step]:
    """The ensemble's steps in an order in which every step's inputs exist when it runs.

    Triton runs a step as soon as its inputs are there, whatever the order in the file.
    Steps that can never run are appended to ``problems`` as text and left out.
    """
    have = {tensor.name for tensor in ensemble.inputs}
    waiting = list(ensemble.steps)
    order: list[Step] = []
    while waiting:
        ready = [step for step in waiting if have.issuperset(step.inputs.values())]
        if not ready:
            if problems is not None:
                for step in waiting:
                    lacking = sorted(set(step.inputs.values()) - have)
                    problems.append(
                        f"{ensemble.name}, step {step.model}: nothing makes {', '.join(lacking)}"
                    )
            break
        for step in ready:
            waiting.remove(step)
            order.append(step)
            have.update(step.outputs.values())
    return order


def _unlike(where: str, name: str, given: TensorInfo, wanted: TensorInfo) -> list[str]:
    if given.dtype != wanted.dtype:
        return [f"{where}: {name} is {given.dtype}, {wanted.name} wants {wanted.dtype}"]
    fits = len(given.shape) == len(wanted.shape) and all(
        a == b or -1 in (a, b) for a, b in zip(given.shape, wanted.shape, strict=True)
    )
    if not fits:
        return [f"{where}: {name} is {given.shape}, {wanted.name} wants {wanted.shape}"]
    return []


def _check_members(models: Models) -> list[str]:
    """Whether the vote's labels, its inputs, and the two ensembles speak of the same members."""
    problems: list[str] = []
    vote = models[VOTE]
    names = {tensor.name for tensor in vote.outputs}
    if not {"PROBABILITY", "MEMBER_PROBABILITY"} <= names:
        return [f"{VOTE}: outputs are {sorted(names)}, not PROBABILITY and MEMBER_PROBABILITY"]
    members = voting_members(models)
    count = vote.output("MEMBER_PROBABILITY").shape[-1]
    if not members:
        return [f"{VOTE}: MEMBER_PROBABILITY has no label_filename to name the members"]
    if len(members) != count or len(set(members)) != count:
        return [f"{VOTE}: {len(set(members))} member labels for {count} members"]
    wanted = {f"LOGIT_{member}" for member in members}
    if {tensor.name for tensor in vote.inputs} != wanted:
        problems.append(f"{VOTE}: its inputs are not {sorted(wanted)}")
    sequence = models[SEQUENCE_VERDICT]
    dims = feature_dims(models)
    features = {f"FEATURES_{member}" for member in dims}
    taken = {tensor.name for tensor in sequence.inputs}
    if not features <= taken:
        problems.append(
            f"{SEQUENCE_VERDICT}: does not take {', '.join(sorted(features - taken))} "
            f"of {FACE_FEATURES}"
        )
    lengths = {t.shape[1] for t in sequence.inputs if len(t.shape) == 3}
    if len(lengths) != 1 or min(lengths) < 1:
        problems.append(f"{SEQUENCE_VERDICT}: one fixed window length is needed, not {lengths}")
    strangers = set(dims) - set(members)
    if strangers:
        problems.append(f"{FACE_FEATURES}: {', '.join(sorted(strangers))} is no member of {VOTE}")
    return problems + check_rates(models)

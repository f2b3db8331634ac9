"""Inferences whose answers are known, because another engine gave them.

A server can be up, quick, and wrong: another model under the same name, a numeric fault. The
same fixed inputs go through a trusted engine once and through the one under test at each probe.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.base import Engine, EngineError, EngineUnavailable
from stream_server.engine.spec import (
    FACE_FEATURES,
    ModelSpec,
    example_inputs,
    is_length,
)

#: Wide enough for fp16 against fp32 and for int8 stand-ins; another model is far outside.
FEATURE_TOLERANCE = 0.25
PROBABILITY_TOLERANCE = 0.15


class KnownAnswers:
    """Fixed inputs for the two ensembles of a stream, and a trusted engine's answers.

    Args:
        trusted: asked once, when first needed.
    """

    def __init__(self, trusted: Engine) -> None:
        self._trusted = trusted
        self._cases: dict[str, tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]] = {}
        self._lock = asyncio.Lock()

    async def compare(self, engine: Engine) -> None:
        """Run both through ``engine``.

        Raises:
            EngineUnavailable: it failed, or its answers are far from the trusted ones.
        """
        async with self._lock:
            if not self._cases:
                self._cases = await self._ask_trusted()
        for model, (inputs, wanted) in self._cases.items():
            try:
                got = await engine.infer(model, inputs)
            except EngineError as error:
                if error.retryable:
                    raise
                # It refuses what the config allows: it serves something else.
                raise EngineUnavailable(f"probe of {model}: {error}") from error
            for name, array in wanted.items():
                _compare(f"probe of {model}: {name}", array, got.get(name))

    async def _ask_trusted(
        self,
    ) -> dict[str, tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]]:
        cases = {}
        repository = self._trusted.repository
        for model in (FACE_FEATURES, repository.verdict_model):
            inputs = _fixed_inputs(repository.models[model])
            cases[model] = inputs, await self._trusted.infer(model, inputs)
        return cases


def _fixed_inputs(spec: ModelSpec) -> dict[str, NDArray[Any]]:
    inputs = example_inputs(spec)
    for name, array in inputs.items():
        # Seeded by name, so that the inputs of two models are unlike, and always the same.
        random = np.random.default_rng(list(f"{spec.name} {name}".encode()))
        if is_length(name):
            array[:] = 4
        elif array.dtype == np.uint8:
            # Coarse blocks, like a picture: fine noise is an input no model was made for.
            coarse = random.integers(0, 256, (array.shape[0], 7, 7, array.shape[-1]), np.uint8)
            rows = np.arange(array.shape[1]) * 7 // array.shape[1]
            columns = np.arange(array.shape[2]) * 7 // array.shape[2]
            inputs[name] = coarse[:, rows][:, :, columns]
        else:
            inputs[name] = random.uniform(0, 1, array.shape).astype(array.dtype)
    return inputs


def _compare(where: str, wanted: NDArray[Any], got: NDArray[Any] | None) -> None:
    if got is None or got.shape != wanted.shape or not np.isfinite(got).all():
        found = "missing" if got is None else f"{list(got.shape)}, finite or not"
        raise EngineUnavailable(f"{where} should be finite {list(wanted.shape)}, is {found}")
    if where.endswith("PROBABILITY"):
        difference, limit = float(np.abs(got - wanted).max()), PROBABILITY_TOLERANCE
    else:
        size = max(float(np.linalg.norm(wanted)), 1e-6)
        difference, limit = float(np.linalg.norm(got - wanted)) / size, FEATURE_TOLERANCE
    if difference > limit:
        raise EngineUnavailable(f"{where} is {difference:.2g} from the known answer ({limit})")

"""Units of a data set extracted here, by one process or several, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from training.data.extract import Extracted, Unit
from training.data.on_ray import Settings, extract_on_cluster, extractor

Outcome = tuple[str, Extracted | None, dict[str, str]]
"""A unit's name, what came of it (None: given up), and where."""


def extract_units(
    settings: Settings,
    todo: Sequence[Unit],
    workers: int,
    ray: str | None,
    log: Callable[..., None],
) -> Iterator[Outcome]:
    """Each of ``todo`` as it is done, by ``workers`` processes or by the cluster at ``ray``.

    For a cluster the paths in ``settings`` and ``todo`` must be absolute. ``log(event, **values)``
    hears of attempts that went down with their node. Raises ``ClusterError`` where the cluster
    cannot be used.
    """
    if ray is not None:
        yield from extract_on_cluster(ray, settings, list(todo), log)
    elif workers == 1:
        for unit in todo:
            yield _extracted(settings, unit)
    else:
        with ProcessPoolExecutor(workers) as pool:
            for future in as_completed([pool.submit(_extracted, settings, one) for one in todo]):
                yield future.result()


def _extracted(settings: Settings, unit: Unit) -> Outcome:
    return unit.name, extractor(settings).run(unit), {}

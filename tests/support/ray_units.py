"""A driver with made-up units, some of which go wrong: ``python -m tests.support.ray_units``.

Takes the cluster's address and unit names; prints what the books say as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from stream_server.ray_cluster import Lost, connect


def work(given: str, unit: str) -> str:
    if unit.startswith("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    if unit.startswith("wrong"):
        raise ValueError(f"{unit} is wrong")
    return f"{given} {unit}"


def main(address: str, *units: str) -> None:
    books: list[tuple[str, str, int]] = []
    try:
        with connect(address) as cluster:
            for outcome in cluster.run(work, "did", units):
                if isinstance(outcome, Lost):
                    kind = "again" if outcome.again else "given up"
                    books.append((outcome.unit, kind, outcome.attempt))
                else:
                    books.append((outcome.unit, outcome.result, outcome.attempt))
    except ValueError as error:
        books.append(("", str(error), 0))
    print(json.dumps(books))


if __name__ == "__main__":
    main(*sys.argv[1:])

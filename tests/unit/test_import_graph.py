"""Which module may know which: no circles, and each room keeps to its own job."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.imports import Import, imports_of, sources

READERS = "stream_server.ingest"
# They open for reading what they have just written, or copy packets; neither looks at footage.
READ_BACK = {"stream_server.bench.scan", "training.augment.transcode"}
# They put the whole together, so they stand above the rooms that they lie in.
COMPOSING = {"stream_server.server.app", "stream_server.server.serve"}
WEB = ("starlette", "uvicorn", "websockets", "aiortc", "aioice", "python_multipart")


@cache
def modules() -> frozenset[str]:
    return frozenset({**sources("stream_server"), **sources("training")})


@cache
def imports() -> tuple[Import, ...]:
    found: list[Import] = []
    for package in ("stream_server", "training"):
        for module, path in sources(package).items():
            found += imports_of(module, path)
    return tuple(found)


def arrows() -> Iterator[tuple[str, str]]:
    """``(a, b)`` for every module of ours that imports another, whenever that happens."""
    for one in imports():
        name = one.name
        while name and name not in modules():
            name = name.rpartition(".")[0]
        if name and name != one.module:
            yield one.module, name


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def crossing(source: str, target: str) -> list[str]:
    """Every import from inside ``source`` of something inside ``target``."""
    return [
        f"{one.module} imports {one.name}"
        for one in imports()
        if within(one.module, source) and within(one.name, target)
    ]


def circle(edges: Iterator[tuple[str, str]]) -> list[str]:
    """The modules of one circle, in order; empty where there is none."""
    graph: dict[str, set[str]] = {}
    for source, target in edges:
        graph.setdefault(source, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(arrows()) == []


def room(module: str) -> str:
    """The package that a module belongs to; each way in is one, and a module beside them too."""
    if module in COMPOSING:
        return module
    return ".".join(module.split(".")[: 3 if within(module, "stream_server.ingest") else 2])


def test_no_room_imports_itself_by_way_of_others() -> None:
    between = ((room(a), room(b)) for a, b in arrows() if room(a) != room(b))
    assert circle((a, b) for a, b in between if not {a, b} & {"stream_server", "training"}) == []


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("stream_server", "training"),
        ("stream_server", "tests"),
        ("training", "tests"),
        ("stream_server.engine", "stream_server.vision"),
        ("stream_server.report", "stream_server.scan"),
        ("stream_server.ingest", "stream_server.scan"),
        ("stream_server.vision", "stream_server.engine"),
        ("stream_server.ingest.files", "stream_server.server"),
        ("stream_server.scan.faces", "stream_server.server"),
        ("stream_server.stream", "stream_server.server"),
        ("stream_server.stream", "stream_server.session"),
        ("stream_server.stream", "stream_server.live"),
        ("stream_server.stream", "stream_server.ingest.websocket"),
        ("stream_server.stream", "stream_server.ingest.webrtc"),
        *(("stream_server.stream", name) for name in WEB),
        *(("stream_server.engine", name) for name in WEB),
        *(("stream_server.vision", name) for name in WEB),
        *(("stream_server", name) for name in ("torch", "torchvision", "timm", "lightning")),
        *((f"training.{room}", "training.steps") for room in ("data", "augment", "models", "gan")),
        *((f"training.{room}", "training.steps") for room in ("fit", "judge", "export")),
    ],
)
def test_no_arrow(source: str, target: str) -> None:
    assert crossing(source, target) == []


def opens_for_reading(path: Path) -> bool:
    """Whether a module calls ``av.open`` other than to write."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return any(
        ast.unparse(call.func) == "av.open"
        and "'w'" not in [ast.unparse(a) for a in (*call.args, *(k.value for k in call.keywords))]
        for call in calls
    )


def test_media_is_read_in_one_place() -> None:
    everything = {**sources("stream_server"), **sources("training")}
    readers = {module for module, path in everything.items() if opens_for_reading(path)}
    assert {module for module in readers if not within(module, READERS)} == READ_BACK
    assert any(within(module, READERS) for module in readers)


def test_a_circle_is_seen() -> None:
    """The test of the test."""
    assert circle(iter([("a", "b"), ("b", "c")])) == []
    assert circle(iter([("a", "b"), ("b", "c"), ("c", "a")])) != []

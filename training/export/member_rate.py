"""How often a member of a repository looks, written into its encoder's config."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from stream_server.engine.rates import SAMPLE_HZ, length_for, parse_rate, rate_of
from stream_server.engine.repository import read_config

_LINE = re.compile(rf'^parameters {{ key: "{SAMPLE_HZ}" .*\n', re.MULTILINE)
EVERY = "every"


def parse_setting(text: str) -> tuple[str, float | None]:
    """A member and its rate, from ``MEMBER=HZ`` or ``MEMBER=every``. Raises ``ValueError``."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError(f"{text!r} is not MEMBER=HZ or MEMBER={EVERY}")
    return name, None if value == EVERY else parse_rate(value)


def set_rate(repo: Path, name: str, rate: float | None) -> None:
    """Let ``name`` look ``rate`` times a second, or at every sample for None; the ensembles must be
    written after it. ``None`` gives the config that was there before any rate, byte for byte."""
    config = repo / f"{name}_encoder" / "config.pbtxt"
    text = _LINE.sub("", config.read_text(encoding="utf-8"))
    if rate is not None:
        text += f'parameters {{ key: "{SAMPLE_HZ}" value {{ string_value: "{rate:g}" }} }}\n'
    config.write_text(text, encoding="utf-8")


def encoder_rate(repo: Path, name: str) -> float | None:
    """Looks a second of ``name``; None where it looks at every sample or has no encoder.

    Raises ``ValueError`` for one that is no rate.
    """
    config = repo / f"{name}_encoder" / "config.pbtxt"
    return rate_of(read_config(config)) if config.is_file() else None


def check_settings(
    repo: Path,
    rates: Mapping[str, float | None],
    added: Collection[str] = (),
    removed: Collection[str] = (),
) -> None:
    """Whether ``rates`` can be set once ``added`` has come and ``removed`` gone; to be asked before
    anything is changed.

    Raises ``ValueError`` for a member without an encoder, and for one that reads others at
    different rates.
    """
    present = {path.parent.name.removesuffix("_encoder") for path in repo.glob("*_encoder/config*")}
    there = (present - set(removed)) | set(added)
    for name in rates:
        if name not in there:
            raise ValueError(f"{name} has no encoder in {repo}, and {SAMPLE_HZ} belongs to one")
    kept = {name: encoder_rate(repo, name) for name in present - set(added)}
    after = {name: rate for name, rate in (kept | dict(rates)).items() if rate is not None}
    for config in sorted(repo.glob("*_sequence/config.pbtxt")):
        reader = config.parent.name.removesuffix("_sequence")
        read = [t.name for t in read_config(config).inputs if t.name.startswith("FEATURES_")]
        if reader not in removed:
            length_for(reader, read, after)

"""Where the videos and pictures of a data set lie, and what each of them is.

Every layout turns a folder into ``Item`` rows; nothing after this package knows a data set's
folder names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Label = Literal["real", "fake"]
Split = Literal["train", "dev", "test", ""]
VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".mpg")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class Item:
    """One video, part of a video, or picture.

    ``name`` is unique in its data set. ``region`` is left, top, right, bottom in fractions of the
    picture. ``identities`` are the people and source videos that must not be in two splits.
    ``pair`` is shared by a fake and the real video that it was made from, moment for moment.
    ``member`` is the file's name inside ``path`` where that is a tar archive.
    """

    name: str
    path: Path
    kind: Literal["video", "still"]
    label: Label
    dataset: str
    method: str = ""
    split: Split = ""
    identities: tuple[str, ...] = ()
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    pair: str = ""
    member: str = ""


class LayoutError(ValueError):
    """The folder is not laid out as the named data set is."""


def label_of(text: str, where: str) -> Label:
    """``text`` as a label, or ``LayoutError`` naming it and ``where`` it stood."""
    if text.lower() == "real":
        return "real"
    if text.lower() == "fake":
        return "fake"
    raise LayoutError(f"{where}: label is {text!r}, it must be real or fake")


def split_of(text: str, where: str) -> Split:
    """``text`` as a split, or ``LayoutError`` naming it and ``where`` it stood."""
    names: dict[str, Split] = {"train": "train", "dev": "dev", "val": "dev", "test": "test", "": ""}
    if text not in names:
        raise LayoutError(f"{where}: split is {text!r}, it must be train, dev, val or test")
    return names[text]


def videos_in(folder: Path) -> list[Path]:
    """The videos directly in ``folder``; none where it does not exist."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEOS)


_HALVES = {
    "full": (0.0, 0.0, 1.0, 1.0),
    "left": (0.0, 0.0, 0.5, 1.0),
    "right": (0.5, 0.0, 1.0, 1.0),
}


def clips(root: Path) -> Iterator[Item]:
    """Clips or stills, listed by an ``index.csv`` with their label, method, source, half and source
    ids.

    A column ``pair`` may name what a fake and the real clip of the same moments share.
    """
    for number, row in enumerate(_rows(root / "index.csv"), start=2):
        where = f"{root / 'index.csv'} line {number}"
        if row["half"] not in _HALVES:
            raise LayoutError(f"{where}: half is {row['half']!r}, it must be full, left or right")
        stem = Path(row["file"]).stem
        paired = row["half"] != "full"
        identities = tuple(f"{row['source']}:{part}" for part in row["source_ids"].split("+"))
        yield Item(
            name=f"{stem}-{row['half']}" if paired else stem,
            path=root / row["file"],
            kind="still" if Path(row["file"]).suffix.lower() in PICTURES else "video",
            label=label_of(row["label"], where),
            dataset=row["source"],
            method=row["method"],
            split=split_of(row["split"], where),
            identities=identities if row["source_ids"] else (),
            region=_HALVES[row["half"]],
            pair=stem if paired else row.get("pair") or "",
        )


def crops(root: Path) -> Iterator[Item]:
    """Face crops in tar shards, listed by ``train.csv``, ``dev.csv`` and ``reals.csv``."""
    splits: dict[str, Split] = {"train": "train", "dev": "dev", "reals": "train"}
    for listing, split in splits.items():
        table = root / f"{listing}.csv"
        for number, row in enumerate(_rows(table), start=2):
            dataset = "UTKFace" if listing == "reals" else "DFDC"
            source = row.get("source_video") or row["file"]
            label = label_of(row["label"], f"{table} line {number}")
            yield Item(
                name=f"{dataset.lower()}-{Path(row['file']).stem}",
                path=root / row["shard"],
                kind="still",
                label=label,
                dataset=dataset,
                method="DFDC" if label == "fake" else "",
                split=split,
                identities=(f"{dataset}:{source}",),
                member=row["file"],
            )


def stills(root: Path) -> Iterator[Item]:
    """Pictures listed by an ``index.csv`` with their split, label, maker, source and person.

    The maker is the method. People are told apart inside their source. Raises ``LayoutError``
    where the table is missing or a label or split is not known.
    """
    for number, row in enumerate(_rows(root / "index.csv"), start=2):
        where = f"{root / 'index.csv'} line {number}"
        path = Path(row["file"])
        yield Item(
            name="-".join(path.with_suffix("").parts),
            path=root / path,
            kind="still",
            label=label_of(row["label"], where),
            dataset=row["source"],
            method=row["maker"],
            split=split_of(row["split"], where),
            identities=(f"{row['source']}:{row['person']}",) if row["person"] else (),
        )


def folders(root: Path) -> Iterator[Item]:
    """Plain ``real/`` and ``fake/`` folders of videos and pictures, at any depth.

    A folder between ``fake/`` and the file is taken for the method. Files of one name in both
    folders are taken for a fake and its source and kept in one split.
    """
    found = False
    for label in ("real", "fake"):
        for path in sorted((root / label).rglob("*")):
            suffix = path.suffix.lower()
            if suffix not in VIDEOS + PICTURES:
                continue
            found = True
            inside = path.relative_to(root / label)
            method = inside.parts[0] if len(inside.parts) > 1 else root.name
            yield Item(
                name=f"{label}-{'-'.join(inside.with_suffix('').parts)}",
                path=path,
                kind="video" if suffix in VIDEOS else "still",
                label=label_of(label, str(path)),
                dataset=root.name,
                method=method if label == "fake" else "",
                identities=(f"{root.name}:{path.stem}",),
            )
    if not found:
        raise LayoutError(f"{root} has no real/ or fake/ folder with videos or pictures in it")


def _rows(table: Path) -> Iterator[dict[str, str]]:
    if not table.is_file():
        raise LayoutError(f"{table} is missing")
    with table.open(newline="") as handle:
        yield from csv.DictReader(handle)

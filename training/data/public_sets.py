"""The layouts of the published data sets, as their download scripts leave them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from training.data.layouts import (
    Item,
    LayoutError,
    Split,
    clips,
    crops,
    folders,
    label_of,
    split_of,
    stills,
    videos_in,
)

_FFPP = "FaceForensics++"


def faceforensics(root: Path) -> Iterator[Item]:
    """FaceForensics++ (Rössler et al., ICCV 2019): all methods and compressions found.

    The official splits are ``splits/{train,val,test}.json``, lists of pairs of source ids; where
    they lie in ``root`` they are used. Compressions of one video are one identity.
    """
    official = _official_pairs(root)
    found = False
    for kind in ("original_sequences", "manipulated_sequences"):
        for folder in sorted(root.glob(f"{kind}/*/*/videos")):
            method, compression = folder.parts[-3], folder.parts[-2]
            if method in ("DeepFakeDetection", "actors"):
                continue  # the dfd layout
            for path in videos_in(folder):
                found = True
                ids = path.stem.split("_")
                real = kind == "original_sequences"
                yield Item(
                    name=f"ffpp-{method.lower()}-{compression}-{path.stem}",
                    path=path,
                    kind="video",
                    label="real" if real else "fake",
                    dataset=f"{_FFPP} {compression}",
                    method="" if real else method,
                    split=official.get(ids[0], ""),
                    identities=tuple(f"{_FFPP}:{part}" for part in ids),
                )
    if not found:
        raise LayoutError(
            f"{root} holds no original_sequences/*/*/videos or manipulated_sequences/*/*/videos"
        )


def dfd(root: Path) -> Iterator[Item]:
    """Google and Jigsaw's DeepFakeDetection, in FaceForensics++'s folders: actors by number."""
    found = False
    for kind, method in (("original", "actors"), ("manipulated", "DeepFakeDetection")):
        for folder in sorted(root.glob(f"{kind}_sequences/{method}/*/videos")):
            for path in videos_in(folder):
                found = True
                actors = path.stem.split("__")[0].split("_")
                yield Item(
                    name=f"dfd-{folder.parts[-2]}-{path.stem}",
                    path=path,
                    kind="video",
                    label="real" if kind == "original" else "fake",
                    dataset=f"DFD {folder.parts[-2]}",
                    method="" if kind == "original" else "DeepFakeDetection",
                    identities=tuple(f"DFD:{actor}" for actor in actors),
                )
    if not found:
        raise LayoutError(f"{root} holds no DeepFakeDetection videos")


def dfdc(root: Path) -> Iterator[Item]:
    """Facebook's DFDC: folders that each hold a ``metadata.json`` beside their videos."""
    tables = sorted(root.rglob("metadata.json"))
    if not tables:
        raise LayoutError(f"{root} holds no metadata.json")
    for table in tables:
        try:
            facts = json.loads(table.read_text())
        except ValueError as error:
            raise LayoutError(f"{table}: {error}") from error
        for name, row in sorted(facts.items()):
            label = label_of(str(row.get("label", "")), f"{table}, {name}")
            original = row.get("original") or name
            yield Item(
                name=f"dfdc-{Path(name).stem}",
                path=table.parent / name,
                kind="video",
                label=label,
                dataset="DFDC",
                method="DFDC" if label == "fake" else "",
                identities=(f"DFDC:{original}",),
            )


def celebdf(root: Path) -> Iterator[Item]:
    """Celeb-DF v1 and v2 (Li et al., CVPR 2020), with its list of testing videos where there."""
    listing = root / "List_of_testing_videos.txt"
    tests = set()
    if listing.is_file():
        tests = {line.split(maxsplit=1)[1].strip() for line in listing.read_text().splitlines()
                 if " " in line}  # fmt: skip
    found = False
    for folder in ("Celeb-real", "YouTube-real", "Celeb-synthesis"):
        fake = folder == "Celeb-synthesis"
        for path in videos_in(root / folder):
            found = True
            people = re.findall(r"id\d+", path.stem) or [path.stem]
            split: Split = "test" if f"{folder}/{path.name}" in tests else ""
            yield Item(
                name=f"celebdf-{folder.lower()}-{path.stem}",
                path=path,
                kind="video",
                label="fake" if fake else "real",
                dataset="Celeb-DF",
                method="Celeb-DF" if fake else "",
                split=split,
                # Its official test list shares people with the rest, so a split by people and the
                # official one cannot both be had; videos are what the list keeps apart.
                identities=(f"Celeb-DF:{folder}/{path.stem}",)
                if tests
                else tuple(f"Celeb-DF:{person}" for person in people),
            )
    if not found:
        raise LayoutError(f"{root} holds no Celeb-real, YouTube-real or Celeb-synthesis videos")


def _official_pairs(root: Path) -> dict[str, Split]:
    result: dict[str, Split] = {}
    for name in ("train", "val", "test"):
        table = root / "splits" / f"{name}.json"
        if not table.is_file():
            continue
        for pair in json.loads(table.read_text()):
            for source in pair:
                result[str(source)] = split_of(name, str(table))
    return result


LAYOUTS: dict[str, Callable[[Path], Iterator[Item]]] = {
    "celebdf": celebdf,
    "clips": clips,
    "crops": crops,
    "dfd": dfd,
    "dfdc": dfdc,
    "faceforensics": faceforensics,
    "folders": folders,
    "stills": stills,
}

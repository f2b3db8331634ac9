"""C2PA content credentials, read on a line of their own and never part of a probability.

C2PA Technical Specification 2.1; read by the Content Authenticity Initiative's library. Nothing is
fetched from the network: a file must not make this program call somebody.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stream_server.languages import together, worded

_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
_GENERATED = "trainedAlgorithmicMedia"  # IPTC's digital source type for AI-made media
_MIME = {".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif", ".m4v": "video/mp4",
         ".mov": "video/quicktime", ".webp": "image/webp"}  # fmt: skip
_MAGIC = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG", 0, "image/png"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"AVI ", 8, "video/x-msvideo"),
    (b"ftypqt", 4, "video/quicktime"),
    (b"ftyphei", 4, "image/heic"),
    (b"ftypavif", 4, "image/avif"),
    (b"ftyp", 4, "video/mp4"),
)


def read_provenance(path: Path) -> dict[str, Any]:
    """What the content credentials of ``path`` say; never raises.

    ``status`` is ``absent``, ``valid``, ``tampered`` (they do not fit the file), ``unreadable`` or
    ``unknown`` (no library for them here); ``detail`` says it in a sentence.
    """
    try:
        import c2pa
    except Exception:  # a missing package, or a system that its native library does not support
        return _answer(
            "unknown", worded("Content credentials (C2PA) cannot be read on this system.")
        )
    kind = _mime(path)
    if kind is None:
        return _answer("absent", worded("This kind of file carries no content credentials (C2PA)."))
    try:
        with (
            c2pa.Settings.from_dict(_OFFLINE) as settings,
            c2pa.Context(settings) as context,
            path.open("rb") as file,
            c2pa.Reader(kind, file, context=context) as reader,
        ):
            store = json.loads(reader.json())
            state = reader.get_validation_state()
    except Exception as error:  # the library's errors, and whatever a hostile file causes in it
        return _failed(error)
    return _read(store, str(state))


def _read(store: dict[str, Any], state: str) -> dict[str, Any]:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signature = manifest.get("signature_info") or {}
    generators = manifest.get("claim_generator_info") or [{}]
    maker = generators[0].get("name") or manifest.get("claim_generator")
    signer = signature.get("issuer") or signature.get("common_name")
    found = {
        "issuer": signer,
        "signed_at": signature.get("time"),
        "generator": maker,
        "says_generated": _GENERATED in json.dumps(manifest.get("assertions", [])),
    }
    if state not in ("Valid", "Trusted"):
        return _answer(
            "tampered",
            worded(
                "Content credentials (C2PA) are present but do not fit this file: it, or they, were"
                " changed after they were signed."
            ),
            **found,
        )
    parts: list[str] = [
        worded(
            "Content credentials (C2PA) are present and fit this file; signed by {signer}",
            signer=signer,
        )
    ]
    if maker:
        parts.append(worded("made with {maker}", maker=maker))
    if found["says_generated"]:
        parts.append(worded("they say that AI made it or parts of it"))
    told = [together([together(parts, by=", "), "."], by="")]
    if state != "Trusted":
        told.append(worded("Who the signer really is was not checked."))
    return _answer("valid", together(told), **found)


def _failed(error: Exception) -> dict[str, Any]:
    text = f"{type(error).__name__}: {error}"
    if "ManifestNotFound" in text or "NotSupported" in text or "no JUMBF" in text:
        return _answer(
            "absent",
            worded(
                "No content credentials (C2PA); most files have none, so that says nothing either"
                " way."
            ),
        )
    if "RemoteManifest" in text:
        return _answer(
            "unreadable",
            worded(
                "The content credentials (C2PA) lie elsewhere on the internet; they were not"
                " fetched."
            ),
        )
    return _answer(
        "unreadable", worded("Content credentials (C2PA) are present but cannot be read.")
    )


def _answer(status: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"kind": "c2pa", "status": status, "detail": detail, **more}


def _mime(path: Path) -> str | None:
    """By content first: the name may say anything."""
    with path.open("rb") as file:
        start = file.read(16)
    for magic, offset, kind in _MAGIC:
        if start[offset : offset + len(magic)] == magic:
            return kind
    suffix = path.suffix.lower()
    return _MIME.get(suffix) if start[:4] != b"\x1a\x45\xdf\xa3" else None

"""What extension and server must agree on, for the extension's own tests.

    python -m tests.support.agreed        writes the file anew

The server's messages are made by the server's own code; the client's are what a client must send,
byte for byte as this JSON writer has them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, get_args

from stream_server import protocol, said
from stream_server.accuracy import Accuracy
from stream_server.engine.members import SENSES
from stream_server.grounds import Ground
from stream_server.rect import MAX_PARTS
from stream_server.rhythm import Rhythm
from stream_server.settings import Settings
from stream_server.verdict import Verdict
from stream_server.vision.quality import Quality, QualityLimits

AGREED = Path(__file__).parents[1] / "unit" / "extension" / "agreed.json"

HEADER = {
    "frame_id": 7,
    "media_time": 1.25,
    "captured_at": 1700000000000.5,
    "width": 640,
    "height": 360,
}
PARTS_HEADER = {
    **HEADER,
    "width": 640,
    "height": 568,
    "rect": {
        "video": [1920, 1080],
        "parts": [
            {"of": [848, 432, 208, 208], "at": [0, 0, 208, 208]},
            {"of": [0, 0, 1920, 1080], "at": [0, 208, 640, 360]},
        ],
    },
}
PICTURE = bytes(range(256))
SOURCE = {"kind": "tab", "title": "Ein Gespräch", "url": "https://example.org/"}
FACE: dict[str, Any] = {
    "track": 1,
    "box": [0.25, 0.125, 0.5, 0.5],
    "probability": 0.93,
    "verdict": "likely_fake",
    "samples": 20,
    "reasons": [],
    "members": {"grain": 0.9},
    "grounds": [{"member": "grain", "looks_at": "noise", "share": 1.0}],
}
ACCURACY = Accuracy(real=140, real_flagged=6, fake=83, fake_flagged=43, unsure=89)
NO_FACE: dict[str, Any] = {
    **FACE,
    "track": 2,
    "probability": None,
    "verdict": "not_enough_evidence",
    "samples": 0,
    "reasons": ["small_face"],
    "members": {},
    "grounds": [],
}


def from_server() -> dict[str, str]:
    """One message of each type, as the server sends it."""
    header = protocol.parse_frame(protocol.pack_frame(HEADER, PICTURE)).header
    messages = {
        "welcome": protocol.welcome(
            stream="s-1",
            engine="embedded",
            sample_hz=10.0,
            window=20,
            limits={
                "message_bytes": 2097152,
                "pixels": 2088960,
                "fps": 60,
                "faces": 8,
                "parts": MAX_PARTS,
            },
            models=["grain"],
            accuracy=ACCURACY.as_json(),
        ),
        "verdict": protocol.verdict(header, 81.26, [FACE, NO_FACE]),
        "status": protocol.status(
            engine="embedded",
            fallback=True,
            received=12,
            analysed=10,
            dropped=2,
            degraded_to=4.25,
        ),
        "error": protocol.error("bad_frame", "the picture is not a picture", frame_id=7),
        "explain_error": protocol.error("explain_too_often", "a moment", track=1),
        "explanation": protocol.explanation(
            track=1,
            media_time=1.25,
            box=FACE["box"],
            corners=[(0.2, 0.1), (0.8, 0.1), (0.8, 0.7), (0.2, 0.7)],
            heat=[(0.0, 0.25), (0.5, 1.0)],
            members=["grain"],
        ),
    }
    return {name: protocol.encode(message) for name, message in messages.items()}


def from_client() -> dict[str, str]:
    """What a client sends: texts, and the bytes of a frame in base 64."""
    hello = {"type": "hello", "protocol": protocol.VERSION, "token": "t", "source": SOURCE}
    frame = protocol.pack_frame(HEADER, PICTURE)
    parts = protocol.pack_frame(PARTS_HEADER, PICTURE)
    assert protocol.parse_frame(parts).header.rect is not None
    return {
        "hello": _text(hello),
        "explain": _text({"type": "explain", "track": 1}),
        **{kind: _text({"type": kind}) for kind in ("seek", "pause", "resume", "bye")},
        "frame": base64.b64encode(frame).decode(),
        "parts_frame": base64.b64encode(parts).decode(),
    }


def reasons() -> list[str]:
    """Every reason for which a live face cannot be judged."""
    limits = QualityLimits()
    dark = Quality(size=0, sharpness=0, yaw=1, brightness=0, blockiness=100)
    bright = Quality(size=0, sharpness=0, yaw=1, brightness=255, blockiness=100)
    lit = Quality(size=0, sharpness=0, yaw=1, brightness=128, blockiness=100)
    return sorted({code for one in (dark, bright, lit) for code in one.reasons(limits)})


def told() -> list[dict[str, Any]]:
    """What people are told of a face, by its verdict and what that rests on."""
    found = []
    for verdict, probability, *shares in (
        ("gathering", None),
        ("likely_fake", 0.93, ("texture", 0.7), ("movement", 0.3)),
        ("likely_fake", 0.81, ("movement", -0.6), ("generated_head", 0.4)),
        ("likely_fake", 0.9, ("texture", 0.4), ("generated_head", 0.3), ("generated_head", 0.3)),
        ("likely_fake", 0.9, ("the light in the eyes", 1.0)),
        ("likely_fake", 0.8, ("noise", -1.0)),
        ("unsure", 0.5, ("texture", 0.6), ("movement", -0.4)),
        ("unsure", 0.49, ("texture", 0.85), ("movement", -0.15)),
        ("likely_real", 0.04, ("picture", -1.0)),
        ("likely_real", 0.2, ("generated_head", 1.0)),
        ("likely_real", 0.2),
    ):
        grounds = [Ground(f"m{i}", sense, share) for i, (sense, share) in enumerate(shares)]
        found.append(
            {
                "verdict": verdict,
                "probability": probability,
                "grounds": [one.as_json() for one in grounds],
                "words": said.verdict_words(verdict, probability),
                "because": said.because(verdict, grounds),
            }
        )
    return found


def rhythms() -> list[dict[str, Any]]:
    """The frames of two seconds that the server samples, at common rates of video."""
    found = []
    for fps in (15.0, 24.0, 25.0, 29.97, 30.0, 60.0):
        rhythm = Rhythm(10.0)
        due = [frame for frame in range(round(2 * fps)) if rhythm.due(frame / fps)]
        found.append({"fps": fps, "due": due})
    return found


def contents() -> str:
    """The file's text."""
    agreed: dict[str, Any] = {
        "subprotocol": protocol.SUBPROTOCOL,
        "sample_hz": Settings.model_fields["sample_hz"].default,
        "verdicts": list(get_args(Verdict)),
        "reasons": reasons(),
        "senses": list(SENSES),
        "told": told(),
        "close": {code.name.lower(): int(code) for code in protocol.Close},
        "header": HEADER,
        "parts_header": PARTS_HEADER,
        "picture": base64.b64encode(PICTURE).decode(),
        "source": SOURCE,
        "server": from_server(),
        "client": from_client(),
        "rhythms": rhythms(),
    }
    lines = [
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in agreed.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    AGREED.write_text(contents(), encoding="utf-8")

"""The languages that people are spoken to in: which one it is, and the words of each."""

from stream_server.languages.choice import LANGUAGES, accepted, of_environment, speaking, spoken
from stream_server.languages.wording import (
    Worded,
    _,
    _n,
    figure,
    marked,
    tell,
    together,
    worded,
    worded_n,
)

__all__ = [
    "LANGUAGES",
    "Worded",
    "_",
    "_n",
    "accepted",
    "figure",
    "marked",
    "of_environment",
    "speaking",
    "spoken",
    "tell",
    "together",
    "worded",
    "worded_n",
]

"""How a member joins the vote; see ``judge.vote``. Needs no PyTorch."""

from __future__ import annotations

from typing import Literal

Kind = Literal["weight", "either"]

"""What members and their heads keep to, wherever they are trained, judged or served.

Needs no PyTorch.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["weight", "either"]
"""How a member joins the vote; see ``judge.vote``."""

MAX_STEPS = 100
"""T: windows are 1 to 100 samples long, padded and masked by LENGTH."""

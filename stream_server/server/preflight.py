"""Settings that are each fine and cannot work together, or not on this machine."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from stream_server.database import DatabaseAddressError, parsed_address
from stream_server.engine import ModelRepository
from stream_server.settings import Settings, SettingsError


def check_settings(settings: Settings) -> None:
    """What can be seen before anything is loaded. Raises ``SettingsError`` naming the setting."""
    if settings.engine == "triton" and not re.fullmatch(
        r"(\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+):[0-9]{1,5}", settings.triton_url
    ):
        raise _unfit("triton_url", settings.triton_url, "it must be HOST:PORT, without http://")
    low, start, high = (
        settings.webrtc_min_kbit,
        settings.webrtc_start_kbit,
        settings.webrtc_max_kbit,
    )
    if not low <= start <= high:
        raise _unfit(
            "webrtc_start_kbit", start, f"webrtc_min_kbit is {low} and webrtc_max_kbit {high}"
        )
    if settings.min_face > settings.detect_side:
        raise _unfit(
            "min_face",
            settings.min_face,
            f"frames are shrunk to detect_side, {settings.detect_side}",
        )
    if settings.monitor_files and not Path(settings.monitor_files).is_dir():
        raise _unfit("monitor_files", settings.monitor_files, "there is no such folder")
    for name in ("database", "scan_database"):
        if address := getattr(settings, name):
            try:
                parsed_address(address)
            except DatabaseAddressError as error:  # a password may be in the value
                raise _unfit(name, "...", str(error)) from None
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=settings.state_dir):
            pass
    except OSError as error:
        raise _unfit("state_dir", str(settings.state_dir), f"{error.strerror or error}") from None


def check_models(settings: Settings, repository: ModelRepository) -> None:
    """Whether these models can do what is set. Raises ``SettingsError`` naming the setting."""
    if settings.window > repository.sequence_length:
        raise _unfit(
            "window",
            settings.window,
            f"these models look back on {repository.sequence_length} samples at most",
        )


def _unfit(name: str, value: object, why: str) -> SettingsError:
    return SettingsError(f"setting {name} = {value!r}: {why}")

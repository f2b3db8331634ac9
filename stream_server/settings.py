"""All settings of the server in one place.

They come from ``FAKELIGHT_*`` environment variables or a TOML file named by
``FAKELIGHT_CONFIG``; the command line wins over the environment, the environment over the file.
An unknown key is refused, so that a misspelt one never goes unnoticed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableSettings

from stream_server import resources
from stream_server.ingest.files.limits import MAX_PICTURE_PIXELS, MAX_VIDEO_PIXELS

ENV_PREFIX = "FAKELIGHT_"
EngineKind = Literal["embedded", "triton"]
Role = Literal["viewer", "operator"]
ENGINES: tuple[str, ...] = get_args(EngineKind)


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the setting, its value and the limit."""


class NamedToken(BaseModel):
    """A further token. A viewer may open streams and follow its own; an operator may do all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    token: str = Field(min_length=16, max_length=4096, pattern=r"^[!-~]+$")


class Settings(BaseSettings):
    """The server's settings.

    ``workers`` is how many threads decode and track: more than the machine has cores only adds
    waiting. ``detect_every`` (seconds) trades the delay until a new face is seen against the cost
    of searching whole frames. ``min_face`` (pixels of the searched picture, longer side
    ``detect_side``) below 40 finds smaller faces, which are shown but too small to be judged.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    token: str = Field("", description="empty: read from the state directory, made on first start")
    tokens: dict[str, NamedToken] = Field({}, description="further tokens, by name")
    allowed_hosts: str = Field("", description="further Host names, comma separated")
    state_dir: Path = Field(default_factory=resources.default_state_dir)

    engine: EngineKind = "embedded"
    triton_url: str = "127.0.0.1:8001"
    triton_fallback: bool = True
    triton_timeout: float = Field(1.0, gt=0, le=60, description="seconds for one call to Triton")
    models: Path = Field(default_factory=resources.models_dir)
    threads: int = Field(1, ge=1, le=64, description="ONNX Runtime threads for one inference")
    workers: int = Field(default_factory=lambda: max(os.cpu_count() or 1, 2), ge=1, le=64)

    sample_hz: float = Field(10.0, ge=1, le=30)
    verdict_hz: float = Field(4.0, ge=2, le=30)
    window: int = Field(20, ge=8, le=100)
    first_verdict: int = Field(8, ge=1, le=100, description="samples before the first verdict")
    detect_every: float = Field(0.5, ge=0.05, le=5)
    detect_side: int = Field(640, ge=160, le=3840)
    min_face: int = Field(40, ge=12, le=400)

    max_message_bytes: int = Field(4 * 1024 * 1024, ge=64 * 1024, le=64 * 1024 * 1024)
    max_pixels: int = Field(3840 * 2160, ge=320 * 240, le=7680 * 4320)
    max_fps: int = Field(60, ge=5, le=240)
    max_faces: int = Field(16, ge=1, le=64)
    max_streams: int = Field(32, ge=16, le=1024, description="streams per token")
    hello_seconds: float = Field(10.0, gt=0, le=120)
    idle_seconds: float = Field(60.0, gt=0, le=3600)

    scan_max_bytes: int = Field(8 * 1024**3, ge=1024, description="of an upload or a download")
    scan_max_pixels: int = Field(MAX_VIDEO_PIXELS, ge=320 * 240, description="of a video's frame")
    scan_max_picture_pixels: int = Field(MAX_PICTURE_PIXELS, ge=320 * 240)
    scan_samples: int = Field(6000, ge=20, description="budget per file; longer files in stretches")
    scan_database: str = Field("", description="SQLAlchemy's address; empty: in the state folder")
    scan_queue: int = Field(200, ge=1, description="uploads that may wait")
    scan_keep_days: float = Field(7.0, gt=0, description="how long results are kept")

    stun_url: str = Field("", pattern=r"^(stuns?:.+)?$", description="such as stun:host:3478")
    turn_url: str = Field("", pattern=r"^(turns?:.+)?$", description="such as turn:host:3478")
    turn_username: str = ""
    turn_credential: str = ""
    webrtc_addresses: str = Field("", description="offered for media, comma separated; empty: all")
    webrtc_connect_seconds: float = Field(20.0, gt=0, le=120)
    webrtc_start_kbit: int = Field(2500, ge=100, le=20_000)
    webrtc_min_kbit: int = Field(1500, ge=100, le=20_000)
    webrtc_max_kbit: int = Field(4000, ge=100, le=20_000)

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        file = os.environ.get(f"{ENV_PREFIX}CONFIG")
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        if file:
            sources += (TomlConfigSettingsSource(settings_cls, Path(file)),)
        return sources


def load(**overrides: Any) -> Settings:
    """The settings, with ``overrides`` (those that are not ``None``) above everything else.

    Raises ``SettingsError`` for an unknown key, a bad value, or a settings file that is not there.
    """
    file = os.environ.get(f"{ENV_PREFIX}CONFIG")
    if file and not Path(file).is_file():
        raise SettingsError(f"{ENV_PREFIX}CONFIG names {file}, which is not a file")
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields} | {f"{ENV_PREFIX}CONFIG"}
    unknown = sorted(key for key in os.environ if key.startswith(ENV_PREFIX) and key not in known)
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]}; known are {', '.join(sorted(known))}")
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})
    except UnreadableSettings as error:
        raise SettingsError(f"{error}; it must be JSON in the environment") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["loc"][0] == "tokens":
            raise SettingsError(f"setting {name}: {first['msg']}") from None
        raise SettingsError(f"setting {name} = {first['input']!r}: {first['msg']}") from None

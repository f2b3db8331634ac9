"""All settings of the server in one place.

They come from ``FAKELIGHT_*`` environment variables or a TOML file named by
``FAKELIGHT_CONFIG``; the command line wins over the environment, the environment over the file.
An unknown key is refused, so that a misspelt one never goes unnoticed.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableSettings

from stream_server import resources
from stream_server.addresses import AllowedHosts
from stream_server.picture_limits import MAX_PICTURE_PIXELS, MAX_VIDEO_PIXELS

ENV_PREFIX = "FAKELIGHT_"
EngineKind = Literal["embedded", "triton"]
SmtpSecurity = Literal["starttls", "tls", "none"]
Role = Literal["viewer", "operator"]
ENGINES: tuple[str, ...] = get_args(EngineKind)


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the setting, its value and the limit."""


class NamedToken(BaseModel):
    """A further token. A viewer may open streams and follow its own; an operator may do all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    token: str = Field(min_length=16, max_length=4096, pattern=r"^[!-~]+$")


SECRETS = (
    "token",
    "tokens",
    "metrics_token",
    "turn_username",
    "turn_credential",
    "scan_database",
    "database",
    "smtp_user",
    "smtp_password",
)
"""Settings that open something; the address of a database holds its password."""


class Settings(BaseSettings):
    """The server's settings. The descriptions are what ``docs/settings.md`` is made of."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Anything but loopback shows the server to the network.",
    )
    port: int = Field(8765, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    token: str = Field(
        "",
        description="Opens the server to whoever has it. Empty: read from the state folder, where"
        " the first start makes one.",
    )
    tokens: dict[str, NamedToken] = Field(
        {},
        description="Further tokens by name, each with a `role` (`viewer` or `operator`) and a"
        " `token` of at least 16 characters; JSON in the environment.",
    )
    metrics_token: str = Field(
        "",
        pattern=r"^([!-~]{16,4096})?$",
        description="Opens `/metrics` and nothing else, for a scraper; at least 16 characters."
        " Empty: an operator's token does.",
    )
    allowed_hosts: str = Field(
        "",
        description="Host names that are answered beside the server's own, comma separated: for"
        " proxies and probes.",
    )
    root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Path that a proxy serves this server under, such as /fakelight.",
    )
    state_dir: Path = Field(
        default_factory=resources.default_state_dir,
        description="Folder of all that outlives a run: the token, scans, their uploads.",
    )

    engine: EngineKind = Field(
        "embedded", description="Where the networks run: in this process, or in a Triton server."
    )
    triton_url: str = Field("127.0.0.1:8001", description="Triton's gRPC address, `HOST:PORT`.")
    triton_fallback: bool = Field(
        True,
        description="Whether the embedded engine stands in while Triton is down. Without it there"
        " are no verdicts until Triton is back.",
    )
    triton_timeout: float = Field(
        1.0,
        gt=0,
        le=60,
        description="Seconds that one call to Triton may take. Less notices a hung Triton sooner,"
        " and takes a loaded one for a hung one.",
    )
    models: Path = Field(
        default_factory=resources.models_dir, description="The model repository, for both engines."
    )
    threads: int = Field(
        1,
        ge=1,
        le=64,
        description="ONNX Runtime threads for one inference. More helps a single stream on an idle"
        " machine, and slows several down.",
    )
    workers: int = Field(
        default_factory=lambda: max(os.cpu_count() or 1, 2),
        ge=1,
        le=64,
        description="Threads that decode, detect and track. More than the machine has cores only"
        " adds waiting.",
    )

    sample_hz: float = Field(
        10.0,
        ge=1,
        le=30,
        description="Looks at each face per second of the video's own time. The networks were"
        " trained at 10; fewer cost less and make the first verdict later.",
    )
    verdict_hz: float = Field(
        4.0,
        ge=2,
        le=30,
        description="How often a face's window is scored, per second of the video's own time; half"
        " as often by a live viewer's stream while no network has looked at the face anew.",
    )
    window: int = Field(
        20,
        ge=8,
        le=100,
        description="Samples that a verdict looks back on, unless the client asks for another"
        " number. More is steadier, and slower to change.",
    )
    first_verdict: int = Field(
        8,
        ge=1,
        le=100,
        description="Samples before a face's first verdict. Fewer is sooner and less certain.",
    )
    detect_every: float = Field(
        0.5,
        ge=0.05,
        le=5,
        description="Seconds between two searches of the whole frame while no face is followed;"
        " twice that while some are, four times while nothing changes around them. More costs less"
        " and finds a new face later.",
    )
    detect_side: int = Field(
        640,
        ge=160,
        le=3840,
        description="Pixels of the longer side to which a frame is shrunk for the search. More"
        " finds smaller faces and costs more.",
    )
    min_face: int = Field(
        40,
        ge=12,
        le=400,
        description="The smallest face that is searched for, in pixels of the shrunk frame. Less"
        " finds faces that are shown but too small to be judged.",
    )

    max_message_bytes: int = Field(
        4 * 1024 * 1024,
        ge=64 * 1024,
        le=64 * 1024 * 1024,
        description="Bytes of one WebSocket message, after inflation.",
    )
    max_pixels: int = Field(
        3840 * 2160, ge=320 * 240, le=7680 * 4320, description="Pixels of one live frame."
    )
    max_fps: int = Field(
        60,
        ge=5,
        le=240,
        description="Frames per second that a stream may send; further are dropped.",
    )
    max_faces: int = Field(
        16, ge=1, le=64, description="Faces that are followed in one video; the largest are kept."
    )
    max_streams: int = Field(
        32, ge=16, le=1024, description="Streams that may be open with one token."
    )
    max_all_streams: int = Field(
        256,
        ge=16,
        le=4096,
        description="Streams that may be open with all tokens together, of which one token may"
        " have its share (`max_streams`) in any case. All get the same part of the machine: more"
        " let more people watch and look at each of them less often.",
    )
    hello_seconds: float = Field(
        10.0, gt=0, le=120, description="Seconds in which a WebSocket client must have said hello."
    )
    idle_seconds: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Seconds after which a WebRTC source that sends nothing and has not paused is"
        " let go.",
    )

    scan_max_bytes: int = Field(
        8 * 1024**3, ge=1024, description="Bytes of one uploaded or downloaded file."
    )
    scan_max_pixels: int = Field(
        MAX_VIDEO_PIXELS, ge=320 * 240, description="Pixels of one frame of a scanned video."
    )
    scan_max_picture_pixels: int = Field(
        MAX_PICTURE_PIXELS, ge=320 * 240, description="Pixels of one scanned picture."
    )
    scan_samples: int = Field(
        6000,
        ge=20,
        le=10_000_000,
        description="Samples taken of one file. A longer file is looked at in stretches that lie"
        " evenly over it; more leaves less out and takes longer.",
    )
    scan_database: str = Field(
        "",
        description="Where the jobs of the scan page are kept, as SQLAlchemy writes an address."
        " Empty: with the rest (`database`), if that is set, or SQLite in the state folder.",
    )
    scan_queue: int = Field(200, ge=1, description="Uploads that may wait for their turn.")
    scan_keep_days: float = Field(7.0, gt=0, description="Days for which results are kept.")

    monitor_hosts: str = Field(
        "",
        description="Host names, addresses and networks (`10.0.0.0/8`) that a monitor's source or a"
        " webhook may have though they are not public, comma separated.",
    )
    database: str = Field(
        "",
        description="Where pairings, monitors, incidents and webhooks are kept, as SQLAlchemy"
        " writes an address: `postgresql://USER:PASSWORD@HOST/NAME` or `sqlite:////FOLDER/FILE`."
        " Empty: SQLite in the state folder.",
    )
    max_monitors: int = Field(32, ge=1, le=1024, description="Live streams that may be monitored.")
    ray: str = Field(
        "",
        description="Ray cluster whose nodes watch the monitors: `HOST:PORT`, `ray://HOST:PORT` or"
        " `auto`. `FAKELIGHT_DATABASE` is then a PostgreSQL, and in each node's environment too."
        " Empty: this process watches them.",
    )
    monitor_cores: float = Field(
        0.5,
        gt=0,
        le=64,
        description="Cores that one monitor takes on a cluster; a node watches no more than it has"
        " cores for.",
    )
    incident_quiet: float = Field(
        2.0,
        ge=0.5,
        le=60,
        description="Seconds in which a face is judged and not suspicious that close its"
        " incident. More makes fewer and longer incidents.",
    )
    incident_gap: float = Field(
        45.0,
        ge=1,
        le=600,
        description="Seconds for which a source may be away, or the server, without an incident"
        " being closed.",
    )
    incident_days: float = Field(90.0, gt=0, description="Days for which incidents are kept.")
    incident_bytes: int = Field(
        2 * 1024**3,
        ge=0,
        description="Bytes of stills and clips of all incidents; over it the oldest go.",
    )
    max_mistakes: int = Field(
        2000,
        ge=1,
        le=100_000,
        description="Verdicts that people may put on the list of mistakes, each with a picture of"
        " up to 512 KiB. They stay until somebody deletes them.",
    )
    monitor_files: str = Field(
        "",
        description="Folder whose videos a monitor may play over and over, by `file:` addresses."
        " Empty: none.",
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#@]+[^\s?#@]*)?$",
        description="Address that people reach the server at, for links in alerts, such as"
        " `https://fakelight.example.org`. Empty: made of host and port.",
    )
    smtp_host: str = Field(
        "", description="Mail server that takes alerts by e-mail. Empty: none are sent."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: SmtpSecurity = Field(
        "starttls",
        description="Encryption of what is sent to it: from the first byte (`tls`, port 465), after"
        " a greeting in the clear (`starttls`, port 587), or `none`.",
    )
    smtp_user: str = Field("", description="User name at the mail server. Empty: no one logs in.")
    smtp_password: str = Field("", description="Password at the mail server.")
    smtp_sender: str = Field(
        "",
        validate_default=True,
        description="Address that alerts come from. Empty: the user name, which is one then.",
    )

    stun_url: str = Field(
        "",
        pattern=r"^(stuns?:.+)?$",
        description="STUN server, such as `stun:host:3478`. Empty: none is asked.",
    )
    turn_url: str = Field(
        "",
        pattern=r"^(turns?:.+)?$",
        description="TURN server, such as `turn:host:3478` or `turns:host:5349`. Empty: none.",
    )
    turn_username: str = Field("", description="User name for the TURN server.")
    turn_credential: str = Field("", description="Password for the TURN server; clients get it.")
    webrtc_addresses: str = Field(
        "",
        description="Addresses of this machine that are offered for media, comma separated. Empty:"
        " all but 127.0.0.1.",
    )
    webrtc_connect_seconds: float = Field(
        20.0, gt=0, le=120, description="Seconds in which a WebRTC source must have connected."
    )
    webrtc_start_kbit: int = Field(
        2500,
        ge=100,
        le=20_000,
        description="Bit rate that a browser is asked to start with, kbit/s. Low rates wipe out"
        " the traces that the networks look for.",
    )
    webrtc_min_kbit: int = Field(
        1500, ge=100, le=20_000, description="The least bit rate that it is asked for, kbit/s."
    )
    webrtc_max_kbit: int = Field(
        4000, ge=100, le=20_000, description="The most that it is asked for, kbit/s."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much the server writes to its log."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How: as text for people, or each line an object of JSON."
    )
    traces_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#@]+[^\s?#@]*)?$",
        description="OpenTelemetry collector that traces go to, by OTLP over HTTP, such as"
        " `http://127.0.0.1:4318`. Empty: there are none. It needs the extra `traces`.",
    )
    traces_share: float = Field(
        0.01, gt=0, le=1, description="Share of the frames that are traced."
    )

    def without_secrets(self) -> Settings:
        """For the nodes of a cluster: they need none, and all on it can read what is sent."""
        return self.model_copy(update={name: type(getattr(self, name))() for name in SECRETS})

    @field_validator("monitor_hosts")
    @classmethod
    def _monitor_hosts(cls, value: str) -> str:
        AllowedHosts.parse(value)
        return value

    @field_validator("smtp_sender")
    @classmethod
    def _smtp_sender(cls, value: str, info: ValidationInfo) -> str:
        sender = value or info.data.get("smtp_user", "")
        if info.data.get("smtp_host") and not re.fullmatch(r"[!-~]+@[!-;=?-~]+", sender):
            raise ValueError("with smtp_host it must be an e-mail address, or smtp_user one")
        return value

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
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} is not TOML in UTF-8: {error}") from None
    except UnreadableSettings as error:
        raise SettingsError(f"{error}; it must be JSON in the environment") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["loc"][0] in ("tokens", "metrics_token"):
            raise SettingsError(f"setting {name}: {first['msg']}") from None
        raise SettingsError(f"setting {name} = {first['input']!r}: {first['msg']}") from None

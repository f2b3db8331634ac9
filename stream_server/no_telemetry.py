"""What the dependencies would tell their makers, forbidden before any of them is imported.

Importing ``stream_server`` or ``training`` does it, and so every command, worker process and node
of a Ray cluster. Who wants such reports sets the variable; what is set already is left alone.
"""

from __future__ import annotations

import os

FORBIDDING = {
    # From 1.31 on it keeps a device id and a database of events in the home folder and sends
    # them, from the first session on. Its own disable_telemetry_events() comes too late.
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",  # a report on the cluster, every hour
    "HF_HUB_DISABLE_TELEMETRY": "1",  # what is installed here, with each download of weights
    # Plugins of whatever else is installed, such as Logfire's, which tells what is validated; and
    # looking for them in 200 packages takes a command 30 ms.
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
    "WANDB_ERROR_REPORTING": "false",  # its own crashes; asked for are the run's figures alone
}


def forbid() -> None:
    """Set those of ``FORBIDDING`` that the environment does not set, for child processes too."""
    for name, value in FORBIDDING.items():
        os.environ.setdefault(name, value)

"""``paired.json``: where pairings were kept before they moved into the database.

Servers of before read it, so going back to one writes it again.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from stream_server.atomic import write_text
from stream_server.server.pairing.store import PairingStore

_NAME = "paired.json"
_log = logging.getLogger(__name__)


def take_in(folder: Path, store: PairingStore) -> None:
    """Move what the file has into ``store``. The file goes: a browser that is unpaired from now on
    would come back with it. Raises ``OSError``, ``sqlalchemy.exc.SQLAlchemyError``."""
    path = folder / _NAME
    try:
        former = json.loads(path.read_text(encoding="utf-8"))
        tokens = {str(token): str(origin) for token, origin in former.items()}
    except FileNotFoundError:
        return
    except (ValueError, AttributeError) as error:
        _log.warning("cannot read %s (%s): pair again", path, error)
        path.replace(path.with_suffix(".unreadable"))
        return
    store.adopt(tokens, path.stat().st_mtime)
    path.unlink()
    _log.info("%d pairings of %s are in the database now", len(tokens), path)


def write_out(folder: Path, store: PairingStore) -> Path:
    """Write all pairings into the file, which is returned. Raises as ``take_in`` does."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / _NAME
    write_text(path, json.dumps({one.token: one.origin for one in store.all()}), 0o600)
    return path

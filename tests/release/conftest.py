from __future__ import annotations

import pytest

from tests.support.paths import ROOT
from tests.support.pythons import Archives, build


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """The wheel and the source archive of this checkout."""
    return build(ROOT, tmp_path_factory.mktemp("archives"))

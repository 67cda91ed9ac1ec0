from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stage import Stage


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    """Real processes on the test database: sandbox at once, web and workers when asked for."""
    made = Stage(tmp_path)
    yield made
    made.stop()

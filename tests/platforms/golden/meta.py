"""Answers of Meta as files, and how they are given."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from socialhub.platforms.meta_insights import midnight

DATA = Path(__file__).parents[2] / "data" / "meta"


def answer(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


def day(year: int, month: int, number: int) -> datetime:
    return midnight(date(year, month, number))

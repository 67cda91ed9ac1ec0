"""Moments in the words of the pages."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format


def clock(moment: datetime, zone: str) -> str:
    """The time of day, with the day when it is not today."""
    local = timezone.localtime(moment, ZoneInfo(zone))
    is_today = local.date() == timezone.localtime(timezone=ZoneInfo(zone)).date()
    return date_format(local, "H:i" if is_today else "D j M, H:i")

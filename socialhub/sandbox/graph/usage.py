"""Usage: percentages that grow with the calls of an hour (app) or a day (account), and the headers that tell."""

from __future__ import annotations

import json

from .. import settings
from .call import Call

HOUR, DAY = 3600.0, 86_400.0
APP_ALLOWANCE = 20_000
ACCOUNT_ALLOWANCE = 4_800  # times the engaged users of the account


def used_percent(call: Call, key: str, allowance: int, window: float) -> int:
    """Count one call and answer how much of the allowance is used."""
    usage = call.state.usage
    began, count = usage.get(key, (call.now, 0))
    if call.now - began >= window:
        began, count = call.now, 0
    usage[key] = (began, count + 1)
    return (count + 1) * 100 // allowance


def headers(call: Call, percent: int, regain_minutes: int = 0) -> dict[str, str]:
    figures = {"call_count": percent, "total_cputime": percent * 3 // 5, "total_time": percent * 2 // 3}
    if not call.account_id:
        return {"X-App-Usage": json.dumps(figures)}
    entry = {"type": call.account_kind, **figures, "estimated_time_to_regain_access": regain_minutes}
    return {"X-Business-Use-Case-Usage": json.dumps({call.account_id: [entry]})}


def count(call: Call) -> int:
    """Per cent used, this call included."""
    if not call.account_id:
        return used_percent(call, settings.META_APP_ID, APP_ALLOWANCE, HOUR)
    table = call.state.pages if call.account_kind == "pages" else call.state.instagrams
    account = table.get(call.account_id)
    engaged = account.engaged_users if account else 1
    return used_percent(call, call.account_id, ACCOUNT_ALLOWANCE * engaged, DAY)

"""The last barrier before a log line leaves the process: whatever was logged, by whomever, tokens are cut out.

LOG_FORMAT chooses between lines for people and JSON for machines. Both say what a line is about (`socialhub.about`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from socialhub.about import ids
from socialhub.redaction import redact

# What would move the cursor, or end the line for some reader: only our own line ends are left.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
FIELDS = ("levelname", "name", "message")
NAMES = {"levelname": "level", "name": "logger", "exc_info": "error", "stack_info": "stack"}


def without_readiness() -> Callable[[logging.LogRecord], bool]:
    """Django logs every 503 as an error. That of /readyz is its answer, and it has said so itself (`socialhub.health`)."""

    def is_wanted(record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path", "")
        return not (path == "/readyz" and getattr(record, "status_code", None) == 503)

    return is_wanted


def readable(text: str) -> str:
    """Without tokens, and so that no part of it can pass for a line of its own: further lines are indented."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], redact(text)).replace("\n", "\n    ")


def clean(value: Any) -> Any:
    """The value with every text in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(str(name)): clean(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(entry) for entry in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))


class RedactingFormatter(logging.Formatter):
    """Formats, tracebacks included, and then takes out what looks like a token, a secret or a signed address."""

    def format(self, record: logging.LogRecord) -> str:
        return readable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        words = super().formatMessage(record)
        known = " ".join(f"{name}={value}" for name, value in ids().items())
        return f"{words} [{known}]" if known else words


class RedactingJsonFormatter(JsonFormatter):
    """One object per line: time, level, logger, message, ids, what was given as `extra`, and the traceback as "error"."""

    def __init__(self) -> None:
        super().__init__(fmt=FIELDS, rename_fields=NAMES)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        super().add_fields(log_data, record, message_dict)
        # Django hands over the request itself under the name that belongs to its number.
        log_data.pop("request", None)
        log_data.update(ids())

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: clean(value) for name, value in log_data.items()}

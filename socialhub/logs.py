"""The last barrier before a log line leaves the process: whatever was logged, by whomever, tokens are cut out."""

from __future__ import annotations

import logging

from socialhub.platforms.http import redact


class RedactingFormatter(logging.Formatter):
    """Formats, tracebacks included, and then takes out what looks like a token, a secret or a signed address."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))

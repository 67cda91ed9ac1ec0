"""Errors to Sentry, where SENTRY_DSN is set: what is an error in the log, once more where somebody is told of it.

Taken from the log alone. Nothing is hooked into requests, statements or calls, so that no body, cookie, header, query or
local variable can get there; what is left is redacted as the log is.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import sentry_sdk
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
from sentry_sdk.transport import Transport
from sentry_sdk.utils import BadDsn

from socialhub.about import ids
from socialhub.logs import clean

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def start(transport: type[Transport] | None = None) -> None:
    """Raises ImproperlyConfigured where the address is none."""
    ignore_logger("django.security.DisallowedHost")  # scanners of the internet, all day
    try:
        sentry_sdk.init(
            dsn=settings.SENTRY_DSN,
            release=settings.RELEASE,
            environment=settings.SENTRY_ENVIRONMENT,
            transport=transport,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                LoggingIntegration(level=None, event_level=logging.ERROR),
                AtexitIntegration(callback=lambda _pending, _timeout: None),  # which would print that it waits
                DedupeIntegration(),
                ExcepthookIntegration(),
            ],
            before_send=scrub,
            max_breadcrumbs=0,
            data_collection={
                "user_info": False,
                "http_bodies": [],
                "database_query_data": False,
                "queues": False,
                "stack_frame_variables": False,
            },
            auto_session_tracking=False,
            trace_propagation_targets=[],
            propagate_traces=False,
            send_client_reports=False,
        )
    except BadDsn as error:
        raise ImproperlyConfigured(f"SENTRY_DSN is no address of a Sentry project: {error}.") from error


def scrub(event: Any, _hint: Any) -> Any:
    """Before it leaves: without extras and without what looks like a secret or an address of a person."""
    for part in ("extra", "request", "user", "breadcrumbs", "modules"):
        event.pop(part, None)
    scrubbed = without_addresses(clean(event))
    scrubbed["tags"] = {**(scrubbed.get("tags") or {}), **ids()}
    return scrubbed


def without_addresses(value: Any) -> Any:
    if isinstance(value, str):
        return ADDRESS.sub("[…@…]", value)
    if isinstance(value, dict):
        return {name: without_addresses(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [without_addresses(entry) for entry in value]
    return value

"""Celery's application. The scheduler lives in beat.py: it needs models, and this is imported before they are."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
# `migrate` runs Django's checks at each deployment. In a worker or beat they would load every page: 20 MB and a second.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("socialhub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """A receiver is enough: Celery then leaves LOGGING of the settings alone, whose formatter removes secrets."""

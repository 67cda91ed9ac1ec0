"""The project as beat knows it, see settings_beat: its tables, and where errors are told."""

from django.apps import AppConfig
from django.conf import settings


class BeatConfig(AppConfig):
    name = "socialhub"

    def ready(self) -> None:
        if settings.SENTRY_DSN:
            from socialhub.sentry import start  # noqa: PLC0415  some megabytes for those who use it

            start()

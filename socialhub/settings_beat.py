"""Settings of beat. It reads the schedule and sends messages to workers: with these apps alone it takes 40 MB less."""

from socialhub.settings import *  # noqa: F403

INSTALLED_APPS = ["django_celery_beat", "socialhub.beat_config.BeatConfig"]

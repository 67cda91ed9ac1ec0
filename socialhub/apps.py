from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProjectConfig(AppConfig):
    """The project itself as an app: it owns the beat lease, the schedule, template tags and commands."""

    name = "socialhub"
    verbose_name = "Operation"

    def ready(self) -> None:
        from socialhub.schedule import sync  # noqa: PLC0415  models are there only now

        post_migrate.connect(sync, sender=self, dispatch_uid="socialhub.schedule")

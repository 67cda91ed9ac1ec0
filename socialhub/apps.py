from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The project itself as an app: it owns the beat lease, the schedule, template tags and commands."""

    name = "socialhub"
    verbose_name = "Operation"

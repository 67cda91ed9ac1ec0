from collections.abc import Iterable

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models import Model
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy, pgettext_lazy

OURS = ("accounts", "publishing", "analytics", "socialhub")
# Apps of others, as the administration calls them: one has the name of ours, two know no language but English.
OTHERS = {
    "account": gettext_lazy("Sign-in"),
    "mfa": gettext_lazy("Second factors"),
    "usersessions": gettext_lazy("Signed-in browsers"),
}


class ProjectConfig(AppConfig):
    """The project itself as an app: it owns the beat lease, the schedule, template tags and commands."""

    name = "socialhub"
    verbose_name = pgettext_lazy("part of the administration", "Operation")

    def ready(self) -> None:
        name_in_words(named_models())
        for label, name in OTHERS.items():
            apps.get_app_config(label).verbose_name = name
        from socialhub.schedule import sync  # noqa: PLC0415  models are there only now

        post_migrate.connect(sync, sender=self, dispatch_uid="socialhub.schedule")
        if settings.SENTRY_DSN:
            from socialhub.sentry import start  # noqa: PLC0415  some megabytes for those who use it

            start()


def named_models() -> list[type[Model]]:
    return [model for label in (*OURS, *OTHERS) for model in apps.get_app_config(label).get_models()]


def name_in_words(models: Iterable[type[Model]]) -> None:
    """Let the administration name models and fields in the reader's language where Django makes the name from the code.

    Only what is shown changes: migrations look at what the code says itself.
    """
    for model in models:
        options = model._meta
        plural = options.original_attrs.get("verbose_name_plural", f"{options.verbose_name}s")
        if isinstance(options.verbose_name, str):
            options.verbose_name = gettext_lazy(options.verbose_name)
            if isinstance(plural, str):
                options.verbose_name_plural = gettext_lazy(plural)
        for field in (*options.local_fields, *options.local_many_to_many):
            if isinstance(field.verbose_name, str):
                field.verbose_name = gettext_lazy(field.verbose_name)

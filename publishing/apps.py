from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class PublishingConfig(AppConfig):
    name = "publishing"
    verbose_name = pgettext_lazy("part of the administration", "Publishing")

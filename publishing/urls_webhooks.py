"""Addresses of the webhooks."""

from django.urls import URLPattern, path

from publishing.views import webhooks

urlpatterns: list[URLPattern] = [
    path("settings/webhooks/", webhooks.webhooks, name="webhooks"),
    path("settings/webhooks/<uuid:endpoint_id>/", webhooks.webhook, name="webhook"),
    path("settings/webhooks/<uuid:endpoint_id>/secret/", webhooks.webhook_roll, name="webhook_roll"),
    path("settings/webhooks/<uuid:endpoint_id>/test/", webhooks.webhook_test, name="webhook_test"),
    path("settings/webhooks/<uuid:endpoint_id>/pause/", webhooks.webhook_pause, name="webhook_pause"),
    path("settings/webhooks/<uuid:endpoint_id>/resume/", webhooks.webhook_resume, name="webhook_resume"),
    path("settings/webhooks/<uuid:endpoint_id>/delete/", webhooks.webhook_delete, name="webhook_delete"),
    path("settings/webhooks/deliveries/<uuid:delivery_id>/", webhooks.webhook_delivery, name="webhook_delivery"),
    path("settings/webhooks/deliveries/<uuid:delivery_id>/replay/", webhooks.webhook_replay, name="webhook_replay"),
]

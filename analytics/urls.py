"""Addresses of the figures: the dashboard, later the analytics pages."""

from django.urls import path

from analytics.views import dashboard, sync

app_name = "analytics"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("analytics/accounts/<uuid:account_id>/sync/", sync.account_sync, name="account_sync"),
]

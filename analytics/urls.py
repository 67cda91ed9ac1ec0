"""Addresses of the figures: the dashboard, later the analytics pages."""

from django.urls import path

from analytics.views import dashboard

app_name = "analytics"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
]

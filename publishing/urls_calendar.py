"""Addresses of the calendar."""

from django.urls import URLPattern, path

from publishing.views import calendar

urlpatterns: list[URLPattern] = [
    path("calendar/", calendar.calendar, name="calendar"),
    path("posts/<uuid:post_id>/reschedule/", calendar.post_reschedule, name="post_reschedule"),
]

"""Only the way back: a handshake starts at `accounts:connect`, by POST, and nowhere else."""

from django.urls import path

from accounts.meta.views import callback

urlpatterns = [path("meta/login/callback/", callback, name="meta_callback")]

"""Only the way back: a handshake starts at `accounts:connect`, by POST, and nowhere else."""

from django.urls import path

from accounts.meta.provider import MetaAdapter
from accounts.oauth import callback_view

urlpatterns = [path("meta/login/callback/", callback_view(MetaAdapter), name="meta_callback")]

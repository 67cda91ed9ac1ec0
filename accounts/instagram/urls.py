"""Only the way back: a handshake starts at `accounts:connect`, by POST, and nowhere else."""

from django.urls import path

from accounts.instagram.provider import InstagramAdapter
from accounts.oauth import callback_view

urlpatterns = [path("instagram/login/callback/", callback_view(InstagramAdapter), name="instagram_callback")]

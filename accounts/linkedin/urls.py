"""Only the way back: a handshake starts at `accounts:connect`, by POST, and nowhere else."""

from django.urls import path

from accounts.linkedin.provider import LinkedInAdapter
from accounts.oauth import callback_view

urlpatterns = [path("linkedin/login/callback/", callback_view(LinkedInAdapter), name="linkedin_callback")]

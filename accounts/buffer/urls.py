"""Only the way back: a handshake starts at `accounts:connect`, by POST, and nowhere else."""

from django.urls import path

from accounts.buffer.provider import BufferAdapter
from accounts.oauth import callback_view

urlpatterns = [path("buffer/login/callback/", callback_view(BufferAdapter), name="buffer_callback")]

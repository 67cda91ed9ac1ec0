"""The operators' view of posts and of the engine. Everything that the program writes is read-only here."""

from publishing.admin import accounts, engine, intake, library, limits, posts, webhooks

__all__ = ["accounts", "engine", "intake", "library", "limits", "posts", "webhooks"]

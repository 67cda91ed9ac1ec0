"""What somebody was writing when they last stopped typing."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import User, Workspace
from publishing.models.posts import Post


class Autosave(models.Model):
    """The composer's form as it was typed, valid or not, until the post is saved or the person throws it away.

    It is no post: a scheduled one that is being edited goes out as it was saved, whatever stands here.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="autosaves")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, blank=True, related_name="+")  # None: a new one
    key = models.UUIDField()  # of the filled-in form, as Post.submission_key
    typed = models.JSONField()  # {"caption": ["…"], "accounts": ["…", "…"]}: names to lists, as a browser sends them
    media_ids = ArrayField(models.UUIDField(), default=list, blank=True)  # must not be taken for orphans meanwhile
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="autosave_once_per_form"),
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "user", "-updated_at"], name="autosave_newest")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"

"""The composer's form between the browser and what is kept of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import User, Workspace
from publishing.autosave import Typed
from publishing.forms.composer import ComposerForm
from publishing.models import Autosave, Post

WORDS = ("caption", "hashtags", "link", "first_comment", "campaign")


class AutosaveForm(forms.Form):
    """Which filled-in form it is. What stands in it may be wrong or unfinished: it is kept as it was typed."""

    key = forms.UUIDField()

    def __init__(self, data: QueryDict, *, workspace: Workspace, user: User, post: Post | None = None) -> None:
        super().__init__(data)
        self.composer = ComposerForm(data, workspace=workspace, user=user, post=post)

    def typed(self) -> Typed:
        """The values of the composer's own fields; what is empty by nature is left out."""
        data: Any = self.data
        typed = {
            name: [value.replace("\x00", "") for value in data.getlist(name)]
            for name, field in self.composer.fields.items()
            if name in data and (data.get(name) or self.composer.get_initial_for_field(field, name))
        }
        lists = {"media": [picture.pk for picture in self.composer.pictures], "shown": self.composer.wanted_ids}
        return {**typed, **{name: [str(key) for key in keys] for name, keys in lists.items()}}

    def is_empty(self) -> bool:
        """Nothing that anybody would miss."""
        own_words = [name for name in self.data if name.startswith("caption-")]
        return not self.composer.pictures and not any(
            str(self.data.get(name) or "").strip() for name in (*WORDS, *own_words)
        )


def as_typed(kept: Autosave, *, workspace: Workspace, user: User) -> dict[str, Any]:
    """The values from which a composer goes on."""
    data = QueryDict(mutable=True)
    for name, values in kept.typed.items():
        data.setlist(name, values)
    form = ComposerForm(data, workspace=workspace, user=user, post=kept.post)
    return {**form.typed(), "key": kept.key}


def title_of(kept: Autosave) -> str:
    """The first line with words in it."""
    lines = "".join(kept.typed.get("caption", ())).splitlines()
    return next((line.strip() for line in lines if line.strip()), "")

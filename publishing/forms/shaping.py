"""What the buttons of the composer name that only change what is on its form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import Workspace
from publishing.models import CaptionTemplate, HashtagGroup, MediaFile


class ShapingForm(forms.Form):
    template = forms.ModelChoiceField(queryset=CaptionTemplate.objects.none(), required=False)
    group = forms.ModelChoiceField(queryset=HashtagGroup.objects.none(), required=False)
    add = forms.ModelMultipleChoiceField(queryset=MediaFile.objects.none(), required=False)

    def __init__(self, data: QueryDict | None, *, workspace: Workspace) -> None:
        super().__init__(data)
        models = {"template": CaptionTemplate, "group": HashtagGroup, "add": MediaFile}
        for name, model in models.items():
            field: Any = self.fields[name]
            field.queryset = model._default_manager.filter(workspace=workspace)

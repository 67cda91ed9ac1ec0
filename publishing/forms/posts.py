"""The filters of the list of posts, as they stand in its address."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount, Workspace
from publishing.models import Post, Publication
from socialhub.platforms import LABELS, PLATFORMS


class CursorField(forms.CharField):
    """The last row of the page before, as `created_at` and id."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        moment, _separator, pk = text.rpartition("_")
        try:
            return datetime.fromisoformat(moment), UUID(pk)
        except ValueError as error:
            raise ValidationError(_("This page of the list is not there. Start again from the top.")) from error

    def run_validators(self, value: Any) -> None:
        """Parsed already."""

    def validate(self, value: Any) -> None:
        if value and value[0].tzinfo is None:
            raise ValidationError(_("This page of the list is not there. Start again from the top."))


class PostFilterForm(forms.Form):
    q = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": gettext_lazy("Search captions")}),
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Status"), required=False, choices=[("", gettext_lazy("Any")), *Post.Summary.choices]
    )
    platform = forms.ChoiceField(label=gettext_lazy("Network"), required=False)
    account = forms.ModelChoiceField(
        label=gettext_lazy("Account"),
        required=False,
        queryset=ConnectedAccount.objects.none(),
        empty_label=gettext_lazy("Any"),
        error_messages={"invalid_choice": gettext_lazy("This account is not connected here. Choose one of the list.")},
    )
    campaign = forms.CharField(label=gettext_lazy("Campaign"), required=False, max_length=100)
    after = CursorField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, *, workspace: Workspace) -> None:
        super().__init__(data, auto_id="filter_%s")
        account: Any = self.fields["account"]
        account.queryset = ConnectedAccount.objects.of(workspace)
        account.label_from_instance = lambda row: f"{LABELS[row.platform]} {row.handle}"
        platform: Any = self.fields["platform"]
        platform.choices = [("", gettext_lazy("Any")), *((key, LABELS[key]) for key in PLATFORMS)]

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields if name != "after")

    def filtered(self, posts: QuerySet[Post]) -> QuerySet[Post]:
        wanted = self.cleaned_data
        if wanted["q"]:
            posts = posts.filter(caption__icontains=wanted["q"])
        if wanted["status"]:
            posts = posts.filter(status=wanted["status"])
        if wanted["campaign"]:
            posts = posts.filter(campaign__iexact=wanted["campaign"])
        publications = Publication.objects.filter(post=OuterRef("pk"))
        if wanted["platform"]:
            posts = posts.filter(Exists(publications.filter(account__platform=wanted["platform"])))
        if wanted["account"]:
            posts = posts.filter(Exists(publications.filter(account=wanted["account"])))
        if wanted["after"]:
            moment, pk = wanted["after"]
            posts = posts.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=pk))
        return posts

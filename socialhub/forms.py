"""How all forms are drawn: with the templates of this project, and the focus on the first thing to mend."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BaseForm, Widget
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting


class MendableField(BoundField):
    """The first invalid field of a form gets the focus when the page comes back, with and without scripts."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> dict[str, Any]:
        attrs = super().build_widget_attrs(attrs, widget)
        if self.form.is_bound and self.name == first_invalid(self.form):
            attrs["autofocus"] = True
        return attrs


def first_invalid(form: BaseForm) -> str | None:
    """The first field with an error; none where something is wrong with the form as a whole, which is said above it."""
    if NON_FIELD_ERRORS in form.errors:
        return None
    return next(iter(form.errors), None)


class Renderer(TemplatesSetting):
    """templates/django/forms/ replaces Django's own."""

    bound_field_class = MendableField

"""What belongs to the frame around every page: light or dark, and the application that a phone can install."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from socialhub.http import HttpRequest
from socialhub.templatetags.ui import PAPER, THEME_COOKIE, THEMES

A_YEAR = 365 * 24 * 3600
ICONS = (("192", "any"), ("512", "any"), ("192", "maskable"), ("512", "maskable"))


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=[("system", "system"), *((theme, theme) for theme in THEMES)])
    next = forms.CharField(required=False)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the system has it: kept in this browser, so that the server draws the page that way at once."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return HttpResponse(_("Choose light, dark, or as the system has it."), status=422, content_type="text/plain")
    target = form.cleaned_data["next"]
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = reverse("analytics:dashboard")
    response = redirect(target)
    if (chosen := form.cleaned_data["theme"]) in THEMES:
        response.set_cookie(
            THEME_COOKIE, chosen, A_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response


@login_not_required
@require_safe
@cache_control(max_age=3600)
@vary_on_headers("Accept-Language", "Cookie")
def manifest(request: HttpRequest) -> JsonResponse:
    """What a phone needs to know to put the application on its home screen. No service worker: pages are never stale."""
    home = reverse("analytics:dashboard")  # below a path, where the site has one
    body = {
        "id": home,
        "name": _("socialhub: publish everywhere, once"),
        "short_name": "socialhub",
        "description": _("Write once, publish to all your networks, and see exactly what happened."),
        "lang": get_language(),
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": PAPER["light"],
        "theme_color": PAPER["light"],
        "icons": [
            {
                "src": static(f"icons/{'maskable' if purpose == 'maskable' else 'icon'}-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for size, purpose in ICONS
        ],
        "shortcuts": [
            {"name": _("New post"), "url": reverse("publishing:post_new")},
            {"name": _("Posts"), "url": reverse("publishing:post_list")},
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")

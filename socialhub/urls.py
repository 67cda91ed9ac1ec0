"""All addresses: one include per app, sign-in by allauth, staff in the admin."""

from django.contrib import admin
from django.urls import include, path

from socialhub.api import addresses
from socialhub.health import healthz, readyz
from socialhub.metrics import metrics
from socialhub.views_api import api_guide
from socialhub.views_frame import manifest, theme
from socialhub.views_status import status
from socialhub.views_style import style

admin.autodiscover()

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("staff/status/", status, name="status"),
    path("staff/style/", style, name="style"),
    path("theme/", theme, name="theme"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("api/social/", addresses()),
    path("settings/api/guide/", api_guide, name="api_guide"),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("publishing.urls")),
    path("", include("analytics.urls")),
]

handler400 = "socialhub.api.bad_request"
handler500 = "socialhub.api.server_error"

"""Settings of the sandbox process: no database, no secrets, nothing of the product's own settings."""

import os
from pathlib import Path

SECRET_KEY = "the sandbox keeps no secrets"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "socialhub.sandbox.urls"
INSTALLED_APPS = ["django.contrib.staticfiles", "socialhub.sandbox"]
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware", "socialhub.sandbox.views.security_headers"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["socialhub.sandbox.views.frame"]},
    }
]
DATABASES: dict[str, object] = {}
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
STATIC_URL = "/static/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 110 * 1024 * 1024  # a document comes in one piece
FILE_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

SANDBOX_STATE = Path(state) if (state := os.environ.get("SANDBOX_STATE", "")) else None
SANDBOX_URL = os.environ.get("SANDBOX_URL", "").rstrip("/")  # "" takes the address of each request
# So many posts that were made elsewhere lie on each of the standing accounts.
SANDBOX_ELSEWHERE = int(os.environ.get("SANDBOX_ELSEWHERE") or 0)
SANDBOX_CONTAINER_SECONDS = float(os.environ.get("SANDBOX_CONTAINER_SECONDS", "2"))
SANDBOX_REDIRECT_ORIGINS = [o for o in os.environ.get("SANDBOX_REDIRECT_ORIGINS", "").split(",") if o]
if public := os.environ.get("PUBLIC_BASE_URL"):
    SANDBOX_REDIRECT_ORIGINS.append(public.rstrip("/"))
META_APP_ID = os.environ.get("META_APP_ID") or "100000000000001"
META_APP_SECRET = os.environ.get("META_APP_SECRET") or "sandbox-app-secret"
INSTAGRAM_APP_ID = os.environ.get("INSTAGRAM_APP_ID") or "200000000000002"
INSTAGRAM_APP_SECRET = os.environ.get("INSTAGRAM_APP_SECRET") or "sandbox-instagram-secret"
LINKEDIN_CLIENT_ID = os.environ.get("LINKEDIN_CLIENT_ID") or "sandbox-linkedin"
LINKEDIN_CLIENT_SECRET = os.environ.get("LINKEDIN_CLIENT_SECRET") or "sandbox-linkedin-secret"
BUFFER_CLIENT_ID = os.environ.get("BUFFER_CLIENT_ID") or "sandbox-buffer"
BUFFER_CLIENT_SECRET = os.environ.get("BUFFER_CLIENT_SECRET") or "sandbox-buffer-secret"
SANDBOX_BUFFER_SECONDS = float(os.environ.get("SANDBOX_BUFFER_SECONDS", "4"))  # from accepting a post to its being live
META_GRAPH_VERSION = os.environ.get("META_GRAPH_VERSION") or "v26.0"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    # A refusal is what the sandbox is for; it must not fill the log.
    "loggers": {"django.request": {"level": "CRITICAL"}},
}

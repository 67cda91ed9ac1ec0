"""Settings of socialhub, all from the environment: .env.example lists every variable with its meaning."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from socialhub import VERSION

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# ENV_FILE names another file, or none when it is empty. Without it `.env` is read, then what `bin/run` left
# behind, so that `manage.py` works beside it. Real environment variables always win.
if (env_file := env.str("ENV_FILE", default=None)) is None:
    for candidate in (BASE_DIR / ".env", BASE_DIR / "var" / "run.env"):
        if candidate.exists():
            env.read_env(candidate)
elif env_file:
    env.read_env(env_file)


def url_setting(name: str, default: str | None = None) -> str:
    """An absolute http(s) address without a slash at its end."""
    value = (env.str(name) if default is None else env.str(name, default=default)).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must be an absolute http or https address; it is {value!r}.")
    return value


def rate(name: str, default: str) -> tuple[int, int]:
    """So many in so many seconds, from a text such as 600/m."""
    value = env.str(name, default=default)
    if not (found := re.fullmatch(r"(\d{1,9})/([smhd])", value)) or not int(found[1]):
        raise ImproperlyConfigured(f"{name} must look like 600/m: a number per s, m, h or d; it is {value!r}.")
    return int(found[1]), {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# --- Core -----------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
PUBLIC_BASE_URL = url_setting("PUBLIC_BASE_URL")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(PUBLIC_BASE_URL).hostname])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[origin(PUBLIC_BASE_URL)])
ROOT_URLCONF = "socialhub.urls"
WSGI_APPLICATION = "socialhub.wsgi.application"
FORM_RENDERER = "socialhub.forms.Renderer"  # templates/django/forms/ replaces Django's own
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SANDBOX = env.bool("SANDBOX", default=DEBUG)
if SANDBOX and not DEBUG and not env.bool("SANDBOX_FORCE", default=False):
    raise ImproperlyConfigured(
        "SANDBOX=1 replaces all networks by simulated ones and is refused while DEBUG=0. "
        "Unset SANDBOX, or set SANDBOX_FORCE=1 for a public demonstration."
    )
SANDBOX_URL = url_setting("SANDBOX_URL", "http://127.0.0.1:8010")

INSTALLED_APPS = [
    "socialhub.admin_config.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "django_celery_beat",
    "socialhub",
    "accounts",
    "publishing",
    "analytics",
]

MIDDLEWARE = [
    "socialhub.traffic.TrafficMiddleware",
    "socialhub.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "socialhub.guards.HeadersMiddleware",
    "socialhub.middleware.LoopbackMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "socialhub.guards.BodySizeMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "socialhub.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "socialhub.middleware.SessionActivityMiddleware",
    "socialhub.middleware.RefusedFormMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "socialhub.middleware.HtmxMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.shell",
                "socialhub.silence.banner",
            ],
        },
    },
]

# --- Database, cache, broker ----------------------------------------------------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL")}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (postgresql://user:password@host/name).")
DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)

REDIS_URL = env.str("REDIS_URL")
if urlsplit(REDIS_URL).scheme not in ("redis", "rediss", "unix"):
    raise ImproperlyConfigured("REDIS_URL must start with redis://, rediss:// or unix://.")


def redis_database(number: int) -> str:
    """REDIS_URL with another database number: 0 carries messages, 1 is the cache."""
    parts = urlsplit(REDIS_URL)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        # The cache would ask for a certificate, the broker for none; ?ssl_cert_reqs=none lets both go without.
        parts = parts._replace(query="&".join(filter(None, (parts.query, "ssl_cert_reqs=required"))))
    return parts._replace(path=f"/{number}").geturl()


def broker_url() -> str:
    parts = urlsplit(REDIS_URL)
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host={env.int('REDIS_BROKER_DB', default=0)}"
    return redis_database(env.int("REDIS_BROKER_DB", default=0))


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_database(env.int("REDIS_CACHE_DB", default=1)),
        "KEY_PREFIX": "socialhub",
        # One that hangs is one that is away: nobody waits for it longer than this, least of all while rows are locked.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}
SESSION_ENGINE = "socialhub.sessions"

CELERY_BROKER_URL = broker_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    # One that hangs is one that is away. A worker waits for a message for one second at a time.
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
    # A page that nudges a worker must not wait 6 s for a broker that is down; beat finds the work anyway.
    "max_retries": 1,
    "interval_start": 0,
    "interval_max": 0.2,
}
# 0 comes first: what publishing waits for is handed out before what only reads, however much of that there is.
CELERY_TASK_ROUTES = {"analytics.tasks.*": {"priority": 9}}
CELERY_RESULT_EXPIRES = None  # otherwise beat adds a clean-up job for results that we do not keep
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- People ---------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "analytics:dashboard"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[socialhub] "
ACCOUNT_SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=True)
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Who finds an open browser must not be able to take the account away, nor anybody without its person hearing of it.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Each invitation is a mail to an address, and a text, that a member chose; allauth's own limits stay as they are.
ACCOUNT_RATE_LIMITS = {
    "invite": "20/h/user",
    "signed_request": "30/m/ip",  # with a wrong signature
}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "socialhub"
USERSESSIONS_TRACK_ACTIVITY = True
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False

# So long an owner can bring back a workspace that one of them has deleted; 0: it goes at once.
WORKSPACE_GRACE_DAYS = env.int("WORKSPACE_GRACE_DAYS", default=7)
if not 0 <= WORKSPACE_GRACE_DAYS <= 365:
    raise ImproperlyConfigured(f"WORKSPACE_GRACE_DAYS must be from 0 to 365; it is {WORKSPACE_GRACE_DAYS}.")

API_RATE = rate("API_RATE", "600/m")  # calls of each API key, and of each person, as (number, seconds)

# --- Secrets at rest ------------------------------------------------------------------------------------------

# The first key seals, every key opens. No fallback to SECRET_KEY: changing that must not lose all tokens.
FERNET_KEYS = env.list("FERNET_KEYS")
if not FERNET_KEYS or any(len(key) < 32 for key in FERNET_KEYS):
    raise ImproperlyConfigured(
        "FERNET_KEYS must hold one or more keys of at least 32 characters, separated by commas, newest first."
    )

# --- The networks ---------------------------------------------------------------------------------------------

# With the sandbox on the base addresses point at it; any of them can be moved by its own variable.
META_DIALOG_URL = url_setting("META_DIALOG_URL", f"{SANDBOX_URL}/facebook" if SANDBOX else "https://www.facebook.com")
META_GRAPH_URL = url_setting("META_GRAPH_URL", f"{SANDBOX_URL}/graph" if SANDBOX else "https://graph.facebook.com")
META_RUPLOAD_URL = url_setting(
    "META_RUPLOAD_URL", f"{SANDBOX_URL}/rupload" if SANDBOX else "https://rupload.facebook.com"
)
META_GRAPH_VERSION = env.str("META_GRAPH_VERSION", default="v26.0")
if not re.fullmatch(r"v\d+\.\d+", META_GRAPH_VERSION):
    raise ImproperlyConfigured(f"META_GRAPH_VERSION must look like v26.0; it is {META_GRAPH_VERSION!r}.")
META_APP_ID = env.str("META_APP_ID", default="100000000000001" if SANDBOX else "")
META_APP_SECRET = env.str("META_APP_SECRET", default="sandbox-app-secret" if SANDBOX else "")
META_CONFIG_ID = env.str("META_CONFIG_ID", default="")
META_PKCE = env.bool("META_PKCE", default=False)  # Meta calls its support "in testing"
# What only some apps have at Meta. Asking for more than the app has ends in an error page instead of a connection.
META_COMMENT_SCOPES = "pages_manage_engagement instagram_manage_comments"
META_EXTRA_SCOPES = tuple(
    env.str("META_EXTRA_SCOPES", default=META_COMMENT_SCOPES if SANDBOX else "").replace(",", " ").split()
)

# Instagram's own login, for professional accounts without a Page. The version is Meta's.
INSTAGRAM_DIALOG_URL = url_setting(
    "INSTAGRAM_DIALOG_URL", f"{SANDBOX_URL}/instagram/dialog" if SANDBOX else "https://www.instagram.com"
)
INSTAGRAM_API_URL = url_setting(
    "INSTAGRAM_API_URL", f"{SANDBOX_URL}/instagram/api" if SANDBOX else "https://api.instagram.com"
)
INSTAGRAM_GRAPH_URL = url_setting(
    "INSTAGRAM_GRAPH_URL", f"{SANDBOX_URL}/instagram/graph" if SANDBOX else "https://graph.instagram.com"
)
INSTAGRAM_APP_ID = env.str("INSTAGRAM_APP_ID", default="200000000000002" if SANDBOX else "")
INSTAGRAM_APP_SECRET = env.str("INSTAGRAM_APP_SECRET", default="sandbox-instagram-secret" if SANDBOX else "")
INSTAGRAM_BASIC_SCOPES = (
    "instagram_business_basic instagram_business_content_publish instagram_business_manage_insights"
)
INSTAGRAM_COMMENT_SCOPE = "instagram_business_manage_comments"
INSTAGRAM_SCOPES = tuple(
    env.str(
        "INSTAGRAM_SCOPES",
        default=f"{INSTAGRAM_BASIC_SCOPES} {INSTAGRAM_COMMENT_SCOPE}" if SANDBOX else INSTAGRAM_BASIC_SCOPES,
    )
    .replace(",", " ")
    .split()
)

LINKEDIN_OAUTH_URL = url_setting(
    "LINKEDIN_OAUTH_URL", f"{SANDBOX_URL}/linkedin/oauth" if SANDBOX else "https://www.linkedin.com/oauth/v2"
)
LINKEDIN_API_URL = url_setting(
    "LINKEDIN_API_URL", f"{SANDBOX_URL}/linkedin/api" if SANDBOX else "https://api.linkedin.com"
)
LINKEDIN_API_VERSION = env.str("LINKEDIN_API_VERSION", default="202609")
if not re.fullmatch(r"20\d{2}(0[1-9]|1[0-2])", LINKEDIN_API_VERSION):
    raise ImproperlyConfigured(
        f"LINKEDIN_API_VERSION must be a year and a month such as 202609; it is {LINKEDIN_API_VERSION!r}."
    )
LINKEDIN_CLIENT_ID = env.str("LINKEDIN_CLIENT_ID", default="sandbox-linkedin" if SANDBOX else "")
LINKEDIN_CLIENT_SECRET = env.str("LINKEDIN_CLIENT_SECRET", default="sandbox-linkedin-secret" if SANDBOX else "")
# One fixed set per app: asking a person for another set ends all tokens that they gave before.
LINKEDIN_MEMBER_SCOPES = "openid profile email w_member_social"
LINKEDIN_FULL_SCOPES = (
    f"{LINKEDIN_MEMBER_SCOPES} w_organization_social r_organization_social rw_organization_admin "
    "r_member_postAnalytics r_member_profileAnalytics "
    "w_member_social_feed w_organization_social_feed r_organization_social_feed"
)
LINKEDIN_SCOPES = tuple(
    env.str("LINKEDIN_SCOPES", default=LINKEDIN_FULL_SCOPES if SANDBOX else LINKEDIN_MEMBER_SCOPES)
    .replace(",", " ")
    .split()
)

BUFFER_API_URL = url_setting("BUFFER_API_URL", f"{SANDBOX_URL}/buffer/api" if SANDBOX else "https://api.buffer.com")
BUFFER_AUTH_URL = url_setting("BUFFER_AUTH_URL", f"{SANDBOX_URL}/buffer/auth" if SANDBOX else "https://auth.buffer.com")
BUFFER_CLIENT_ID = env.str("BUFFER_CLIENT_ID", default="sandbox-buffer" if SANDBOX else "")
BUFFER_CLIENT_SECRET = env.str("BUFFER_CLIENT_SECRET", default="sandbox-buffer-secret" if SANDBOX else "")
BUFFER_SCOPES = tuple(
    env.str("BUFFER_SCOPES", default="posts:read posts:write account:read offline_access insights:read")
    .replace(",", " ")
    .split()
)
# Do all who connect through our Buffer app share one budget of calls? Buffer does not say; a personal key has its own.
BUFFER_QUOTA_SHARED = env.bool("BUFFER_QUOTA_SHARED", default=False)

HTTP_CONNECT_TIMEOUT_SECONDS = env.float("HTTP_CONNECT_TIMEOUT_SECONDS", default=5.0)
HTTP_READ_TIMEOUT_SECONDS = env.float("HTTP_READ_TIMEOUT_SECONDS", default=30.0)

# --- Publishing -----------------------------------------------------------------------------------------------

PUBLISH_THREADS = env.int("PUBLISH_THREADS", default=50)  # publications at work at once, per worker process
READ_THREADS = env.int("READ_THREADS", default=4)  # accounts whose figures are read at once, per worker process
FETCH_THREADS = env.int("FETCH_THREADS", default=4)  # files fetched from addresses at once, per worker process
PUBLISH_LEASE_SECONDS = env.float("PUBLISH_LEASE_SECONDS", default=120)
if PUBLISH_LEASE_SECONDS < 2 * (HTTP_CONNECT_TIMEOUT_SECONDS + HTTP_READ_TIMEOUT_SECONDS):
    raise ImproperlyConfigured(
        "PUBLISH_LEASE_SECONDS must be at least twice HTTP_CONNECT_TIMEOUT_SECONDS + HTTP_READ_TIMEOUT_SECONDS: "
        "a worker whose call is still under way must not be taken for dead."
    )
PUBLISH_RETRY_COUNT = env.int("PUBLISH_RETRY_COUNT", default=3)
PUBLISH_RETRY_BASE_SECONDS = env.float("PUBLISH_RETRY_BASE_SECONDS", default=2)
PUBLISH_RETRY_FACTOR = env.float("PUBLISH_RETRY_FACTOR", default=2)
PUBLISH_RETRY_CAP_SECONDS = env.float("PUBLISH_RETRY_CAP_SECONDS", default=600)
PUBLISH_RETRY_JITTER = env.float("PUBLISH_RETRY_JITTER", default=0.1)  # fraction of the delay
PUBLISH_LATE_HOURS = env.int("PUBLISH_LATE_HOURS", default=6)
PUBLISH_CHECK_SPEED = env.float("PUBLISH_CHECK_SPEED", default=10 if SANDBOX else 1)
RATE_LIMITS = env.json(
    "RATE_LIMITS", default={}
)  # {"instagram": {"publish": 50}, "buffer": {"client/86400": 500}} replaces limits of platforms/rules.py
CLIENT_BOOKS = "publishing.limits"  # where it is written what clients shared by several accounts have used

WEBHOOK_THREADS = env.int("WEBHOOK_THREADS", default=8)  # messages to other programs at once, per worker process
WEBHOOK_SECONDS = env.float("WEBHOOK_SECONDS", default=10)  # for one call, whatever happens
WEBHOOK_RETRY_HOURS = env.int("WEBHOOK_RETRY_HOURS", default=24)
WEBHOOK_PAUSE_DAYS = env.int("WEBHOOK_PAUSE_DAYS", default=3)

UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=30 * 1024 * 1024)
UPLOAD_VIDEO_MAX_BYTES = env.int("UPLOAD_VIDEO_MAX_BYTES", default=512 * 1024 * 1024)  # and documents
UPLOAD_MAX_PIXELS = env.int("UPLOAD_MAX_PIXELS", default=60_000_000)
UPLOAD_REQUEST_MAX_BYTES = 50 * UPLOAD_MAX_BYTES + 2 * UPLOAD_VIDEO_MAX_BYTES  # all files of one form together
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # an agency chooses among all its Pages in one form
DATA_UPLOAD_MAX_NUMBER_FILES = 200  # above what our forms take, so that they can say what is too many
MEDIA_URL_SECONDS = env.int("MEDIA_URL_SECONDS", default=3 * 24 * 3600)

# Addresses that people name (files to fetch, receivers of webhooks) must be public and https, but for these origins.
OUTSIDE_ORIGINS = [origin(url).lower() for url in env.list("OUTSIDE_ORIGINS", default=[])]
if wrong := [one for one in OUTSIDE_ORIGINS if not one.startswith(("http://", "https://")) or one.endswith("/")]:
    raise ImproperlyConfigured(f"OUTSIDE_ORIGINS must be http or https addresses; {wrong[0]!r} is none.")
OUTSIDE_ORIGINS += [origin(SANDBOX_URL).lower()] if SANDBOX else []

# --- Figures --------------------------------------------------------------------------------------------------

INSIGHTS_RAW_DAYS = env.int("INSIGHTS_RAW_DAYS", default=90)  # networks' answers as they came; their terms may say less
INSIGHTS_HOUR_DAYS = env.int("INSIGHTS_HOUR_DAYS", default=400)  # of single hours; the longest looked at is a year ago
if INSIGHTS_HOUR_DAYS < 35:
    raise ImproperlyConfigured(f"INSIGHTS_HOUR_DAYS must be at least 35; it is {INSIGHTS_HOUR_DAYS}.")

# --- Files ----------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "socialhub.assets.JoiningFinder",  # the files of STATICFILES_DIRS
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
MEDIA_ROOT = env.path("MEDIA_ROOT", default=BASE_DIR / "var" / "media")


def media_storage(url: str) -> dict[str, object]:
    """Where uploads are kept: below MEDIA_ROOT, or in the bucket that s3://key:secret@host/bucket/prefix names."""
    if not url:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    parts = urlsplit(url)
    bucket, _, prefix = parts.path.strip("/").partition("/")
    if parts.scheme != "s3" or not parts.hostname or not bucket or bool(parts.username) != bool(parts.password):
        raise ImproperlyConfigured(
            "MEDIA_STORAGE_URL must look like s3://KEY:SECRET@HOST/BUCKET, with / + and @ of key and secret written as "
            "%2F %2B and %40. It is not shown here because it holds a secret."
        )
    more = dict(parse_qsl(parts.query))
    at_amazon = re.fullmatch(r"s3\.(?P<region>[a-z0-9-]+)\.amazonaws\.com", parts.hostname)
    address = parts.netloc.rpartition("@")[2]
    return {
        "BACKEND": "socialhub.storage.SharedStorage",
        "OPTIONS": {
            "access_key": unquote(parts.username or ""),
            "secret_key": unquote(parts.password or ""),
            "bucket_name": bucket,
            "location": prefix,
            "endpoint_url": f"{'http' if more.get('tls') == '0' else 'https'}://{address}",
            "region_name": more.get("region") or (at_amazon["region"] if at_amazon else "us-east-1"),
            "addressing_style": "virtual" if at_amazon else "path",
        },
    }


WHITENOISE_ALLOW_ALL_ORIGINS = False  # nobody else's pages need our files
STORAGES = {
    "default": media_storage(env.str("MEDIA_STORAGE_URL", default="")),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Language, time, mail -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each in its own words, for whoever cannot read the others
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "socialhub.formats"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # a mail server that does not answer must not hold up a page or a worker
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="socialhub <noreply@localhost>")

# --- Browser safety -------------------------------------------------------------------------------------------

HTTPS = PUBLIC_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True  # scripts find the token of forms in the page
if HTTPS:  # such a name is only taken over HTTPS, from this very host: no neighbour can plant a cookie of this name
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:", "https:", *([SANDBOX_URL] if SANDBOX else [])],
        "connect-src": [SELF],
        "media-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "frame-src": [NONE],
        "worker-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # A form that ends in a redirect to a network is judged by every address on the way, too; who is not signed in
        # there may be sent to another host of the same network first.
        "form-action": [
            SELF,
            *sorted(
                {
                    *(origin(META_DIALOG_URL), origin(INSTAGRAM_DIALOG_URL)),
                    *(origin(LINKEDIN_OAUTH_URL), origin(BUFFER_AUTH_URL)),
                }
            ),
            *([] if SANDBOX else ["https://*.instagram.com", "https://*.linkedin.com", "https://*.buffer.com"]),
        ],
    }
}

# --- Logs and watching -------------------------------------------------------------------------------------------

RELEASE = env.str("RELEASE", default=VERSION)
SILENT_AFTER_SECONDS = env.float("SILENT_AFTER_SECONDS", default=120)  # of the heartbeat, which is written every 30
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production")
LOG_FORMAT = env.str("LOG_FORMAT", default="line")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT must be line or json; it is {LOG_FORMAT!r}.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "socialhub.logs.RedactingFormatter",
            "format": "{levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "socialhub.logs.RedactingJsonFormatter"},
    },
    "filters": {"readiness": {"()": "socialhub.logs.without_readiness"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Several lines every 30 seconds, only to say that a job ran; what fails is logged all the same.
        **{name: {"level": "WARNING"} for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace")},
        "django.request": {"filters": ["readiness"]},
        # Gunicorn brings a handler of its own, whose lines are neither redacted nor in the format that was asked for.
        "gunicorn.error": {"handlers": ["console"], "propagate": False},
    },
}

"""The web process: `gunicorn socialhub.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")

django_application = get_wsgi_application()

from socialhub.processes import Heard  # noqa: E402  models are there only now

application = Heard(django_application)

get_resolver().url_patterns  # noqa: B018  reads all views now instead of with the first request
# What has been imported stays for good. Taken out of the collector's rounds it is not written to any more, so that web
# processes that are forked from here share it.
gc.collect()
gc.freeze()

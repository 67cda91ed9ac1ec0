"""The web process: `gunicorn socialhub.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")

django_application = get_wsgi_application()

from socialhub.processes import Heard  # noqa: E402  models are there only now

application = Heard(django_application)

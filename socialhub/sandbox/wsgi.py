"""WSGI entry of the sandbox: gunicorn socialhub.sandbox.wsgi --worker-class gthread --threads 16 --workers 1."""

import os

from django.core.wsgi import get_wsgi_application

# Not setdefault: importing the package has already named the product's settings.
os.environ["DJANGO_SETTINGS_MODULE"] = "socialhub.sandbox.settings"
application = get_wsgi_application()

"""Django's admin with our own front page. In INSTALLED_APPS instead of django.contrib.admin."""

from django.contrib.admin.apps import SimpleAdminConfig


class StaffAdminConfig(SimpleAdminConfig):
    """Its pages are read in with the addresses, see urls: workers show none, and need 5 MB less without them."""

    default_site = "socialhub.admin_site.StaffSite"

"""Django's admin with our own front page. In INSTALLED_APPS instead of django.contrib.admin."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "socialhub.admin_site.StaffSite"

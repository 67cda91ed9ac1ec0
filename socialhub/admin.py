"""What operators see of the operation itself."""

from django.contrib import admin
from django.http import HttpRequest

from socialhub.models import BeatLease, Heartbeat


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(BeatLease)
class BeatLeaseAdmin(ReadOnly):
    list_display = ("owner", "expires_at")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ("seen_at",)

"""Settings of accounts, people and the workspace, and the notifications."""

from django.urls import path

from accounts.providers import INSTAGRAM, META
from accounts.views import (
    account,
    api_keys,
    callbacks,
    connecting,
    consent,
    doctor,
    guidance,
    notifications,
    people,
    pictures,
    social,
)

app_name = "accounts"
urlpatterns = [
    path("settings/accounts/", social.social, name="social"),
    path("settings/accounts/connect/<slug:platform>/", connecting.connect_start, name="connect"),
    path("settings/accounts/buffer-key/", connecting.buffer_key, name="buffer_key"),
    path("connect/consent/", consent.consent, name="consent"),
    path("settings/accounts/select/<uuid:grant_id>/", connecting.select, name="select"),
    path("settings/accounts/<uuid:account_id>/guidance/", guidance.guidance, name="guidance"),
    path("settings/accounts/<uuid:account_id>/", social.account, name="account"),
    path("settings/accounts/<uuid:account_id>/guidance/live/", guidance.guidance_live, name="guidance_live"),
    path("settings/accounts/<uuid:account_id>/recheck/", guidance.recheck, name="recheck"),
    path("settings/accounts/<uuid:account_id>/disconnect/", account.disconnect, name="disconnect"),
    path("settings/accounts/<uuid:account_id>/pause/", account.pause, name="pause"),
    path("settings/accounts/<uuid:account_id>/resume/", account.resume, name="resume"),
    path("settings/accounts/<uuid:account_id>/default/", account.make_default, name="make_default"),
    path("settings/accounts/<uuid:account_id>/default/remove/", account.remove_default, name="remove_default"),
    path("settings/accounts/<uuid:account_id>/refresh/", account.refresh, name="refresh"),
    path("settings/accounts/<uuid:account_id>/verify/", account.verify_now, name="verify"),
    path("settings/accounts/doctor/", doctor.doctor, name="doctor"),
    path("settings/accounts/<uuid:account_id>/picture.jpg", pictures.picture, name="picture"),
    path("settings/api/", api_keys.api_keys, name="api_keys"),
    path("settings/api/<uuid:key_id>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("settings/profile/", people.profile, name="profile"),
    path("settings/workspace/", people.workspace, name="workspace"),
    path("settings/workspace/rename/", people.workspace_rename, name="workspace_rename"),
    path("settings/workspace/pause/", people.workspace_pause, name="workspace_pause"),
    path("settings/workspace/resume/", people.workspace_resume, name="workspace_resume"),
    path("settings/workspace/new/", people.workspace_new, name="workspace_new"),
    path("settings/workspace/switch/", people.workspace_switch, name="workspace_switch"),
    path("settings/workspace/members/", people.member_add, name="member_add"),
    path("settings/workspace/members/<int:member_id>/role/", people.member_role, name="member_role"),
    path("settings/workspace/members/<int:member_id>/remove/", people.member_remove, name="member_remove"),
    path("meta/deauthorize/", callbacks.deauthorize, {"provider": META.key}, name="meta_deauthorize"),
    path("meta/data-deletion/", callbacks.data_deletion, {"provider": META.key}, name="meta_data_deletion"),
    path("instagram/deauthorize/", callbacks.deauthorize, {"provider": INSTAGRAM.key}, name="instagram_deauthorize"),
    path(
        "instagram/data-deletion/", callbacks.data_deletion, {"provider": INSTAGRAM.key}, name="instagram_data_deletion"
    ),
    path("data-deletion/<str:code>/", callbacks.data_deletion_status, name="data_deletion_status"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/read/", notifications.notifications_read, name="notifications_read"),
]

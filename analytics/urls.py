"""Addresses of the figures: the dashboard, the pages of analytics, files and reports."""

from django.urls import path

from analytics.views import accounts, compare, dashboard, exports, posts, reports, sync, welcome, workspace_data

app_name = "analytics"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("welcome/connect/", welcome.welcome_connect, name="welcome_connect"),
    path("welcome/images/", welcome.welcome_images, name="welcome_images"),
    path("welcome/images/example/", welcome.welcome_example, name="welcome_example"),
    path("welcome/post/", welcome.welcome_post, name="welcome_post"),
    path("welcome/skip/", welcome.welcome_skip, name="welcome_skip"),
    path("welcome/again/", welcome.welcome_again, name="welcome_again"),
    path("analytics/", accounts.overview, name="overview"),
    path("analytics/accounts/<uuid:account_id>/", accounts.account, name="account"),
    path("analytics/accounts/<uuid:account_id>/sync/", sync.account_sync, name="account_sync"),
    path(
        "analytics/accounts/<uuid:account_id>/sync/progress/", sync.account_sync_progress, name="account_sync_progress"
    ),
    path("analytics/posts/", posts.post_list, name="post_list"),
    path("analytics/posts/<uuid:post_id>/", posts.post, name="post"),
    path("analytics/compare/", compare.accounts, name="compare_accounts"),
    path("analytics/campaigns/", compare.campaigns, name="campaigns"),
    path("analytics/export/<slug:table>.<slug:ending>", exports.export, name="export"),
    path("settings/reports/", reports.reports, name="reports"),
    path("settings/workspace/data/", workspace_data.workspace_data, name="workspace_data"),
    path("settings/workspace/data/export/", workspace_data.export_new, name="workspace_export_new"),
    path("settings/workspace/data/<uuid:export_id>.zip", workspace_data.export_file, name="workspace_export_file"),
    path(
        "settings/workspace/data/<uuid:export_id>/remove/", workspace_data.export_remove, name="workspace_export_remove"
    ),
    path("settings/workspace/delete/", workspace_data.workspace_delete, name="workspace_delete"),
    path("settings/workspace/<uuid:workspace_id>/deleted/", workspace_data.workspace_deleted, name="workspace_deleted"),
    path(
        "settings/workspace/<uuid:workspace_id>/back/",
        workspace_data.workspace_bring_back,
        name="workspace_bring_back",
    ),
    path("reports/leave/<str:token>/", reports.reports_leave, name="reports_leave"),
]

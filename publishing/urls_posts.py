"""Addresses of the composer, the posts and their publications."""

from django.urls import URLPattern, path

from publishing.views import autosave, bulk, composer, composer_review, limits, posts, progress

urlpatterns: list[URLPattern] = [
    path("posts/", posts.post_list, name="post_list"),
    path("posts/new/", composer.post_new, name="post_new"),
    path("posts/autosave/", autosave.autosave_keep, name="autosave"),
    path("posts/autosave/drop/", autosave.autosave_drop, name="autosave_drop"),
    path("posts/bulk/", bulk.post_bulk, name="post_bulk"),
    path("posts/check/", composer_review.post_check, name="post_check"),
    path("posts/<uuid:post_id>/", posts.post_detail, name="post_detail"),
    path("posts/<uuid:post_id>/edit/", composer.post_edit, name="post_edit"),
    path("posts/<uuid:post_id>/cancel/", posts.post_cancel, name="post_cancel"),
    path("posts/<uuid:post_id>/fetch/", posts.post_fetch, name="post_fetch"),
    path("posts/<uuid:post_id>/report.json", posts.post_report, name="post_report"),
    path("posts/<uuid:post_id>/progress/", progress.post_progress, name="post_progress"),
    path("limits/", limits.limits, name="limits"),
    path("publications/<uuid:publication_id>/retry/", progress.publication_retry, name="publication_retry"),
    path("publications/<uuid:publication_id>/decide/", progress.publication_decide, name="publication_decide"),
]

"""Addresses of the library and of image files."""

from django.urls import path

from publishing.views import library, media

urlpatterns = [
    path("library/", library.library, name="library"),
    path("library/sets/new/", library.set_new, name="set_new"),
    path("library/sets/<uuid:set_id>/", library.set_detail, name="set_detail"),
    path("library/sets/<uuid:set_id>/edit/", library.set_edit, name="set_edit"),
    path("library/sets/<uuid:set_id>/delete/", library.set_delete, name="set_delete"),
    path("library/sets/<uuid:set_id>/upload/", library.set_upload, name="set_upload"),
    path("library/sets/<uuid:set_id>/order/", library.set_order, name="set_order"),
    path("library/sets/<uuid:set_id>/images/<uuid:media_id>/move/", library.image_move, name="image_move"),
    path("library/sets/<uuid:set_id>/images/<uuid:media_id>/remove/", library.image_remove, name="image_remove"),
    path("library/sets/<uuid:set_id>/images/<uuid:media_id>/alt/", library.image_alt, name="image_alt"),
    path("library/templates/", library.template_list, name="template_list"),
    path("library/templates/new/", library.template_new, name="template_new"),
    path("library/templates/preview/", library.template_preview, name="template_preview"),
    path("library/templates/<uuid:template_id>/", library.template_edit, name="template_edit"),
    path("library/templates/<uuid:template_id>/delete/", library.template_delete, name="template_delete"),
    path("library/hashtags/", library.hashtag_list, name="hashtag_list"),
    path("library/hashtags/new/", library.hashtag_new, name="hashtag_new"),
    path("library/hashtags/<uuid:group_id>/", library.hashtag_edit, name="hashtag_edit"),
    path("library/hashtags/<uuid:group_id>/delete/", library.hashtag_delete, name="hashtag_delete"),
    path("media/<uuid:media_id>/thumbnail.jpg", media.media_thumbnail, name="media_thumbnail"),
    path("media/<uuid:media_id>/file", media.media_file, name="media_file"),
    path("m/<str:signed>/<str:name>", media.media_public, name="media_public"),
]

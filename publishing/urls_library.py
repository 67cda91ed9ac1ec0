from django.urls import path

from publishing.views import media

urlpatterns = [
    path("media/<uuid:media_id>/thumbnail.jpg", media.media_thumbnail, name="media_thumbnail"),
    path("media/<uuid:media_id>/image.jpg", media.media_file, name="media_file"),
    path("m/<str:signed>/<str:name>.jpg", media.media_public, name="media_public"),
]

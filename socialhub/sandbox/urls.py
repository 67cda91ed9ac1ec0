from django.urls import path

from .views import control, feeds, graph, media, oauth, switchboard

urlpatterns = [
    path("graph/<path:path>", graph.graph),
    path("rupload/<path:path>", graph.rupload),
    path("facebook/<str:version>/dialog/oauth", oauth.dialog, name="dialog"),
    path("control/reset", control.reset),
    path("control/faults", control.faults),
    path("control/feed", control.feed),
    path("control/calls", control.calls),
    path("control/clock", control.clock),
    path("control/latency", control.latency),
    path("control/link-instagram", control.link),
    path("control/unlink-instagram", control.unlink),
    path("control/people", control.people),
    path("control/revoke", control.revoke),
    path("media/files/<str:name>", media.file, name="media_file"),
    path("media/portraits/<str:node_id>.png", media.portrait, name="portrait"),
    path("", feeds.front, name="front"),
    path("pages/<str:page_id>/link-instagram/", feeds.link, name="link_instagram"),
    path("feeds/facebook/<str:page_id>/", feeds.facebook, name="facebook_feed"),
    path("feeds/facebook/<str:page_id>/posts/<str:number>/", feeds.facebook_post, name="facebook_post"),
    path("feeds/instagram/p/<str:shortcode>/", feeds.instagram_post, name="instagram_post"),
    path("feeds/instagram/<str:username>/", feeds.instagram, name="instagram_feed"),
    path("switchboard/", switchboard.board, name="switchboard"),
]

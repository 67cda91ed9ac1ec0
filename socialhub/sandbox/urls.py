from django.urls import path

from .buffer import api as buffer_api
from .buffer import control as buffer_control
from .buffer import oauth as buffer_oauth
from .buffer import pages as buffer_pages
from .instagram_login import control as instagram_control
from .instagram_login import oauth as instagram_oauth
from .linkedin import api as linkedin_api
from .linkedin import control as linkedin_control
from .linkedin import oauth as linkedin_oauth
from .linkedin import pages as linkedin_pages
from .views import control, feeds, graph, media, oauth, switchboard

urlpatterns = [
    path("graph/<path:path>", graph.graph),
    path("rupload/<path:path>", graph.rupload),
    path("facebook/<str:version>/dialog/oauth", oauth.dialog, name="dialog"),
    path("instagram/dialog/oauth/authorize", instagram_oauth.authorize, name="instagram_authorization"),
    path("instagram/api/oauth/access_token", instagram_oauth.access_token),
    path("instagram/graph/access_token", instagram_oauth.exchange),
    path("instagram/graph/refresh_access_token", instagram_oauth.refresh),
    path("instagram/graph/<path:path>", graph.graph, {"host": "instagram"}),
    path("control/instagram/people", instagram_control.people),
    path("control/instagram/account", instagram_control.account),
    path("control/reset", control.reset),
    path("control/faults", control.faults),
    path("control/metrics", control.withdrawn),
    path("control/feed", control.feed),
    path("control/calls", control.calls),
    path("control/clock", control.clock),
    path("control/latency", control.latency),
    path("control/link-instagram", control.link),
    path("control/unlink-instagram", control.unlink),
    path("control/people", control.people),
    path("control/revoke", control.revoke),
    path("control/grants", control.grants),
    path("media/files/<str:name>", media.file, name="media_file"),
    path("media/portraits/<str:node_id>.png", media.portrait, name="portrait"),
    path("", feeds.front, name="front"),
    path("pages/<str:page_id>/link-instagram/", feeds.link, name="link_instagram"),
    path("feeds/facebook/<str:page_id>/", feeds.facebook, name="facebook_feed"),
    path("feeds/facebook/<str:page_id>/posts/<str:number>/", feeds.facebook_post, name="facebook_post"),
    path("feeds/instagram/p/<str:shortcode>/", feeds.instagram_post, name="instagram_post"),
    path("feeds/instagram/reel/<str:shortcode>/", feeds.instagram_post, name="instagram_reel"),
    path("feeds/instagram/<str:username>/", feeds.instagram, name="instagram_feed"),
    path("switchboard/", switchboard.board, name="switchboard"),
    path("linkedin/oauth/authorization", linkedin_oauth.authorization, name="linkedin_authorization"),
    path("linkedin/oauth/accessToken", linkedin_oauth.access_token),
    path("linkedin/oauth/introspectToken", linkedin_oauth.introspect),
    path("linkedin/oauth/revoke", linkedin_oauth.revoke),
    path("linkedin/api/<path:path>", linkedin_api.api),
    path("linkedin/in/<str:member_id>/", linkedin_pages.member_feed, name="linkedin_member"),
    path("linkedin/company/<str:vanity_name>/", linkedin_pages.organization_feed, name="linkedin_organization"),
    path("linkedin/feed/update/<str:urn>/", linkedin_pages.one_post, name="linkedin_post"),
    path("control/linkedin/people", linkedin_control.people),
    path("control/linkedin/app", linkedin_control.app),
    path("control/linkedin/role", linkedin_control.role),
    path("buffer/auth/auth", buffer_oauth.authorize, name="buffer_authorization"),
    path("buffer/auth/token", buffer_oauth.token),
    path("buffer/auth/token/revocation", buffer_oauth.revocation),
    path("buffer/auth/token/introspection", buffer_oauth.introspection),
    path("buffer/auth/.well-known/openid-configuration", buffer_oauth.discovery),
    path("buffer/api", buffer_api.api),
    path("buffer/api/", buffer_api.api),
    path("buffer/api/graphql", buffer_api.api),
    path("buffer/settings/api/", buffer_oauth.keys, name="buffer_keys"),
    path("buffer/channels/<str:channel_id>/switch/", buffer_pages.switch, name="buffer_switch"),
    path("buffer/channels/<str:channel_id>/remove-board/", buffer_pages.remove_board, name="buffer_remove_board"),
    path("feeds/buffer/<str:channel_id>/", buffer_pages.feed, name="buffer_feed"),
    path("feeds/buffer/<str:channel_id>/posts/<str:post_id>/", buffer_pages.one_post, name="buffer_post"),
    path("control/buffer/people", buffer_control.people),
    path("control/buffer/app", buffer_control.app),
    path("control/buffer/channel", buffer_control.channel),
    path("control/buffer/unlink", buffer_control.unlink),
    path("control/buffer/posts", buffer_control.posts),
]

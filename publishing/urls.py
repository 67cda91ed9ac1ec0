from publishing import urls_calendar, urls_library, urls_posts, urls_webhooks

app_name = "publishing"
urlpatterns = [
    *urls_library.urlpatterns,
    *urls_posts.urlpatterns,
    *urls_calendar.urlpatterns,
    *urls_webhooks.urlpatterns,
]

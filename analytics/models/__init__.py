from analytics.models.insights import InsightWindow
from analytics.models.posts import PlatformPost, PostSnapshot
from analytics.models.sync import AccountSync

__all__ = ["AccountSync", "InsightWindow", "PlatformPost", "PostSnapshot"]

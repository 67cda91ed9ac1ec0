from analytics.models.insights import InsightWindow
from analytics.models.posts import PlatformPost, PostSnapshot

__all__ = ["InsightWindow", "PlatformPost", "PostSnapshot"]

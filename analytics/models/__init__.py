from analytics.models.exports import WorkspaceExport
from analytics.models.insights import AudienceSnapshot, InsightWindow, RefusedMetric
from analytics.models.posts import PlatformPost, PostDay, PostSnapshot
from analytics.models.reports import ReportSubscription
from analytics.models.sync import AccountSync

__all__ = [
    "AccountSync",
    "AudienceSnapshot",
    "InsightWindow",
    "PlatformPost",
    "PostDay",
    "PostSnapshot",
    "RefusedMetric",
    "ReportSubscription",
    "WorkspaceExport",
]

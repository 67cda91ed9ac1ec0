"""The index of an account's newest posts carries their figures, so that lists sorted by them need not read the rows."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("analytics", "0006_days_and_withheld")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="platformpost",
            index=models.Index(
                fields=["account", "-posted_at"],
                include=(
                    *("id", "publication", "product", "media_type", "gone_at", "rate_of", "engagement_rate"),
                    *("likes", "comments", "shares", "saves", "views", "impressions", "reach", "clicks", "engagements"),
                ),
                name="platform_post_figures",
            ),
        ),
        migrations.RemoveIndex(model_name="platformpost", name="platform_post_newest"),
    ]

"""Stories are few, and figures leave them out: they are found without reading all publications."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("publishing", "0016_attempts_by_time")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="publication",
            index=models.Index(fields=["id"], condition=models.Q(post_type="story"), name="publication_story"),
        ),
    ]

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("publishing", "0015_webhooks_by_endpoint"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="attempt",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["started_at"], name="attempt_lately", autosummarize=True, pages_per_range=32
            ),
        ),
    ]

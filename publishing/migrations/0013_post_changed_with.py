from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0012_publications_that_failed")]

    operations = [
        migrations.AddField(
            model_name="post",
            name="edit_key",
            field=models.UUIDField(blank=True, editable=False, null=True),
        ),
    ]

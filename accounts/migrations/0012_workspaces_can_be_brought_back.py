from django.db import migrations, models


class Migration(migrations.Migration):
    """What is being deleted already has no such time: it goes on at once, as its owner was told."""

    dependencies = [("accounts", "0011_machines")]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="deletion_due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]

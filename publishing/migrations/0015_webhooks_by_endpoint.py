import socialhub.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("publishing", "0014_intake_and_webhooks"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="webhookdelivery",
            name="webhook_due",
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="previous_secret",
            field=socialhub.fields.SecretTextField(null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="previous_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="resting_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("status", "waiting")), fields=["endpoint", "not_before"], name="webhook_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("lease_until__isnull", False), ("status", "waiting")),
                fields=["endpoint"],
                name="webhook_in_hand",
            ),
        ),
    ]

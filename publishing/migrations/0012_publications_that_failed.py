from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0011_search_and_order_of_posts")]

    operations = [
        migrations.AddIndex(
            model_name="publication",
            index=models.Index(
                fields=["-updated_at"], condition=models.Q(("status", "failed")), name="publication_failed"
            ),
        ),
    ]

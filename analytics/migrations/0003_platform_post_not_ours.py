from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0002_account_sync'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='platformpost',
            index=models.Index(condition=models.Q(('publication__isnull', True)), fields=['-posted_at'], name='platform_post_not_ours'),
        ),
    ]

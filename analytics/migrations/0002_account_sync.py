import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('analytics', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountSync',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='sync', serialize=False, to='accounts.connectedaccount')),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('full_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'account sync',
            },
        ),
    ]

"""Makes the tables, a queue, a member of staff with a token and 20 more; prints their ids as JSON."""

import json
import os
import sys

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()
call_command("migrate", verbosity=0, interactive=False)

from django.contrib.auth import get_user_model  # noqa: E402 - the applications come with the set-up
from helpdesk.models import Queue  # noqa: E402 - the same
from rest_framework.authtoken.models import Token  # noqa: E402 - the same

users = get_user_model().objects
boss = users.create_superuser("boss", "boss@example.org", "only-for-a-measurement")
staff = [users.create_user(f"staff{n}", f"staff{n}@example.org", is_staff=True) for n in range(20)]
queue = Queue.objects.create(title="Town", slug="town", email_address="town@example.org")
sys.stdout.write(
    json.dumps(
        {
            "token": Token.objects.create(user=boss).key,
            "queue": queue.id,
            "staff": [one.id for one in staff],
        }
    )
)

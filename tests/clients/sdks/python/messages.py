"""Events as JSON on standard input; on standard output a line for each message that the SDK makes of them."""

import json
import sys
from base64 import b64encode
from datetime import datetime

from cloudevents.core.bindings import http, kafka
from cloudevents.core.v1.event import CloudEvent


def text(value):
    return b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()


def show(event, protocol, mode, form, headers, body):
    pairs = [[name, text(value)] for name, value in headers.items()]
    message = {"event": event, "protocol": protocol, "mode": mode, "form": form}
    line = json.dumps(message | {"headers": pairs, "body": text(body)})
    sys.stdout.write(f"{line}\n")


for number, sent in enumerate(json.load(sys.stdin)):
    data = sent.pop("data")
    attributes = sent | {
        "time": datetime.fromisoformat(sent["time"]),
        "datacontenttype": "application/json",
    }
    for form, value in {"object": data, "bytes": json.dumps(data).encode()}.items():
        made = CloudEvent(attributes=dict(attributes), data=value)
        for mode in ("binary", "structured"):
            found = getattr(http, f"to_{mode}_event")(made)
            show(number, "http", mode, form, found.headers, found.body)
            found = getattr(kafka, f"to_{mode}_event")(made)
            show(number, "kafka", mode, form, found.headers, found.value)

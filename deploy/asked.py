"""Target of a smoke test: the URL of a stage, or the function behind it where the API requires more than a key."""

import socket
from urllib.parse import urlsplit

from cli.progress import Progress
from deploy.aws import Aws
from deploy.endpoint import Endpoint
from deploy.invoked import Invoked
from deploy.stack import State


def asked_of(aws: Aws, state: State, progress: Progress) -> Endpoint | Invoked:
    """Choose the target from the outputs of the stack; print what is not tested, and where DNS must point.

    A domain is asked at its target: DNS is not part of the stack, and on a first deployment has no record yet.
    """
    outputs = state.outputs
    target = outputs.get("DomainTarget", "")
    host = urlsplit(outputs["Url"]).hostname or ""
    if target:
        known = "" if _is_known(host) else f"; DNS does not know {host} yet"
        progress.say(f"[yellow]Note:[/] {host} has to be an alias (CNAME) of [bold]{target}[/]{known}")
    if outputs.get("Closed"):
        progress.say("[yellow]Note:[/] the API requires more than a key, so the test invokes its function")
        return Invoked(aws.client("lambda"), outputs["FunctionName"])
    return Endpoint(outputs["Url"], aws.api_key(outputs.get("ApiKeyId", "")), target=target)


def _is_known(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, 443))
    except OSError:
        return False

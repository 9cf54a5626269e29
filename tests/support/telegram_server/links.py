"""Which addresses Telegram takes for a link: HTTP and its own schemes, with a host that has a dot in it."""

import re

TELEGRAM = re.compile(r"(?:tg|ton|tonsite):", re.ASCII | re.IGNORECASE)
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.ASCII | re.IGNORECASE)
PARTS = re.compile(
    r"(?P<user>[^/?#@]*@)?(?P<host>\[[0-9a-f:.]+\]|[^/?#:]*)(?::(?P<port>[^/?#]*))?(?P<rest>.*)", re.IGNORECASE
)
USER = re.compile(r"tg:(?://)?user/?\?id=(\d{1,19})$", re.ASCII | re.IGNORECASE)
UNFIT = re.compile(r"[\x00-\x20\"<>^`{|}\\]")


class LinkError(ValueError):
    """What is wrong with an address, in Telegram's words."""


def check_link(link: str) -> str:
    """The address as Telegram keeps it: with a scheme, the host in lower case, a slash after it.

    Raises LinkError for what it does not take.
    """
    if not link:
        raise LinkError("URL host is empty")
    if TELEGRAM.match(link):
        return link
    scheme, rest = "http", link
    if found := SCHEME.match(link):
        scheme, rest = found[1].lower(), link[found.end() :]
        if scheme not in {"http", "https"}:
            raise LinkError("Unsupported URL protocol")
    elif re.match(r"[a-z][a-z0-9+.-]*:(?!\d+(?:[/?#]|$))", link, re.IGNORECASE):
        raise LinkError("Unsupported URL protocol")
    parts = PARTS.match(rest)
    assert parts, "the expression matches anything"
    host, port, path = parts["host"], parts["port"], parts["rest"]
    if not host:
        raise LinkError("URL host is empty")
    if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise LinkError("Wrong port number specified in the URL")
    if UNFIT.search(host) or ("." not in host and not host.startswith("[")):
        raise LinkError("Wrong HTTP URL")
    path = re.sub(r"[\x00-\x20]", lambda found: f"%{ord(found[0]):02X}", path)
    path = path if path.startswith("/") else "/" + path
    return f"{scheme}://{parts['user'] or ''}{host.lower()}{'' if port is None else f':{port}'}{path}"


def mentioned_user(link: str) -> int | None:
    """The person a tg://user link names."""
    found = USER.match(link)
    return int(found[1]) if found else None

"""URLs of databases: as they are meant, and as they may be shown."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

from kerasopt._core.checks import bad_value

# Everything from the first colon behind the scheme to the last @ may be of the password.
_SCHEME = r"[A-Za-z][\w+.-]*:/{1,2}"
_LOGIN = re.compile(rf"^((?:{_SCHEME}|(?!{_SCHEME}))[^:]*):.*@", re.DOTALL)
# Where the host was forgotten, what stands in the place of its port is no number.
_NO_HOST = re.compile(rf"^({_SCHEME}[^:/@?\[]+):(?!\d*(?:[/?]|$)).*", re.DOTALL)
_NAMES = "pass|pwd|secret|token|odbc_connect"
_KEY = rf"[^=&?#\s]*(?:{_NAMES})[^=&?#\s]*="
_SECRET = re.compile(rf"([?&#]{_KEY})[^&]*", re.IGNORECASE)
_SECRET_WITHIN = re.compile(rf"([?&#]{_KEY})[^&\s]*", re.IGNORECASE)
# No database has fragments, so there is no telling what is in one. A file's name may hold a #.
_SERVER = r"(?<![\w+.-])(?!sqlite|file|https?:)[A-Za-z][\w+.-]*://"
_FRAGMENT = re.compile(rf"^({_SERVER}[^#]*#).+", re.DOTALL)
_FRAGMENT_WITHIN = re.compile(rf"({_SERVER}[^\s#]*#)\S+")
_ODD = re.compile(r"^([\w+]+)://([^:/]*):(.+)@([^@]*)$", re.DOTALL)
_OLD = re.compile(r"^postgres(?=(\+\w+)?://)")
_WITHIN = re.compile(r"[A-Za-z][\w+.-]*://.*@\S*")


def hidden(name: str) -> str:
    """Take what may be a password out of a URL, right or wrong; a path stays as it is.

    Example:
    >>> hidden("postgresql://me:p@ss/w:rd@host/name"), hidden("searches/journal.log")
    ('postgresql://me:***@host/name', 'searches/journal.log')
    """
    shown = _SECRET.sub(r"\1***", name)
    if "@" in name and "@" not in shown and re.match(r"^[^:]*:/{0,2}[^:]*:", name):
        # What looked like a query may have been within the password.
        return re.split(":", name, maxsplit=1)[0] + "://..."
    shown = _LOGIN.sub(r"\1:***@", shown)
    shown = shown if "@" in shown else _NO_HOST.sub(r"\1:***", shown)
    return _FRAGMENT.sub(r"\1***", shown)


def fragment_of(url: str) -> str:
    """Give what stands behind the first # of a URL of a server, which may be a password.

    Example:
    >>> fragment_of("postgresql://host/name#s3cret"), fragment_of("sqlite:///trial#1.db")
    ('s3cret', '')
    """
    return url.partition("#")[2] if _FRAGMENT.match(url) else ""


def is_secret(name: str) -> bool:
    """Tell whether an argument in a URL's query holds a password by its name."""
    return re.search(_NAMES, name, re.IGNORECASE) is not None


def hidden_within(text: str, secrets: Iterable[Any] = ()) -> str:
    """Take passwords out of a message.

    Args:
        text: The message.
        secrets: What is known to be secret; `None` and what is empty count for nothing.
    """
    text = _WITHIN.sub(lambda found: hidden(found.group()), text)
    text = _SECRET_WITHIN.sub(r"\1***", text)
    text = _FRAGMENT_WITHIN.sub(r"\1***", text)
    for secret in secrets:
        forms = {str(secret), quote(str(secret), safe=""), unquote(str(secret))}
        for form in sorted(forms, key=len, reverse=True) if secret else ():
            text = text.replace(form, "***")
    return text


def as_meant(url: str) -> str:
    """Give a URL as SQLAlchemy reads it.

    `postgres://` is today's `postgresql://`. A password may hold `:`, `/` and `@` as they are: it
    ends at the last `@`.

    Raises:
        ValueError: If it cannot be told where the password ends.

    Example:
    >>> as_meant("postgres://me:p@ss@host/name")
    'postgresql://me:p%40ss@host/name'
    """
    url = _OLD.sub("postgresql", url)
    found = _ODD.match(url)
    if found is None or url.count("@") < 2:
        return url
    scheme, user, password, rest = found.groups()
    if "?" in password:
        raise bad_value(
            "storage",
            "a URL of which can be told where its password ends",
            hidden(url),
            "Write its @ : / ? as urllib.parse.quote(password, safe='') gives them: @ is %40.",
        )
    user, password = (quote(unquote(one), safe="") for one in (user, password))
    return f"{scheme}://{user}:{password}@{rest}"

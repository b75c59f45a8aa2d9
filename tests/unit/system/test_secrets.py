"""Logins and secrets are found wherever they stand, and nothing else is."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from src.system.secrets import RedactingFormatter, redact, redact_output, redacted, without_login


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://alice:s3cretPW@host:5000/x", "http://host:5000/x"),
        ("at 'https://token@host' and", "at 'https://host' and"),
        ("http://alice:s3/cr@tPW@host/x", "http://host/x"),
        ("postgresql+psycopg2://u:pw@h/db?sslmode=x&password=abc", "postgresql+psycopg2://h/db?sslmode=x&password=***"),
        ("http://h/?api_key=abc&apikey=abc;user=abc", "http://h/?api_key=***&apikey=***;user=***"),
        ("http://h/#/experiments/1?viewStateShareKey=topotrace-final", None),
        ("sqlite:////home/a@b/mlflow.db", None),
        ("mail a@b.org, see http://host/", None),
    ],
)
def test_logins_are_cut_out_of_addresses(text: str, shown: str | None) -> None:
    assert redact(text) == without_login(text) == (shown or text)


def test_a_password_is_hidden_where_it_stands_alone() -> None:
    assert without_login("http://alice:hunter%2Ftwo2@host") == "http://host"
    assert redact("no such password: hunter/two2 (hunter%2Ftwo2)") == "no such password: *** (***)"


def test_secrets_of_the_environment_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HF_TOKEN": "hf_12345", "my_password": "a/b+c=d ", "AWS_SECRET_ID": "hf_12345long", "APIKEY": "xyz-xyz-xyz",
        "SHORT_KEY": "1234567", "PLAIN": "not-hidden", "TLS_KEY_FILE": sys.prefix,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    hidden = {"hf_12345": ["a hf_12345.", ("xyz-xyz-xyz", 5)], "x hf_12345long": 3, "b": "a%2Fb%2Bc%3Dd%20, a/b+c=d "}
    assert redacted(hidden) == {"***": ["a ***.", ("***", 5)], "x ***": 3, "b": "***, ***"}
    for kept in ("1234567", "not-hidden", sys.prefix):
        assert redact(kept) == kept


def test_what_is_printed_and_logged_holds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out)
    for _ in range(2):
        redact_output()
    print("http://alice:s3cretPW@host", end="")
    sys.stderr.writelines(["http://", "a:b@host"])
    assert out.getvalue() == "http://hosthttp://a:b@host", "what is written in pieces is looked at in pieces"
    assert not sys.stdout.isatty()
    try:
        raise ValueError("http://alice:s3cretPW@host")
    except ValueError:
        record = logging.LogRecord("n", logging.ERROR, __file__, 0, "at %s", ("http://u:p@h",), sys.exc_info())
    shown = RedactingFormatter().format(record)
    assert "at http://h\n" in shown
    assert "s3cretPW" not in shown

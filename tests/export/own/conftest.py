"""Fewer random rows than an export takes: what the tests look for is at boundaries, levels and missing values."""

import pytest


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.own.proof.RANDOM_AND_REAL_ROWS", 3_000)
    monkeypatch.setattr("export.certificate.certify.SINGLE_ROWS", 200)

"""The package's front door: every name is there, and asking for help loads no heavy library."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cobalance


def test_every_public_name_has_a_home() -> None:
    for name in cobalance.__all__:
        assert callable(getattr(cobalance, name)), name
    with pytest.raises(AttributeError, match="no attribute 'moran'"):
        _ = cobalance.moran  # type: ignore[attr-defined]


def test_help_teaches_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['cobalance', '--help']\n"
        "from cobalance import cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'xarray', 'geopandas', 'matplotlib', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for word in ("demo", "run", "check", "init", "运行"):
        assert word in done.stdout


def test_the_schema_that_editors_use_is_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from cobalance.cli import schema
    from cobalance.study.spec import json_schema

    schema()
    printed = json.loads(capsys.readouterr().out)
    assert printed == json_schema()
    assert printed["properties"]["years"]["description"].startswith("Years of the accounts")

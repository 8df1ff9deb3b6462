"""The pseudonym key: where it comes from, and that it is never shown."""

import pickle
from pathlib import Path

import pytest
from pydantic import SecretStr

from aivo_assets.errors import PrivacyError
from aivo_assets.privacy.keys import PseudonymKey, key_path, load_key
from aivo_assets.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"


def settings(home: Path, secret: str | None = None) -> Settings:
    return Settings(home=home, pseudonym_key=None if secret is None else SecretStr(secret))


def test_a_key_of_32_characters_is_the_shortest():
    PseudonymKey(SECRET)
    with pytest.raises(PrivacyError, match="31 characters"):
        PseudonymKey(SECRET[:-1])


def test_white_space_does_not_count_as_secret():
    assert PseudonymKey(f"  {SECRET}\n") == PseudonymKey(SECRET)
    with pytest.raises(PrivacyError):
        PseudonymKey(" " * 40)


def test_a_key_never_shows_its_secret():
    key = PseudonymKey(SECRET)
    for shown in (repr(key), str(key), f"{key}", key.fingerprint):
        assert SECRET not in shown
        assert SECRET[:8] not in shown
    assert not hasattr(key, "__dict__")


def test_a_key_refuses_to_be_pickled():
    with pytest.raises(PrivacyError, match="pickled"):
        pickle.dumps(PseudonymKey(SECRET))


def test_a_short_key_is_refused_without_repeating_it():
    with pytest.raises(PrivacyError) as refused:
        PseudonymKey("hunter2hunter2")
    assert "hunter2" not in str(refused.value)


def test_fingerprints_tell_keys_apart():
    assert PseudonymKey(SECRET).fingerprint == PseudonymKey(SECRET).fingerprint
    assert PseudonymKey(SECRET).fingerprint != PseudonymKey(SECRET + "x").fingerprint


def test_the_variable_wins_over_the_file(tmp_path: Path):
    load_key(settings(tmp_path), create=True)
    assert load_key(settings(tmp_path, SECRET), create=False) == PseudonymKey(SECRET)


def test_without_a_key_only_the_demo_goes_on(tmp_path: Path):
    with pytest.raises(PrivacyError, match="AIVO_PSEUDONYM_KEY is not set"):
        load_key(settings(tmp_path), create=False)
    assert not key_path(tmp_path).exists()
    made = load_key(settings(tmp_path), create=True)
    assert load_key(settings(tmp_path), create=False) == made


def test_the_demo_makes_a_private_key_once(tmp_path: Path):
    first = load_key(settings(tmp_path), create=True)
    path = key_path(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(path.read_text().strip()) == 64
    assert load_key(settings(tmp_path), create=True) == first
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_two_homes_have_two_keys(tmp_path: Path):
    assert load_key(settings(tmp_path / "a"), create=True) != load_key(settings(tmp_path / "b"), create=True)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int):
    load_key(settings(tmp_path), create=True)
    key_path(tmp_path).chmod(mode)
    with pytest.raises(PrivacyError, match=f"{mode:04o}") as refused:
        load_key(settings(tmp_path), create=False)
    assert "chmod 600" in refused.value.fix

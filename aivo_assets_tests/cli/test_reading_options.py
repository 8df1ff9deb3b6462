"""Options on how values are read."""

import pytest

from aivo_assets.cli.options import reading_of
from aivo_assets.errors import SettingsError


@pytest.mark.parametrize("given", ["gut=1", "1", "[1, 0]", "{gut: 1}"])
def test_correct_values_that_are_no_json_object_are_refused_with_how_to_write_them(given: str) -> None:
    with pytest.raises(SettingsError, match="no JSON object") as caught:
        reading_of(None, None, None, given, None)
    assert '{"passed": 1, "failed": 0}' in caught.value.fix


def test_what_is_given_goes_to_its_setting_and_the_rest_stays_unset() -> None:
    reading = reading_of("ms", None, "Asia/Tokyo", '{"gut": 1}', None)
    given = {name: value for name, value in reading.items() if value is not None}
    assert given == {"TIME_UNIT": "ms", "TIMEZONE": "Asia/Tokyo", "CORRECT_VALUES": '{"gut": 1}'}

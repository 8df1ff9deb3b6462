"""Settings of retention: how long growing data is kept. What is removed can be made again, or was read already."""

from pydantic import Field

from aivo_assets.settings.group import Group


class RetentionSettings(Group):
    """What is kept, and for how long."""

    feature_sets: int = Field(
        2, ge=1, description="Trainings whose features are kept, the newest; those of others are folded when asked for."
    )

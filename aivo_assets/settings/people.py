"""Settings of people: names on pages, sign-in, the audit log."""

from typing import Literal

from pydantic import Field, SecretStr

from aivo_assets.settings.group import Group


class PeopleSettings(Group):
    """Who may see names, and how they sign in."""

    audit_days: int = Field(400, ge=1, description="Days that the log of looks at names is kept.")
    session_hours: float = Field(10.0, gt=0, le=720, description="Hours after which a person signs in again.")
    link_hours: float = Field(72.0, gt=0, le=2160, description="Hours in which a one-time link can be used.")
    local_names: bool = Field(
        False,
        description="Whether somebody at this machine may choose, without a password, as whom they look at a real "
        "roster. The simulated school's may always be chosen.",
    )
    oidc_issuer: str | None = Field(
        None, pattern=r"^https?://[^\s?#]+$", description="OpenID Connect provider of the school; none: no sign-in."
    )
    oidc_client_id: str | None = Field(None, description="What the provider calls this platform.")
    oidc_client_secret: SecretStr | None = Field(None, description="The secret that the provider gave for it.")
    oidc_scope: str = Field("openid email profile", description="Scopes that are asked for.")
    oidc_claim: str = Field("email", description="Claim that says who somebody is.")
    oidc_match: Literal["email", "account", "id"] = Field(
        "email", description="What of a person in the roster the claim is compared with."
    )

"""People by name, and who may see what. Belongs here: roster, access, names, audit log, sessions, links.

Everything past the raw zone knows pseudonyms alone. Whoever builds a page asks here:

- `access.may(viewer, action, of)`: whether a viewer may do or open something (the table is in `access.py`);
- `names.NameBook`: pseudonyms of learners, classes and schools to names, for a viewer who may see them;
- `audit.AuditLog`: every look at a name; without an entry no name is shown.

The roster itself lies in the raw zone (`roster.py`). Which page asks is not known here.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "access": ["Action", "Role", "Viewer", "may"],
        "audit": ["AuditLog", "Look"],
        "names": ["NameBook", "Names"],
        "roster": ["RAW_ROSTER"],
    },
)

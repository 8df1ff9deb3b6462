"""The kinds of recommendation, by the contract's names. Belongs here: names; what each does is in `adaptive/policy`.

They stand below everything else, because teachers' words, policies, alerts and pages all speak of them.
"""

from typing import Final

LEVEL_UP: Final = "level_up"
LEVEL_DOWN: Final = "level_down"
MAINTAIN: Final = "maintain"
REMEDIATION: Final = "remediation"
ENRICHMENT: Final = "enrichment"
BREAK: Final = "break"
CHANGE_APPROACH: Final = "change_approach"

KINDS: Final = (LEVEL_UP, LEVEL_DOWN, MAINTAIN, REMEDIATION, ENRICHMENT, BREAK, CHANGE_APPROACH)

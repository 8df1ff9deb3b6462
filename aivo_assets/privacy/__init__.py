"""From personal data to none. Belongs here: pseudonyms, coarsening, k-anonymity and the leak scan.

Raw rows come in from `events/`; everything later reads what this stage lets out and nothing else.
"""

from aivo_assets.privacy.anonymise import AnonymisedLearners, anonymise_interactions, anonymise_learners
from aivo_assets.privacy.k_anonymity import AnonymityReport
from aivo_assets.privacy.keys import PseudonymKey, load_key
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS

__all__ = [
    "ANONYMISED_INTERACTIONS",
    "ANONYMISED_LEARNERS",
    "AnonymisedLearners",
    "AnonymityReport",
    "PseudonymKey",
    "anonymise_interactions",
    "anonymise_learners",
    "load_key",
    "pseudonyms",
]

"""From personal data to none. Belongs here: pseudonyms, coarsening, k-anonymity and the leak scan.

Raw rows come in from `events/`; everything later reads what this stage lets out and nothing else.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "anonymise": ["AnonymisedLearners", "anonymise_interactions", "anonymise_learners"],
        "attributes": ["generalised_attributes"],
        "k_anonymity": ["AnonymityReport"],
        "keys": ["PseudonymKey", "load_key"],
        "schema": ["ANONYMISED_INTERACTIONS", "ANONYMISED_LEARNERS"],
    },
)

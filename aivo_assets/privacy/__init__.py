"""From raw to anonymised: pseudonyms, coarse times, k-anonymous attributes, and the search for what leaked."""

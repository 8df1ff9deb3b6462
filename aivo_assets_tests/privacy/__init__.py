"""Privacy: pseudonyms, coarsening, k-anonymity, the leak scan."""

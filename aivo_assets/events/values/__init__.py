"""What a single value means: times, numbers, labels, identities, skills. No row is judged and no file is read here."""

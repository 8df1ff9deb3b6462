"""How a unit is replaced as a whole: staged files, manifests, layers, and which files may go when. No columns."""
